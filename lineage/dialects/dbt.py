"""dbt (openlineage-dbt 1.54.0 with dbt 1.11), in its three modes: ``run``, ``build``, and consuming structured logs.

- One model is three jobs: ``<database>.<schema>.<project>.<model>`` by ``run``, the same with ``.build.run`` by
  ``build``, ``model.<project>.<model>`` in structured-log mode; likewise ``….snapshot`` and ``….build.snapshot`` and
  ``snapshot.<project>.<name>``, ``….test`` and ``….build.test``. The name that ``run`` gives is the one.
- A test in structured-log mode has an output, ``<database>.<schema>_dbt_test__audit.<test>``, which is never written
  (without ``store_failures``), and which nobody reads with it.
- A node that is skipped in structured-log mode sends START and ABORT of one eventTime, with full inputs and outputs.
- Without structured logs, what a model reads is told for models and sources; seeds are named by columnLineage only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from lineage.dialects.plain import Plain
from lineage.dialects.recognition import DBT
from lineage.dialects.shapes import job_type, told
from lineage.dialects.sql_parser import has_form_of
from lineage.event.model import Event, EventDataset, Name
from lineage.facts.claims import Claims

_AUDIT_SCHEMA = "dbt_test__audit"
#: What ``build`` puts behind a node's name, and what ``run``, ``snapshot`` and ``test`` put there instead.
_ENDINGS = {".build.run": "", ".build.snapshot": ".snapshot", ".build.test": ".test"}
#: Nodes whose structured-log name has another form, and how ``run`` or ``snapshot`` ends theirs.
_KINDS = {"model": "", "snapshot": ".snapshot"}
#: Agents before the dbt_node facet: at least schema, project and node before the ending.
_BUILT = re.compile(r"((?:[^.]+\.){2,}[^.]+)(\.build\.(?:run|snapshot|test))", re.DOTALL)


class Dbt(Plain):
    """What dbt's nodes tell."""

    name = DBT

    def meant(self, event: Event) -> Event:
        """The event with its default mode's job name, and without the outputs of tests."""
        if event.job is None:
            return event
        name = _job_name(event, event.job.name)
        outputs = _written(event)
        if name == event.job.name and len(outputs) == len(event.outputs):
            return event
        return replace(event, job=Name(event.job.namespace, name), outputs=outputs)

    def claims(self, event: Event, claims: Claims) -> Claims:
        """The claims, marked as dbt's."""
        return msgspec.structs.replace(claims, dialect=self.name)

    def never_ran(self, types: frozenset[str], instants: frozenset[tuple[str, int]]) -> bool:
        """Whether the node was skipped: nothing but START and ABORT, at one time."""
        return types == {"START", "ABORT"} and len({time for _, time in instants}) == 1

    def vouches(self, output: Name, source: Name) -> bool:
        """Whether the SQL parser named a table: a CTE's name has fewer parts than the output's."""
        return has_form_of(output, source)


def _written(event: Event) -> tuple[EventDataset, ...]:
    if not event.outputs:
        return event.outputs
    if job_type(event) == "TEST":
        return ()
    return tuple([dataset for dataset in event.outputs if not _is_audit(dataset.name.name)])


def _is_audit(name: str) -> bool:
    parts = name.rsplit(".", 2)
    return len(parts) > 1 and parts[-2].endswith(_AUDIT_SCHEMA)


def _job_name(event: Event, name: str) -> str:
    """The name that ``run``, ``snapshot`` or ``test`` gives to the job; ``name`` if it has none of the known forms."""
    node = told(event.job_facets, "dbt_node")
    unique_id = node.get("unique_id")
    if isinstance(unique_id, str):
        kind, _, rest = unique_id.partition(".")
        base = ".".join([*_place(node), rest if kind in _KINDS else unique_id])
        if name == unique_id:
            return base + _KINDS[kind] if kind in _KINDS else name
        ending = name.removeprefix(base)
        return base + _ENDINGS.get(ending, ending) if name.startswith(base) else name
    built = _BUILT.fullmatch(name)
    return built[1] + _ENDINGS[built[2]] if built else name


def _place(node: Mapping[str, Any]) -> Iterator[str]:
    for part in (node.get("database"), node.get("schema")):
        if isinstance(part, str) and part:
            yield part
