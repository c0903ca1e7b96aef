"""What one graph has and another has not, kept in files, as it may be all of both; then told as lists of changes.

What is gone comes before what is put, and edges go before their nodes: a store never holds more ends without a node
than it must, and a line that a store dumps out of its order does no harm.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from lineage.errors import UnavailableError
from lineage.model import Changes, EdgeKind, NameScope, Node
from lineage.projector.dumps import EDGE, NAME, NODE, edge_of, place_of

Fetch = Callable[[Sequence[bytes]], list[Node | None]]
"""The nodes with these keys, in that order."""

_ROWS = 1_000
_BYTES = 4 * 1024 * 1024
"""A list of changes has at most so many rows, and ends with the one that makes its lines so long."""

_ORDER = ((False, NAME), (False, EDGE), (False, NODE), (True, NODE), (True, EDGE), (True, NAME))
"""Whether something is put, and what: as it is told, one after the other."""


class Spool:
    """Lines of two dumps, in files of ``folder``; ``len`` is the number of changes that they make.

    Raises UnavailableError where the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self._count = 0
        self._files: dict[tuple[bool, int], IO[bytes]] = {}
        with ExitStack() as opening:
            try:
                for is_put, what in _ORDER:
                    path = folder / f"{'put' if is_put else 'gone'}-{what}"
                    self._files[is_put, what] = opening.enter_context(path.open("w+b"))
            except OSError as error:
                raise _refused(error) from error
            self._closing = opening.pop_all()

    def __len__(self) -> int:
        return self._count

    def add(self, kept: bytes | None, anew: bytes | None) -> None:
        """Note what stands at one place of the graph that is kept and of the one made anew; it is not the same."""
        line, is_put = (anew, True) if anew is not None else (kept, False)
        assert line is not None
        what = place_of(json.loads(line))[0]
        try:
            self._files[is_put, what].write(line + b"\n")
        except OSError as error:
            raise _refused(error) from error
        self._count += 1

    def changes(self, fetch: Fetch) -> Iterator[Changes]:
        """Lists of changes that make the graph that is kept the other, of which ``fetch`` gives the nodes."""
        for is_put, what in _ORDER:
            for lines in self._portions(self._files[is_put, what]):
                yield _put(what, lines, fetch) if is_put else _gone(what, lines)

    def close(self) -> None:
        """Close the files."""
        self._closing.close()

    def _portions(self, file: IO[bytes]) -> Iterator[list[bytes]]:
        try:
            file.seek(0)
            lines: list[bytes] = []
            size = 0
            for line in file:
                lines.append(line)
                size += len(line)
                if len(lines) >= _ROWS or size >= _BYTES:
                    yield lines
                    lines, size = [], 0
        except OSError as error:
            raise _refused(error) from error
        if lines:
            yield lines


def size_of(changes: Changes) -> int:
    """How many nodes, edges and names ``changes`` tells of."""
    return len(changes.nodes) + len(changes.edges) + len(changes.names)


def halves_of(changes: Changes) -> tuple[Changes, Changes]:
    """The same changes as two lists."""
    halves, middle = (Changes(), Changes()), size_of(changes) // 2
    rows = ((part, *row) for part in ("nodes", "edges", "names") for row in getattr(changes, part).items())
    for number, (part, key, change) in enumerate(rows):
        getattr(halves[number >= middle], part)[key] = change
    return halves


def _gone(what: int, lines: list[bytes]) -> Changes:
    changes = Changes()
    for _, first, second, third in (place_of(json.loads(line)) for line in lines):
        if what == NODE:
            changes.nodes[bytes.fromhex(second)] = None
        elif what == EDGE:
            changes.edges[EdgeKind(first), bytes.fromhex(second), bytes.fromhex(third)] = None
        else:
            changes.names[NameScope(first), second, bytes.fromhex(third)] = False
    return changes


def _put(what: int, lines: list[bytes], fetch: Fetch) -> Changes:
    """Nodes are fetched, as a line has the members of their facets in another order."""
    things = map(json.loads, lines)
    if what == NODE:
        keys = [bytes.fromhex(thing["key"]) for thing in things]
        return Changes(nodes=dict(zip(keys, fetch(keys), strict=True)))
    if what == EDGE:
        return Changes(edges={edge.key: edge for edge in map(edge_of, things)})
    names = (place_of(thing) for thing in things)
    return Changes(names={(NameScope(scope), value, bytes.fromhex(key)): True for _, scope, value, key in names})


def _refused(error: OSError) -> UnavailableError:
    return UnavailableError(
        f"What differs can't be kept: {error.strerror}.", hint="Check free space and permissions of the data folder."
    )
