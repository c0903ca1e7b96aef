"""R3 and R9: when a tie of the logical level was told first, and when what told it was replaced; asOf sees the old."""

from __future__ import annotations

from collections.abc import Callable

from lineage.keys import column_key
from lineage.model import Edge, EdgeKind, Transformation
from tests.unit.fold_rules.story import (
    columns,
    copied,
    dataset,
    dataset_event,
    job_event,
    moment,
    name_of,
    run,
)
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def between(world: World, source: str, target: str) -> Edge:
    """The edge between two columns."""
    ends = [column_key(*name_of(text.rpartition(":")[0]), text.rpartition(":")[2]) for text in (source, target)]
    (edge,) = [edge for edge in world.edges() if edge.key == (EdgeKind.FEEDS, *ends)]
    return edge


# -- runs


def test_a_wire_is_there_since_the_first_start_of_a_run_that_tells_it(fold: Fold) -> None:
    """R1: a run's start is its START, whichever event tells the wire."""
    late = run("r1", job="j").start(0).running(4).reads("a").writes("b").complete(8)
    world = fold(late, copied("r2", "a", "b", 20, 25, job="j"))
    wire = world.wire("j", "a", "b")
    assert (wire.at, wire.until) == (moment(0), None)
    assert world.wires("j", at=-1) == {}
    assert world.wires("j", at=0) == {"b": {"a"}}


def test_a_wire_that_its_first_teller_no_longer_tells_is_there_since_the_next(fold: Fold) -> None:
    """R18 and R6: columnLineage that comes with COMPLETE takes a wire away."""
    first = run("r1", job="j").reads("a", "c").writes("b", "d").start(0).complete(30)
    first.writes("b", claims={"y": ["a:x"]}).writes("d", claims={"y": ["c:x"]})
    second = run("r2", job="j").reads("a").writes("d").start(10).complete(12).writes("d", claims={"y": ["a:x"]})
    world = fold(first, second)
    assert world.wire("j", "a", "d").at == moment(10)
    assert world.wire("j", "a", "b").at == moment(0)


def test_a_flow_feeds_its_output_since_anything_did(fold: Fold) -> None:
    """R4: a flow stands for the part of a job that feeds one output."""
    world = fold(copied("r1", "c", "b", 5, 8, job="j"), copied("r2", "a", "b", 20, 25, job="j"))
    assert {edge.at for edge in world.edges() if edge.kind is EdgeKind.FEEDS} == {moment(5), moment(20)}
    assert world.wires("j", at=10) == {"b": {"c"}}
    assert world.wires("j", at=20) == {"b": {"a", "c"}}


def test_what_a_run_told_is_never_replaced(fold: Fold) -> None:
    """R4: a job's flows are the union over its runs, whatever a JobEvent says later."""
    ran = copied("r1", "a", "b", 0, 5, job="j")
    declared = job_event("j", 10, inputs=[dataset("c")], outputs=[dataset("b")]), job_event("j", 20)
    world = fold(ran, *declared)
    assert world.wires("j", at=15) == {"b": {"a", "c"}}
    assert world.wires("j") == world.wires("j", at=30) == {"b": {"a"}}


# -- JobEvents


def test_as_of_sees_what_an_earlier_job_event_declared(fold: Fold) -> None:
    """R3: it is replaced when the next one is told, and not before."""
    world = fold(
        job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]),
        job_event("j", 9, inputs=[dataset("c")], outputs=[dataset("d")]),
    )
    assert world.wires("j", at=-1) == {}
    assert world.wires("j", at=0) == world.wires("j", at=8.9) == {"b": {"a"}}
    assert world.wires("j", at=9) == world.wires("j") == {"d": {"c"}}


def test_what_a_job_event_declares_again_stood_without_a_break(fold: Fold) -> None:
    """R3: replaced by the same, it is not replaced."""
    told = {"inputs": [dataset("a")], "outputs": [dataset("b")]}
    other = {"inputs": [dataset("a"), dataset("c")], "outputs": [dataset("b")]}
    world = fold(job_event("j", 0, **told), job_event("j", 5, **other), job_event("j", 9, **told))
    wire = world.wire("j", "a", "b")
    assert (wire.at, wire.until) == (moment(0), None)
    assert world.wires("j", at=7) == {"b": {"a", "c"}}
    assert world.wires("j", at=9) == {"b": {"a"}}


def test_what_was_withdrawn_and_declared_again_was_not_there_in_between(fold: Fold) -> None:
    """R3: each time stands for itself."""
    told = {"inputs": [dataset("a")], "outputs": [dataset("b")]}
    world = fold(job_event("j", 0, **told), job_event("j", 5), job_event("j", 9, **told), job_event("j", 12))
    assert [world.wires("j", at=at) for at in (0, 5, 9, 12)] == [{"b": {"a"}}, {}, {"b": {"a"}}, {}]


def test_a_run_closes_the_break_from_its_start_on(fold: Fold) -> None:
    """R4: what a run tells stands."""
    told = {"inputs": [dataset("a")], "outputs": [dataset("b")]}
    events = job_event("j", 0, **told), job_event("j", 5), job_event("j", 9, **told), job_event("j", 12)
    world = fold(*events, copied("r1", "a", "b", 10, 11, job="j"))
    assert [world.wires("j", at=at) for at in (0, 5, 9, 12, 99)] == [{"b": {"a"}}, {}, *[{"b": {"a"}}] * 3]


def test_a_job_event_replaced_at_its_own_time_never_stood(fold: Fold) -> None:
    """R0: between events by (eventTime, hash of the event)."""
    events = [job_event("j", 0, inputs=[dataset(name)], outputs=[dataset("b")]) for name in "ac"]
    world = fold(*events)
    ((_, sources),) = world.wires("j").items()
    assert len(sources) == 1
    assert world.wires("j", at=0) == world.wires("j", at=99) == {"b": sources}


def test_a_replaced_tie_leads_nowhere_now(fold: Fold) -> None:
    """R3: what is downstream is what stands."""
    world = fold(
        job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]),
        job_event("j", 9, inputs=[dataset("c")], outputs=[dataset("b")]),
    )
    assert world.downstream("a") == set()
    assert world.downstream("c") == {"b"}


# -- DatasetEvents


def test_as_of_sees_what_a_dataset_said_before_that_it_is_made_of(fold: Fold) -> None:
    """R3: facets of datasets replace by name."""
    named = dataset_event("a", 0), dataset_event("c", 0)
    world = fold(*named, dataset_event("b", 2, sources=["a"]), dataset_event("b", 9, sources=["c"]))
    assert world.declared_wires("b", at=1) == []
    assert world.declared_wires("b", at=2) == [{"a"}]
    assert world.declared_wires("b", at=9) == world.declared_wires("b") == [{"c"}]


def test_a_lineage_facet_that_is_withdrawn_lets_column_lineage_speak_again(fold: Fold) -> None:
    """R3 and R5: lineage goes before columnLineage while it stands; each facet is replaced for itself."""
    world = fold(
        dataset_event("c", 0),
        dataset_event("b", 1, claims={"y": ["c:x"]}),
        dataset_event("b", 5, sources=["a"]),
        dataset_event("b", 9, facets={"lineage": {"_deleted": True}}),
    )
    assert [world.declared_wires("b", at=at) for at in (1, 5, 9)] == [[{"c"}], [{"a"}], [{"c"}]]
    assert world.columns(at=9) == world.columns() == {("c:x", "b:y")}


def test_facets_that_say_nothing_of_sources_replace_none(fold: Fold) -> None:
    """R3: by name."""
    world = fold(dataset_event("b", 2, sources=["a"]), dataset_event("b", 9, facets={"schema": {"fields": []}}))
    assert world.declared_wires("b") == [{"a"}]


# -- columns


def test_a_column_feeds_another_since_the_first_start_that_tells_it(fold: Fold) -> None:
    """R6: columns are the union over runs."""
    told = {"y": ["a:x"]}
    first = run("r1", job="j").reads("a").start(5).complete(9).writes("b", claims=told)
    second = run("r2", job="k").reads("a").start(0).complete(30).writes("b", claims=told)
    edge = between(fold(first, second), "a:x", "b:y")
    assert (edge.at, edge.until) == (moment(0), None)


def test_a_column_is_fed_since_the_next_teller_where_the_first_told_otherwise_later(fold: Fold) -> None:
    """R6 and R18: a run's columnLineage is the one told last."""
    early = run("r1", job="j").reads("a").start(0).writes("b", claims={"y": ["a:x"]}).complete(30)
    early.writes("b", claims={"y": ["a:z"]})
    later = run("r2", job="j").reads("a").start(10).complete(15).writes("b", claims={"y": ["a:x"]})
    world = fold(early, later)
    assert between(world, "a:x", "b:y").at == moment(10)
    assert between(world, "a:z", "b:y").at == moment(0)


def test_a_start_that_is_told_later_than_another_event_moves_what_the_run_told_of_columns(fold: Fold) -> None:
    """R1: start is the earliest START, whatever was told before it."""
    told = {"y": ["a:x"]}
    ran = run("r1", job="j").reads("a").writes("b", claims=told).running(2).start(8).complete(9)
    other = run("r2", job="j").reads("a").writes("b", claims=told).start(6).complete(30)
    assert between(fold(ran, other), "a:x", "b:y").at == moment(6)


def test_columns_that_only_a_replaced_declaration_fed_were_fed_until_then(fold: Fold) -> None:
    """R3."""
    world = fold(
        job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b", claims={"y": ["a:x"]})]),
        job_event("j", 9, inputs=[dataset("a")], outputs=[dataset("b", claims={"y": ["a:z"]})]),
    )
    assert world.columns(at=8) == {("a:x", "b:y")}
    assert world.columns() == world.columns(at=9) == {("a:z", "b:y")}


def test_columns_are_fed_in_the_way_of_those_that_still_tell_it(fold: Fold) -> None:
    """R3: a transformation is replaced with the declaration that told it."""
    claims = columns({"y": ["a:x"]})
    hashed = columns({"y": ["a:x"]})
    hashed["fields"]["y"]["inputFields"][0]["transformations"] = [{"type": "DIRECT", "subtype": "HASH"}]
    world = fold(
        dataset_event("a", 0),
        dataset_event("b", 0, facets={"columnLineage": hashed}),
        dataset_event("b", 9, facets={"columnLineage": claims}),
    )
    edge = between(world, "a:x", "b:y")
    assert (edge.at, edge.until, edge.transformations) == (moment(0), None, ())
    before = fold(dataset_event("a", 0), dataset_event("b", 0, facets={"columnLineage": hashed}))
    assert between(before, "a:x", "b:y").transformations == (Transformation("DIRECT", "HASH"),)
