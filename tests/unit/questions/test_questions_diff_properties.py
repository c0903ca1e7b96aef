"""Diffs of random histories, against networkx and brute force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.answer import View
from lineage.answer.difference import Aspect, Diff, Hunk
from lineage.model import EdgeKind, Run, Version
from lineage.questions.diff import diff
from tests.unit.questions.days import Days, name, of, origins, told

MakeWorld = Callable[[], Any]
SOURCES = 3
JOBS = 6


class Plan(NamedTuple):
    """One job's part in one day: whether it runs anew, what it reads (by the names of datasets), what it tells."""

    anew: bool
    reads: tuple[str, ...]
    commit: str
    depth: int
    content: str | None


def datasets_before(job: int) -> list[str]:
    return [f"s{at}" for at in range(SOURCES)] + [f"d{at}" for at in range(job)]


def plans(job: int, contents: st.SearchStrategy[str | None]) -> st.SearchStrategy[Plan]:
    reads = st.lists(st.sampled_from(datasets_before(job)), min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(Plan, st.booleans(), reads, st.sampled_from("ab"), st.integers(0, 1), contents)


def pipelines(contents: st.SearchStrategy[str | None]) -> st.SearchStrategy[tuple[Plan, ...]]:
    return st.tuples(*(plans(job, contents) for job in range(JOBS)))


SOURCE_CONTENTS = st.tuples(*(st.sampled_from(["x", "y", None]) for _ in range(SOURCES)))
CHANCE = st.sampled_from(["p", "q", None])


class Ran:
    """Days on which pipelines ran: the latest version of each dataset is what is read."""

    def __init__(self, world: Any) -> None:
        self.days = Days(world)
        self.latest: dict[str, bytes] = {}
        self._clock = 0

    def tick(self) -> int:
        self._clock += 10
        return self._clock

    def source(self, name: str, content: str | None) -> None:
        self.latest[name] = self.days.source(name, self.tick(), content or "?", hashed=content is not None)

    def job(self, job: int, plan: Plan, **told: Any) -> None:
        """Without content what comes out is not hashed."""
        reads = [self.latest[read] for read in plan.reads]
        told = {"commit": plan.commit, "parameters": {"depth": plan.depth}, "content": plan.content or "?"} | told
        hashed = plan.content is not None
        self.latest[f"d{job}"] = self.days.run(f"j{job}", self.tick(), reads, f"d{job}", hashed=hashed, **told)


def two_days(
    world: Any, first: tuple[Plan, ...], second: tuple[Plan, ...], contents: tuple[tuple[str | None, ...], ...]
) -> tuple[View, bytes, bytes]:
    ran = Ran(world)
    finals = []
    for day, pipeline in enumerate((first, second)):
        for at in range(SOURCES):
            if day == 0 or contents[1][at] != contents[0][at]:
                ran.source(f"s{at}", contents[day][at])
        for job, plan in enumerate(pipeline):
            if day == 0 or plan.anew or job == JOBS - 1:
                ran.job(job, plan)
        finals.append(ran.latest[f"d{JOBS - 1}"])
    return world.view(), finals[0], finals[1]


class Reference:
    """The same answer from two closures in networkx: of each name there is at most one node that one side alone has."""

    def __init__(self, view: View, world: Any, a: bytes, b: bytes) -> None:
        self.nodes = {key: node for key, node in world.changes.nodes.items() if isinstance(node, Run | Version)}
        graph = nx.DiGraph()
        flows = {target: source for kind, source, target in world.changes.edges if kind is EdgeKind.HAS_FLOW}
        for kind, source, target in world.changes.edges:
            if kind in (EdgeKind.READ_BY, EdgeKind.WROTE):
                graph.add_edge(flows.get(source, source), flows.get(target, target))
        self.graph = graph
        self.sides = [{key, *nx.ancestors(graph, key)} for key in (a, b)]
        self.only = [self.sides[0] - self.sides[1], self.sides[1] - self.sides[0]]
        self.pairs = self._align(a, b)
        self.units = [*self.pairs]
        for side in (0, 1):
            matched = {pair[side] for pair in self.pairs}
            for key in self.only[side] - matched:
                self.units.append((key, None) if side == 0 else (None, key))

    def _name(self, key: bytes) -> object:
        node = self.nodes[key]
        return node.job if isinstance(node, Run) else node.name

    def _align(self, a: bytes, b: bytes) -> list[tuple[Any, Any]]:
        pairs: list[tuple[bytes, bytes]] = []
        self._pursue([(a, b)], pairs)
        left = [[key for key in self.only[side] if all(pair[side] != key for pair in pairs)] for side in (0, 1)]
        self._pursue([(x, y) for x in left[0] for y in left[1] if self._name(x) == self._name(y)], pairs)
        return pairs

    def _pursue(self, todo: list[tuple[bytes, bytes]], pairs: list[tuple[bytes, bytes]]) -> None:
        while todo:
            pair = todo.pop()
            if pair in pairs or not (pair[0] in self.only[0] or pair[1] in self.only[1]):
                continue
            pairs.append(pair)
            sources = [self._sources(key, side) for side, key in enumerate(pair)]
            todo += [(sources[0][name], sources[1][name]) for name in sources[0].keys() & sources[1].keys()]

    def _sources(self, key: bytes, side: int) -> dict[object, bytes]:
        return {self._name(source): source for source in self.graph.predecessors(key) if source in self.sides[side]}

    def own(self, unit: tuple[Any, Any]) -> set[tuple[str, str]]:
        """What differs in a unit by itself, as (aspect, name)."""
        a, b = (self.nodes.get(key) for key in unit)
        if a is None or b is None:
            node = a or b
            return {("DATA", node.name)} if isinstance(node, Version) else {("RUN", node.job.name)}  # type: ignore[union-attr]
        sources = [self._sources(key, side) for side, key in enumerate(unit)]
        torn = {str(getattr(name, "name", name)) for name in sources[0].keys() ^ sources[1].keys()}
        if isinstance(a, Run):
            found = {("INPUT", name) for name in torn}
            found |= {("CODE", "commit")} if a.commit != b.commit else set()
            return found | ({("PARAMETER", "depth")} if a.parameters != b.parameters else set())
        found = {("PRODUCER", name) for name in torn}
        same = a.digests and b.digests and a.digests[0].digest == b.digests[0].digest
        return found if same else found | {("DATA", a.name)}

    def _unit_graph(self) -> nx.DiGraph:
        of = [{unit[side]: unit for unit in self.units if unit[side] in self.only[side]} for side in (0, 1)]
        graph = nx.DiGraph()
        graph.add_nodes_from(self.units)
        for unit in self.units:
            for side in (0, 1):
                if unit[side] in self.only[side]:
                    for source in self.graph.predecessors(unit[side]):
                        if source in of[side]:
                            graph.add_edge(of[side][source], unit)
        return graph

    def _is_same(self, unit: tuple[Any, Any]) -> bool:
        return (
            None not in unit
            and isinstance(self.nodes[unit[0]], Version)
            and not {aspect for aspect, _ in self.own(unit)} & {"DATA"}
        )

    def judged(self) -> Iterator[tuple[tuple[Any, Any], set[tuple[str, str]], bool, bool]]:
        """(unit, what differs, whether it is an origin, whether it is absorbed)."""
        graph = self._unit_graph()
        passing = graph.copy()
        passing.remove_edges_from(
            [(unit, after) for unit in self.units if self._is_same(unit) for after in graph[unit]]
        )
        subject = self.units[0] if self.units else (None, None)
        known = {unit for unit in self.units if None not in unit and self._knows(unit)}
        maybe = known | {unit for unit in self.units if None not in unit and self.own(unit)}
        for unit in self.units:
            before = nx.ancestors(passing, unit)
            explained = before & (known if unit in known else maybe)
            absorbed = unit != subject and (self._is_same(subject) or not nx.has_path(passing, unit, subject))
            yield unit, self.own(unit), unit in maybe and not explained, absorbed

    def _knows(self, unit: tuple[Any, Any]) -> bool:
        a, b = (self.nodes[key] for key in unit)
        unknown = isinstance(a, Version) and isinstance(b, Version) and not (a.digests and b.digests)
        return bool(self.own(unit) - ({("DATA", a.name)} if unknown else set()))  # type: ignore[union-attr]


def keys(hunk: Hunk) -> tuple[Any, Any]:
    return hunk.a and hunk.a.key, hunk.b and hunk.b.key  # type: ignore[union-attr]


def listed(view: View, answer: Diff) -> list[Hunk]:
    return list(answer.hunks.page(view, 0, 1000))


@settings(max_examples=60, deadline=None)
@given(first=pipelines(CHANCE), second=pipelines(CHANCE), contents=st.tuples(SOURCE_CONTENTS, SOURCE_CONTENTS))
def test_hunks_origins_and_absorption_are_those_of_the_reference(
    worlds: MakeWorld, first: Any, second: Any, contents: Any
) -> None:
    world = worlds()
    view, a, b = two_days(world, first, second, contents)
    answer = diff(view, of(view, a), of(view, b))
    judged = list(Reference(view, world, a, b).judged())
    expected = {unit: (differs, origin, absorbed) for unit, differs, origin, absorbed in judged if differs}
    found = {
        keys(hunk): ({(d.aspect.value, d.name) for d in hunk.differences}, hunk.origin, hunk.absorbed)
        for hunk in listed(view, answer)
    }
    assert found == expected
    counted = {each.kind.value: each for each in answer.compared}
    versions = [unit for unit, *_ in judged if isinstance(world.changes.nodes[unit[0] or unit[1]], Version)]
    assert counted["VERSION"].alike == sum(unit not in expected for unit in versions)


@settings(max_examples=60, deadline=None)
@given(first=pipelines(CHANCE), second=pipelines(CHANCE), contents=st.tuples(SOURCE_CONTENTS, SOURCE_CONTENTS))
def test_a_diff_the_other_way_round_is_its_mirror_image(
    worlds: MakeWorld, first: Any, second: Any, contents: Any
) -> None:
    view, a, b = two_days(worlds(), first, second, contents)
    forth, back = diff(view, of(view, a), of(view, b)), diff(view, of(view, b), of(view, a))
    flipped = {"ADDED": "REMOVED", "REMOVED": "ADDED", "CHANGED": "CHANGED"}

    def image(hunk: Hunk, mirrored: bool) -> object:
        rows = [
            (d.aspect.value, flipped[d.change] if mirrored else d.change.value, d.name, d.content, d.derived)
            + ((str(d.b), str(d.a)) if mirrored else (str(d.a), str(d.b)))
            for d in hunk.differences
        ]
        sides = keys(hunk)[::-1] if mirrored else keys(hunk)
        return sides, sorted(map(str, rows)), hunk.distance, hunk.at, hunk.origin, hunk.sure, hunk.absorbed

    assert [image(hunk, False) for hunk in listed(view, forth)] == [image(hunk, True) for hunk in listed(view, back)]
    assert [keys(hunk) for hunk in forth.origins.page(view, 0, 99)] == [
        keys(hunk)[::-1] for hunk in back.origins.page(view, 0, 99)
    ]
    assert forth.assess(view).score == back.assess(view).score


@settings(max_examples=60, deadline=None)
@given(first=pipelines(CHANCE), second=pipelines(CHANCE), contents=st.tuples(SOURCE_CONTENTS, SOURCE_CONTENTS))
def test_nothing_differs_from_itself_and_what_is_shared_is_never_listed_alone(
    worlds: MakeWorld, first: Any, second: Any, contents: Any
) -> None:
    world = worlds()
    view, a, b = two_days(world, first, second, contents)
    assert diff(view, of(view, b), of(view, b)).hunks.total == 0
    reference = Reference(view, world, a, b)
    for hunk in listed(view, diff(view, of(view, a), of(view, b))):
        one, other = keys(hunk)
        assert one in reference.only[0] or other in reference.only[1]
        assert one in (reference.sides[0] | {None})
        assert other in (reference.sides[1] | {None})


CHANGES = {"commit": Aspect.CODE, "depth": Aspect.PARAMETER, "seed": Aspect.ENVIRONMENT, "source": Aspect.DATA}


@settings(max_examples=60, deadline=None)
@given(pipeline=pipelines(st.none()), job=st.integers(0, JOBS - 1), change=st.sampled_from([*CHANGES, "input"]))
def test_one_change_anywhere_upstream_is_the_only_origin(
    worlds: MakeWorld, pipeline: Any, job: int, change: str
) -> None:
    world = worlds()
    ran = Ran(world)
    finals = []
    for day in (0, 1):
        for at in range(SOURCES):
            ran.source(f"s{at}", f"s{at}" + ("!" if day and change == "source" and at == job % SOURCES else ""))
        ran.source("extra", "extra")
        for at, plan in enumerate(pipeline):
            touched = day == 1 and at == job
            seed = int(touched and change == "seed")
            commit = "changed" if touched and change == "commit" else plan.commit
            depth = 9 if touched and change == "depth" else plan.depth
            reads = (*plan.reads, "extra") if touched and change == "input" else plan.reads
            chained(ran, at, plan._replace(commit=commit, depth=depth, reads=reads), seed)
        finals.append(ran.latest[f"d{JOBS - 1}"])
    view = world.view()
    answer = diff(view, of(view, finals[0]), of(view, finals[1]))
    upstream = nx.ancestors(Reference(view, world, *finals).graph, finals[1]) | {finals[1]}
    where = f"s{job % SOURCES}" if change == "source" else f"j{job}"
    is_upstream = any(name(node).partition(" @")[0] == where for node in view.graph.fetch(sorted(upstream)) if node)
    assert origins(view, answer) == ([where] if is_upstream else [])
    if is_upstream:
        (origin,) = answer.origins.page(view, 0, 9)
        assert [entry[0] for entry in told(origin)] == [CHANGES.get(change, Aspect.INPUT).value]
    apart = [d for hunk in listed(view, answer) for d in hunk.differences if not d.derived]
    assert len(apart) == is_upstream


def chained(ran: Ran, at: int, plan: Plan, seed: int) -> None:
    """A run whose output's content follows from all that goes in."""
    told = {"commit": plan.commit, "parameters": {"depth": plan.depth}, "environment": {"seed": seed}}
    reads = [ran.latest[read] for read in plan.reads]
    ran.latest[f"d{at}"] = ran.days.run(f"j{at}", ran.tick(), reads, f"d{at}", **told)
