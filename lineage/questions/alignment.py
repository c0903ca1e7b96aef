"""Which node of one history is the counterpart of which of the other: by what they are, not by key.

From the subjects upstream, step by step: where two nodes are counterparts, what leads to the one is matched with what
leads to the other: the very same first, then versions of one dataset, flows of one job and output, flows of one job;
several of these by time, the latest first. A pair that stands in both histories is no news, and ends the walk there; a
node that only one history has gets one counterpart, the first that is found. What is left is then matched with what is
left of the other history, by (distance, time). The work is linear in what only one side has, but for sorting.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lineage.model import Edge
from lineage.questions.histories import History

Pair = tuple[bytes, bytes]
"""A node of a, and its counterpart in b."""
Matched = tuple[list[Pair], list[bytes], list[bytes]]
"""Pairs, and what is left of either side."""
_What = Callable[[History, bytes], Hashable]


@dataclass(frozen=True, slots=True)
class Wiring:
    """What leads to a pair: ``both`` has the edges that correspond, ``only_a`` and ``only_b`` the others."""

    both: tuple[tuple[Edge, Edge], ...]
    only_a: tuple[Edge, ...]
    only_b: tuple[Edge, ...]


@dataclass(slots=True)
class Alignment:
    """``pairs`` in the order found, each with its ``wiring``; by nodes of one side, their counterparts: ``of_a`` and
    ``of_b`` hold what only that side has. ``whole`` is False if time ran out."""

    pairs: list[Pair] = field(default_factory=list)
    wiring: dict[Pair, Wiring] = field(default_factory=dict)
    of_a: dict[bytes, bytes] = field(default_factory=dict)
    of_b: dict[bytes, bytes] = field(default_factory=dict)
    whole: bool = True


def align(a: History, b: History, seeds: tuple[Iterable[bytes], Iterable[bytes]], deadline: float | None) -> Alignment:
    """The counterparts in ``a`` and ``b``; their ``seeds`` are taken for each other's even if they are of different
    datasets or jobs. Past ``deadline`` (time.monotonic) it stops."""
    return _Aligner(a, b, deadline).run(sorted(seeds[0]), sorted(seeds[1]))


class _Aligner:
    def __init__(self, a: History, b: History, deadline: float | None) -> None:
        self._a = a
        self._b = b
        self._deadline = deadline
        self._found = Alignment()

    def run(self, a: Sequence[bytes], b: Sequence[bytes]) -> Alignment:
        for history, seeds in ((self._a, a), (self._b, b)):
            history.load(seeds)
        self._walk(self._match(a, b, (_output, _kin, _anything))[0])
        self._walk(self._left())
        return self._found

    def _walk(self, level: list[Pair]) -> None:
        while level and self._is_in_time():
            taken = [pair for pair in sorted(set(level), key=self._rank) if self._take(*pair)]
            self._a.load(a for a, _ in taken)
            self._b.load(b for _, b in taken)
            level = [pair for each in taken for pair in self._before(each)]

    def _is_in_time(self) -> bool:
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._found.whole = False
        return self._found.whole

    def _rank(self, pair: Pair) -> tuple[bool, bytes, bytes]:
        """Two that are both of one side alone before others; else the same whichever side is a."""
        return pair[0] not in self._a.own or pair[1] not in self._b.own, min(pair), max(pair)

    def _take(self, a: bytes, b: bytes) -> bool:
        of_a, of_b = self._found.of_a, self._found.of_b
        new_a, new_b = a in self._a.own, b in self._b.own
        if a in of_a or b in of_b or not (new_a or new_b):
            return False
        if new_a:
            of_a[a] = b
        if new_b:
            of_b[b] = a
        self._found.pairs.append((a, b))
        return True

    def _before(self, pair: Pair) -> Iterator[Pair]:
        a = {edge.source: edge for edge in self._a.into(pair[0])}
        b = {edge.source: edge for edge in self._b.into(pair[1])}
        pairs, only_a, only_b = self._match(a, b, (_output, _kin))
        self._found.wiring[pair] = Wiring(
            tuple((a[one], b[other]) for one, other in pairs),
            tuple(a[key] for key in only_a),
            tuple(b[key] for key in only_b),
        )
        return (each for each in pairs if each[0] != each[1])

    def _left(self) -> list[Pair]:
        a = sorted(self._a.own - self._found.of_a.keys(), key=lambda key: self._a.closure.distances[key])
        b = sorted(self._b.own - self._found.of_b.keys(), key=lambda key: self._b.closure.distances[key])
        return self._match(a, b, (_output, _kin), nearest=True)[0]

    def _match(self, a: Iterable[bytes], b: Iterable[bytes], by: Sequence[_What], *, nearest: bool = False) -> Matched:
        """The very same, then those that are the same by each of ``by`` in turn; with ``nearest`` the least distance
        goes before the latest time."""
        rest_a, rest_b = set(a), set(b)
        pairs = [(key, key) for key in sorted(rest_a & rest_b)]
        rest_a, rest_b = rest_a - rest_b, rest_b - rest_a
        for what in by:
            if not rest_a or not rest_b:
                break
            mine, theirs = _grouped(self._a, rest_a, what, nearest), _grouped(self._b, rest_b, what, nearest)
            for kind in mine.keys() & theirs.keys():
                for pair in zip(mine[kind], theirs[kind], strict=False):
                    pairs.append(pair)
                    rest_a.discard(pair[0])
                    rest_b.discard(pair[1])
        return pairs, sorted(rest_a), sorted(rest_b)


def _grouped(history: History, keys: Iterable[bytes], what: _What, nearest: bool) -> Mapping[Hashable, list[bytes]]:
    def rank(key: bytes) -> tuple[int, int, bytes]:
        return history.closure.distances[key] if nearest else 0, -history.time(key), key

    groups: dict[Hashable, list[bytes]] = defaultdict(list)
    for key in sorted(filter(history.known, keys), key=rank):
        groups[what(history, key)].append(key)
    return groups


def _output(history: History, key: bytes) -> Hashable:
    return _kin(history, key), history.output(key)


def _kin(history: History, key: bytes) -> Hashable:
    """The dataset of a version, the job of a flow; of a flow without one, what it feeds."""
    version = history.version(key)
    if version is not None:
        return "version", version.dataset
    run = history.run(key)
    return ("run", run.job) if run is not None else ("told", history.output(key))


def _anything(history: History, key: bytes) -> Hashable:
    return "version" if history.version(key) is not None else "flow"
