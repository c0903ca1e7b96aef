"""Distances, via, evidence and certainty of both radii, held against an enumeration of every path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.model import Evidence
from lineage.questions.impact import impact
from lineage.questions.path import path
from lineage.questions.provenance import provenance
from lineage.questions.subjects import DatasetRef, VersionRef

LAYERS = 4
WIDTH = 2
STRENGTH = list(Evidence)


class Tie(NamedTuple):
    source: bytes
    target: bytes
    evidence: Evidence
    certain: bool


class Drawn(NamedTuple):
    """A layered graph: its ties, and for each flow its run or job (None: nobody's)."""

    world: Any
    ties: list[Tie]
    owners: dict[bytes, bytes | None]


def is_logical(level: str) -> bool:
    return level == "potential"


@st.composite
def flows(draw: st.DrawFn) -> list[tuple[int, int, int | None, list[tuple[int, int, Evidence, bool]]]]:
    """(layer, place, owner or nobody, [(layer, place, evidence, certain) of what is read])."""
    drawn = []
    for layer in range(1, LAYERS):
        for place in range(WIDTH):
            owners = draw(st.lists(st.sampled_from([0, 1, 2, None]), max_size=2, unique=True))
            for owner in owners:
                reads = draw(
                    st.lists(
                        st.tuples(
                            st.integers(0, layer - 1),
                            st.integers(0, WIDTH - 1),
                            st.sampled_from(STRENGTH),
                            st.booleans(),
                        ),
                        max_size=3,
                        unique_by=lambda read: read[:2],
                    )
                )
                drawn.append((layer, place, owner, reads))
    return drawn


def build(world: Any, drawn: Any, level: str) -> Drawn:
    datasets = [[world.dataset(f"d{layer}{place}") for place in range(WIDTH)] for layer in range(LAYERS)]
    versions = [[world.version(key, 10 * layer + 1) for key in row] for layer, row in enumerate(datasets)]
    nodes = datasets if is_logical(level) else versions
    ties: list[Tie] = []
    owners: dict[bytes, bytes | None] = {}
    for layer, place, owner, reads in drawn:
        job = None if owner is None else world.job(f"j{owner}")
        who = job if job is None or is_logical(level) else world.run(f"j{owner}", f"r{owner}", started_at=1)
        flow = world.flow(who, f"d{layer}{place}")
        owners[flow] = who
        ties += [Tie(nodes[at][column], flow, evidence, certain) for at, column, evidence, certain in reads]
        ties.append(Tie(flow, nodes[layer][place], Evidence.DECLARED, True))
    for tie in ties:
        told = {"evidence": tie.evidence, "certain": tie.certain}
        if is_logical(level):
            world.feed(tie.source, tie.target, **told)
        elif tie.source in owners:
            world.write(tie.source, tie.target, **told)
        else:
            world.read(tie.source, tie.target, **told)
    return Drawn(world, ties, owners)


def paths(drawn: Drawn, seed: bytes) -> Iterator[list[Tie]]:
    """Every path from ``seed``."""
    for tie in drawn.ties:
        if tie.source == seed:
            yield [tie]
            for rest in paths(drawn, tie.target):
                yield [tie, *rest]


def expected(drawn: Drawn, seed: bytes) -> dict[bytes, tuple[int, Evidence, bool, bytes]]:
    """Of each thing: distance, best weakest evidence, whether some path is certain, and via."""
    by_thing: dict[bytes, list[tuple[int, list[Tie], bytes]]] = {}
    for ties in paths(drawn, seed):
        end = ties[-1].target
        thing = drawn.owners.get(end, end)
        if thing is not None:
            distance = sum(tie.target in drawn.owners for tie in ties)
            shown = [seed, *(key for tie in ties[:-1] if (key := drawn.owners.get(tie.target, tie.target)) is not None)]
            by_thing.setdefault(thing, []).append((distance, ties, shown[-1]))
    distances = {seed: 0} | {thing: min(distance for distance, _, _ in found) for thing, found in by_thing.items()}
    return {
        thing: (
            distances[thing],
            min((max((tie.evidence for tie in ties), key=STRENGTH.index) for _, ties, _ in found), key=STRENGTH.index),
            any(all(tie.certain for tie in ties) for _, ties, _ in found),
            min((distances[via], via) for distance, _, via in found if distance == distances[thing])[1],
        )
        for thing, found in by_thing.items()
    }


@settings(max_examples=80, deadline=None)
@given(drawn=flows(), level=st.sampled_from(["potential", "actual"]))
def test_both_radii_agree_with_every_path(worlds: Callable[[], Any], drawn: Any, level: str) -> None:
    graph = build(worlds(), drawn, level)
    view = graph.world.view()
    answer = impact(view, DatasetRef("db", "d00"))
    seed = next(thing for thing in _subjects(view, level))
    hits = getattr(answer, level).page(view, 0, 1_000)
    told = {hit.node.key: (hit.distance, hit.evidence, hit.certain, hit.via.key) for hit in hits}
    assert told == expected(graph, seed)
    assert sum(row.potential + row.actual for row in answer.summary(view)) == len(told)


@settings(max_examples=30, deadline=None)
@given(drawn=flows())
def test_provenance_is_impact_seen_from_the_other_end(worlds: Callable[[], Any], drawn: Any) -> None:
    graph = build(worlds(), drawn, "actual")
    view = graph.world.view()
    for layer in range(1, LAYERS):
        subject = VersionRef("db", f"d{layer}0")
        (target,) = provenance(view, subject).subjects.page(view, 0, 9)
        nodes = {hit.node.key: hit for hit in provenance(view, subject).nodes.page(view, 0, 1_000)}
        for at in range(layer):
            source = VersionRef("db", f"d{at}1")
            (start,) = provenance(view, source).subjects.page(view, 0, 9)
            hits = {hit.node.key: hit for hit in impact(view, source).actual.page(view, 0, 1_000)}
            assert (start.key in nodes) is (target.key in hits)
            if start.key in nodes:
                found, back = nodes[start.key], hits[target.key]
                assert (found.distance, found.evidence, found.certain) == (back.distance, back.evidence, back.certain)


@settings(max_examples=30, deadline=None)
@given(drawn=flows(), level=st.sampled_from(["potential", "actual"]))
def test_path_is_a_shortest_one_of_links_that_join(worlds: Callable[[], Any], drawn: Any, level: str) -> None:
    graph = build(worlds(), drawn, level)
    view = graph.world.view()
    (seed,) = _subjects(view, level)
    answer = expected(graph, seed)
    for layer in range(1, LAYERS):
        (target,) = _subjects(view, level, f"d{layer}0")
        route = getattr(path(view, DatasetRef("db", "d00"), DatasetRef("db", f"d{layer}0")), level)
        assert (route is not None) is (target in answer)
        if route is not None:
            keys = [node.key for node in route.nodes]
            assert (keys[0], keys[-1]) == (seed, target)
            assert [(link.source.key, link.target.key) for link in route.links] == list(pairwise(keys))
            crossed = sum(key in graph.owners.values() for key in keys)
            unowned = sum(link.kind.value == "FEEDS" for link in route.links) if level == "actual" else 0
            assert level == "potential" or crossed + unowned == answer[target][0]


def _subjects(view: Any, level: str, name: str = "d00") -> list[bytes]:
    if level == "potential":
        return [thing.key for thing in impact(view, DatasetRef("db", name)).subjects.page(view, 0, 9)]
    return [thing.key for thing in provenance(view, VersionRef("db", name)).subjects.page(view, 0, 9)]
