"""Apache Spark (openlineage-spark 1.53.0 with Spark 4.0.1). Iceberg tables: :mod:`lineage.dialects.iceberg`.

- A saved spark.ml model is many outputs below one folder ``P``: ``P/metadata``, whose one column is ``_1`` (written) or
  ``value`` (read), and of a pipeline ``P/stages/<n>_<Class>_<12 hex>/…``. P is one model.
- A write that tells no lifecycleStateChange appends; CREATE is told for a table that lives too.
- ``CREATE TABLE … AS SELECT`` is two runs, one within the other, that write the same dataset.
- A write that fails before its first task says COMPLETE all the same; only outputStatistics prove it. Writes of Delta
  tables succeed without them, too.
- The warehouse's database folder may stand twice in a name: ``/wh/mart.db/mart.db/t``.
- What one application's jobs read and write passes through one process (R8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from lineage.dialects.iceberg import without_stale_versions
from lineage.dialects.plain import Plain
from lineage.dialects.recognition import SPARK
from lineage.dialects.shapes import told, with_dataset_names
from lineage.dialects.spark_jobs import is_child_of_application, lasting_name, without_uids, writes_with_statistics
from lineage.event.blocks import derived
from lineage.event.model import Event, EventDataset, Facets, Name
from lineage.facts.claims import Claims, Parent, Write

_METADATA = "/metadata"
_METADATA_COLUMNS = frozenset({"_1", "value"})
_STAGE = re.compile(r"(?s)(.*?[^/])/stages/\d+_[A-Za-z]\w*_[0-9a-f]{12}(?:/|\Z)")
_DOUBLED_DATABASE = re.compile(r"((?:\A|/)[^/]+\.db)(?:/[^/]+\.db)+/")
#: Tables whose writes succeed without statistics, as seen of Delta 4.0.0's CREATE OR REPLACE TABLE … AS SELECT.
_SILENT_STORAGE = "delta"
#: Of these no statistics are told.
_WITHOUT_STATISTICS = frozenset({"ALTER", "DROP", "RENAME", "TRUNCATE"})


class Spark(Plain):
    """What the agent tells of applications, SQL jobs and RDD jobs."""

    name = SPARK
    nests_writes = True

    def meant(self, event: Event) -> Event:
        """The event with lasting job and dataset names, and without versions that were not read or written."""
        return _with_job_names(without_stale_versions(with_dataset_names(event, _with_one_database)))

    def claims(self, event: Event, claims: Claims) -> Claims:
        """The claims, each write saying whether it appends, is a model's part, or is still to be proved."""
        roots = self.model_roots(event)
        unproven = _unproven(event)
        return msgspec.structs.replace(
            claims,
            dialect=self.name,
            writes=tuple([_marked(write, roots, unproven) for write in claims.writes]),
            parent=claims.parent and _marked_parent(event, claims.parent),
        )

    def model_roots(self, event: Event) -> tuple[Name, ...]:
        """The folder of each spark.ml model that an input or output lies in, the outermost that its own name shows."""
        roots = dict.fromkeys(root for dataset in (*event.inputs, *event.outputs) if (root := _model_root(dataset)))
        return tuple(roots)


@derived
def _model_root(dataset: EventDataset) -> Name | None:
    namespace, name = dataset.name
    if "/stages/" in name and (stage := _STAGE.match(name)):
        return Name(namespace, stage[1])
    if name.endswith(_METADATA) and len(name) > len(_METADATA) and _has_metadata_column(dataset):
        return Name(namespace, name.removesuffix(_METADATA))
    return None


def _has_metadata_column(dataset: EventDataset) -> bool:
    fields = told(dataset.facets, "schema").get("fields")
    if not isinstance(fields, list) or len(fields) != 1 or not isinstance(fields[0], dict):
        return False
    column = fields[0].get("name")
    return isinstance(column, str) and column in _METADATA_COLUMNS


def _marked(write: Write, roots: tuple[Name, ...], unproven: frozenset[Name]) -> Write:
    is_part = any(_is_below(write.name, root) for root in roots)
    appends = not is_part and write.lifecycle in (None, "CREATE")
    is_unproven = write.name in unproven and write.lifecycle not in _WITHOUT_STATISTICS
    if not (is_part or appends or is_unproven):
        return write
    return msgspec.structs.replace(write, appends=appends, part_of_model=is_part, unproven=is_unproven)


def _is_below(name: Name, root: Name) -> bool:
    return name.namespace == root.namespace and name.name.startswith(root.name + "/")


def _unproven(event: Event) -> frozenset[Name]:
    if event.job is None or not event.outputs or not writes_with_statistics(event.job.name):
        return frozenset()
    return frozenset(dataset.name for dataset in event.outputs) - frozenset(_told_or_silent(event.outputs))


def _told_or_silent(outputs: tuple[EventDataset, ...]) -> Iterator[Name]:
    for dataset in outputs:
        is_silent = told(dataset.facets, "storage").get("storageLayer") == _SILENT_STORAGE
        if is_silent or told(dataset.io_facets, "outputStatistics"):
            yield dataset.name


def _marked_parent(event: Event, parent: Parent) -> Parent:
    single = is_child_of_application(event, parent.job)
    return msgspec.structs.replace(parent, single_process=True) if single else parent


def _with_one_database(name: str) -> str:
    return _DOUBLED_DATABASE.sub(_one_database, name) if name.count(".db/") > 1 else name


def _one_database(found: re.Match[str]) -> str:
    folders = found[0].removeprefix("/").removesuffix("/").split("/")
    kept = [folder for place, folder in enumerate(folders) if place == 0 or folder != folders[place - 1]]
    return ("/" if found[0].startswith("/") else "") + "/".join(kept) + "/"


def _with_job_names(event: Event) -> Event:
    job = event.job
    if job is None:
        return event
    name = lasting_name(event, job.name)
    run_facets = _with_application_name(event)
    if name == job.name and run_facets is event.run_facets:
        return event
    return replace(event, job=Name(job.namespace, name), run_facets=run_facets)


def _with_application_name(event: Event) -> Facets:
    parent = told(event.run_facets, "parent")
    job = parent.get("job")
    if not isinstance(job, dict) or not isinstance(job.get("name"), str) or not isinstance(job.get("namespace"), str):
        return event.run_facets
    name = without_uids(job["name"])
    if name == job["name"] or not is_child_of_application(event, (job["namespace"], job["name"])):
        return event.run_facets
    changed = {**parent, "job": {**job, "name": name}}
    root = parent.get("root")
    if isinstance(root, dict) and isinstance(root.get("job"), dict) and root.get("run") == parent.get("run"):
        changed["root"] = {**root, "job": {**root["job"], "name": name}}
    return {**event.run_facets, "parent": changed}
