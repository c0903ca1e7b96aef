"""What is whose counterpart in two histories: inputs that came, jobs that were replaced, tables that grow."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.answer.difference import Aspect, Change
from lineage.questions.diff import diff
from lineage.questions.subjects import DatasetRef, RunRef
from lineage.store import Limits
from tests.unit.questions.days import Days, hunks, name, of, origins, told

CHURN = DatasetRef("db", "churn")


@pytest.fixture
def days(world: Any) -> Days:
    return Days(world)


@pytest.fixture
def sources(days: Days) -> dict[str, bytes]:
    return {"raw": days.source("raw", 1, "r"), "labels": days.source("labels", 2, "l")}


def test_an_input_read_now_and_not_before_is_told_of_its_reader(days: Days, sources: dict[str, bytes]) -> None:
    days.day(100, sources)
    weather = days.run("fetch", 110, [days.source("web", 3, "w")], "weather")
    days.day(200, sources | {"weather": weather})
    view = days.world.view()
    answer = diff(view, CHURN)
    assert origins(view, answer) == ["train"]
    found = hunks(view, answer)
    assert [entry[:3] for entry in told(found["train"])] == [("INPUT", "ADDED", "weather")]
    for each in ("weather", "fetch", "web"):
        (difference,) = found[each].differences
        assert (difference.change, difference.derived, found[each].a) == (Change.ADDED, True, None)


def test_an_input_that_is_elsewhere_in_both_histories_is_told_all_the_same(
    days: Days, sources: dict[str, bytes]
) -> None:
    days.day(100, sources)
    days.day(200, sources | {"raw again": sources["raw"]})
    view = days.world.view()
    answer = diff(view, CHURN)
    assert [entry[:3] for entry in told(hunks(view, answer)["train"])] == [("INPUT", "ADDED", "raw")]
    assert origins(view, answer) == ["train"]


def test_another_job_that_writes_is_told_of_what_it_wrote(days: Days, sources: dict[str, bytes]) -> None:
    days.run("wash", 100, [sources["raw"]], "clean")
    days.run("scrub", 200, [days.source("raw", 150, "R")], "clean")
    view = days.world.view()
    answer = diff(view, DatasetRef("db", "clean"))
    found = hunks(view, answer)
    assert [entry[:3] for entry in told(found["clean"]) if entry[0] == "PRODUCER"] == [
        ("PRODUCER", "ADDED", "scrub"),
        ("PRODUCER", "REMOVED", "wash"),
    ]
    assert [(found[job].differences[0].aspect, found[job].differences[0].derived) for job in ("scrub", "wash")] == [
        (Aspect.RUN, True),
        (Aspect.RUN, True),
    ]
    assert origins(view, answer) == ["raw"]  # matched by its dataset, though no pair of runs leads there


def test_a_table_that_grows_is_compared_step_by_step_as_far_as_it_is_new(days: Days) -> None:
    table: list[bytes] = []
    for at in (100, 200, 300, 400, 500):
        new = days.source("new", at, f"rows of {at}")
        limit = {"limit": 9 if at == 400 else 3}
        table.append(days.run("append", at + 10, [new, *table[-1:]], "table", parameters=limit))
    view = days.world.view()
    answer = diff(view, of(view, table[2]), of(view, table[4]))
    found = answer.hunks.page(view, 0, 99)
    assert sorted((hunk.distance, name(hunk.b)) for hunk in found) == [
        (0, "table"),
        (1, "new"),
        (1, "table"),
        (2, "append"),
        (2, "new"),
    ]
    (append,) = [hunk for hunk in found if name(hunk.b) == "append"]
    assert told(append) == [("PARAMETER", "CHANGED", "limit", 3, 9)]
    assert [(each.same, each.added, each.removed) for each in answer.compared] == [(6, 0, 0), (3, 0, 0)]


def test_a_window_that_slides_takes_one_version_out_and_one_in(days: Days) -> None:
    each = [days.source("daily", at, f"d{at}") for at in range(10)]
    old, new = days.run("sum", 100, each[:8], "report"), days.run("sum", 200, each[2:], "report")
    view = days.world.view()
    answer = diff(view, of(view, old), of(view, new))
    assert answer.compared[0].same == 6
    assert {told(hunk)[0][3:] for hunk in answer.hunks.page(view, 0, 9)[1:]} == {
        ("sha256:d1", "sha256:d9"),
        ("sha256:d0", "sha256:d8"),
    }


def test_a_cut_answer_says_so_and_claims_of_no_side_that_it_lacks_something(
    days: Days, sources: dict[str, bytes]
) -> None:
    days.day(100, sources)
    days.day(200, sources | {"weather": days.run("fetch", 110, [days.source("web", 3, "w")], "weather")})
    view = days.world.view()
    whole = diff(view, CHURN)
    answer = diff(view, CHURN, limits=Limits(nodes=3))
    assert answer.cut is not None
    assert (answer.complete, answer.cut.reason, answer.cut.limit) == (False, "NODES", 3)
    known = [(hunk.a, hunk.b) for hunk in whole.hunks.page(view, 0, 99)]
    assert all((hunk.a, hunk.b) in known for hunk in answer.hunks.page(view, 0, 99))
    assert all(hunk.a and hunk.b for hunk in answer.hunks.page(view, 0, 99))


def test_what_was_told_without_a_run_is_told_of_the_version_it_made(days: Days, sources: dict[str, bytes]) -> None:
    old, new = (days.source("view", at, "v") for at in (10, 20))
    for version, reads in ((old, [sources["raw"]]), (new, list(sources.values()))):
        flow = days.world.flow(None, "view", tag=version.hex())
        for read in reads:
            days.world.read(read, flow)
        days.world.write(flow, version)
    view = days.world.view()
    answer = diff(view, of(view, old), of(view, new))
    assert [entry[:3] for entry in told(hunks(view, answer)["view"])] == [("INPUT", "ADDED", "labels")]
    assert origins(view, answer) == ["view"]


def test_a_run_whose_outputs_owe_to_each_other_is_one_origin(days: Days, sources: dict[str, bytes]) -> None:
    finals = []
    for at, commit in ((100, "a"), (200, "b")):
        first = days.run("both", at, [sources["raw"]], "first", commit=commit)
        between = days.run("between", at + 10, [first], "between", commit="same")
        run = days.world.changes.nodes[first].run
        flow = days.world.flow(run, "second")
        days.world.read(between, flow)
        finals.append(days.source("second", at + 20, f"of {commit}"))
        days.world.write(flow, finals[-1])
    view = days.world.view()
    answer = diff(view, *(of(view, final) for final in finals))
    assert origins(view, answer) == ["both"]
    assert all(each.derived for hunk in hunks(view, answer).values() for each in hunk.differences if not hunk.origin)


def test_what_a_run_read_for_an_output_that_the_other_lacks_is_an_input(days: Days, sources: dict[str, bytes]) -> None:
    for at in (100, 200):
        version = days.run("split", at, [sources["raw"]], "kept")
        if at == 200:
            run = days.world.changes.nodes[version].run
            days.world.read(sources["labels"], days.world.flow(run, "new"))
    view = days.world.view()
    answer = diff(view, RunRef("split-100"), RunRef("split-200"))
    assert [entry[:3] for entry in told(hunks(view, answer)["split"])] == [("INPUT", "ADDED", "labels")]
    assert origins(view, answer) == ["split"]
