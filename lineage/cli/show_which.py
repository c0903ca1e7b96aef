"""What tells apart versions, and runs, whose labels read alike because they are of one minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

from lineage.cli.show_answer import Data

_SHORT = 8
_LENGTHS = (_SHORT, 13, 18, 23, 36)
"""Where the parts of a UUID end."""


class Which:
    """Marks for ``nodes``, all that one table shows. Of a version: as it was declared, or else how its content hash
    begins, or else the run that wrote it; of a run: how its runId begins. Anything else has none.

    As many parts of runIds are shown, one at least, as tell those in the table apart: what began within a minute has
    the first part of its UUIDv7 in common.
    """

    def __init__(self, nodes: Iterable[Data | None]) -> None:
        known = [node for node in nodes if node is not None]
        told = set(chain.from_iterable(_run_ids(node) for node in known))
        self._length = next((size for size in _LENGTHS if len({each[:size] for each in told}) == len(told)), None)
        self._alike: dict[str, set[str]] = defaultdict(set)
        for node in known:
            if "label" in node:
                self._alike[node["label"]].add(node["id"])

    def of(self, node: Data) -> str:
        """The mark of ``node``; empty if it has none."""
        return _named(node) or "".join(each[: self._length] for each in _run_ids(node))

    def marks_any(self, nodes: Iterable[Data]) -> bool:
        """Whether one of ``nodes`` has a mark."""
        return any(map(self.of, nodes))

    def is_needed(self, node: Data) -> bool:
        """Whether another node of the table has the same label."""
        return len(self._alike[node["label"]]) > 1


def _named(version: Data) -> str:
    if version.get("version") is not None:
        return str(version["version"])
    return "".join(str(each["digest"])[:_SHORT] for each in (version.get("contentHashes") or ())[:1])


def _run_ids(node: Data) -> list[str]:
    """The runId that the mark of ``node`` is made of, if it is made of one."""
    if _named(node):
        return []
    writer = node.get("writtenBy") or node
    return [str(writer["runId"])] if writer.get("runId") else []
