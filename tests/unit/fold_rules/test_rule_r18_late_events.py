"""R18: late events of any kind give what the whole set gives, and touch exactly what differs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.model import EdgeKind
from tests.unit.fold_rules.story import Run, Told, copied, dataset_event, encoded, made, run, seen
from tests.unit.fold_rules.world import World, world_of

Parts = Sequence[Run | Told]

#: Two chains that have nothing in common, and a reader of each before and after what comes late.
EARLY: Parts = (
    made("r1", "a", 0, 5, version="v1"),
    seen("r2", "a", 10),
    made("r3", "a", 20, 25),
    seen("r4", "a", 40),
    made("r5", "a", 60, 65),
    seen("r6", "a", 80),
    made("q1", "other", 0, 5),
    seen("q2", "other", 40),
    run("q3").reads("x", "y").writes("z", "w").start(40).complete(45),
)


def both(late: Run | Told) -> tuple[World, World, set[str]]:
    """The graph when one more comes late, the graph of all at once, and the versions whose reads that changed."""
    early = encoded(EARLY)
    grown = world_of([early, encoded([late])])
    whole = world_of([sorted([*early, *encoded([late])], reverse=True)])
    return grown, whole, changed_runs(early, encoded([late]))


def changed_runs(early: Sequence[bytes], late: Sequence[bytes]) -> set[str]:
    """The runs of which a read is given or taken back by ``late``."""
    fold = Fold(MemoryFacts())
    fold.take([(index, 0, parse_event(event)) for index, event in enumerate(early)])
    fold.commit(len(early))
    changes = fold.take([(len(early) + index, 0, parse_event(event)) for index, event in enumerate(late)])
    flows = {target for kind, _, target in changes.edges if kind is EdgeKind.READ_BY}
    world = world_of([early, late])
    return {short for short in ("r2", "r4", "r6", "q2", "q3") if flows & world.flow_keys(short)}


def test_a_late_write_re_points_the_reads_up_to_the_next_one() -> None:
    """R18: write."""
    grown, whole, changed = both(made("r9", "a", 30, 35))
    assert grown.lines == whole.lines
    assert (grown.met("r2", "a"), grown.met("r4", "a"), grown.met("r6", "a")) == ({"a@r1"}, {"a@r9"}, {"a@r5"})
    assert changed == {"r4"}


def test_a_late_fail_re_points_the_reads_of_what_it_named() -> None:
    """R18: FAIL."""
    grown, whole, changed = both(run("r3", job="job-r3").fail(25))
    assert grown.lines == whole.lines
    assert grown.met("r4", "a") == {"a@r1"}
    assert changed == {"r4"}


def test_a_late_drop_withdraws_the_reads_until_the_next_write() -> None:
    """R18: DROP."""
    grown, whole, changed = both(run("r9").writes("a", lifecycle="DROP").start(30).complete(35))
    assert grown.lines == whole.lines
    assert (grown.met("r2", "a"), grown.met("r4", "a"), grown.met("r6", "a")) == ({"a@r1"}, set(), {"a@r5"})
    assert changed == {"r4"}


def test_a_late_version_re_points_the_read_that_tells_it() -> None:
    """R18: version: r4 read v1 after all."""
    grown, whole, changed = both(run("r4").running(42).reads("a", version="v1"))
    assert grown.lines == whole.lines
    assert grown.met("r4", "a") == {"a@r1"}
    assert changed == {"r4"}


def test_a_late_stamp_re_points_the_reads_that_declare_it() -> None:
    """R18: version, told by the writer."""
    early = [made("r1", "a", 0, 5), seen("r2", "a", 10, version="v1"), made("r3", "a", 20, 25)]
    late = run("r1").running(3).writes("a", version="v0")
    grown, whole = world_of([encoded(early), encoded([late])]), world_of([encoded([*early, late])])
    assert grown.lines == whole.lines
    assert grown.met("r2", "a") == {"a=v1"}


def test_a_late_symlink_re_points_the_reads_of_both_names() -> None:
    """R18: symlink."""
    grown, whole, changed = both(dataset_event("a", 99, symlinks=["other"]))
    assert grown.lines == whole.lines
    assert grown.met("q2", "a") == {"a@r3"}
    assert "q2" in changed
    assert "q3" not in changed


def test_late_column_lineage_withdraws_exactly_the_edges_that_it_denies() -> None:
    """R18: columnLineage."""
    late = run("q3").running(42).writes("z", claims={"c": ["x:c"]}).writes("w", claims={"c": ["y:c"]})
    grown, whole, changed = both(late)
    assert grown.lines == whole.lines
    assert grown.fed("q3") == {"z": {"x"}, "w": {"y"}}
    assert changed == {"q3"}


def test_a_late_job_type_makes_a_stream_of_a_run() -> None:
    """R18 and R1: of any kind."""
    grown, whole, _ = both(run("q3").running(43).kind("STREAMING"))
    assert grown.lines == whole.lines
    assert grown.run("q3").type.value == "STREAMING"


def test_a_late_model_type_changes_what_a_rollout_meets() -> None:
    """R18 and R13: of any kind."""
    parts = [made("r1", "m", 0, 5), run("s1", kind="SERVICE").reads("m").start(10), made("r2", "m", 20, 25)]
    late = dataset_event("m", 90, model=True)
    grown = world_of([encoded(parts), encoded([late])])
    assert grown.lines == world_of([encoded([late, *parts])]).lines
    assert grown.met("s1", "m") == {"m@r1"}


@pytest.mark.parametrize("place", range(4))
def test_whichever_event_of_a_chain_comes_last_the_chain_is_whole(place: int) -> None:
    """R18: of any kind."""
    chain = [copied(f"r{n}", f"d{n}", f"d{n + 1}", n * 10, n * 10 + 5) for n in range(4)]
    rest = [part for n, part in enumerate(chain) if n != place]
    world = world_of([encoded(rest), encoded([chain[place]])])
    assert world.lines == world_of([encoded(chain)]).lines
    assert world.versions_downstream("d0?r0") == {"d1@r0", "d2@r1", "d3@r2", "d4@r3"}


def test_an_event_that_comes_again_changes_nothing() -> None:
    """R18 and invariant 2: the change list of a repeated event is empty."""
    events = encoded(EARLY)
    fold = Fold(MemoryFacts())
    fold.take([(index, 0, parse_event(event)) for index, event in enumerate(events)])
    fold.commit(len(events))
    again = fold.take([(len(events) + index, 0, parse_event(event)) for index, event in enumerate(events)])
    assert (again.nodes, again.edges, again.names) == ({}, {}, {})
