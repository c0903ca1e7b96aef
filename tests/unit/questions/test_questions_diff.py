"""What changed between two histories: a small pipeline that runs again, and one thing is another."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from lineage.answer.difference import Aspect, Content
from lineage.model import Binding, Digest, Role, Schema
from lineage.questions.diff import diff
from lineage.questions.subjects import DatasetRef
from tests.unit.questions.days import Days, hunks, name, of, origins, told

CHURN = DatasetRef("db", "churn")


@pytest.fixture
def days(world: Any) -> Days:
    return Days(world)


@pytest.fixture
def sources(days: Days) -> dict[str, bytes]:
    return {"raw": days.source("raw", 1, "r"), "labels": days.source("labels", 2, "l")}


def test_nothing_differs_between_a_thing_and_itself(days: Days, sources: dict[str, bytes]) -> None:
    model = days.day(100, sources)
    view = days.world.view()
    answer = diff(view, of(view, model), of(view, model))
    assert (answer.hunks.total, answer.origins.total, answer.summary, answer.complete) == (0, 0, (), True)
    assert [(each.kind.value, each.same) for each in answer.compared] == [("VERSION", 5), ("RUN", 3)]
    assert answer.assess(view).score == 1.0


def test_a_run_again_with_the_same_of_all_differs_in_nothing(days: Days, sources: dict[str, bytes]) -> None:
    days.day(100, sources)
    days.day(200, sources)
    answer = diff(days.world.view(), CHURN)
    assert answer.hunks.total == 0
    assert [(each.same, each.alike) for each in answer.compared] == [(2, 3), (0, 3)]


@pytest.mark.parametrize(
    ("job", "old", "new", "expected"),
    [
        ("wash", {"commit": "c1"}, {"commit": "c2"}, ("CODE", "CHANGED", "commit", "c1", "c2")),
        ("build", {"parameters": {"depth": 3}}, {"parameters": {}}, ("PARAMETER", "REMOVED", "depth", 3, None)),
        (
            "train",
            {"parameters": {"net": {"width": 1}}},
            {"parameters": {"net": {"width": 2}}},
            ("PARAMETER", "CHANGED", "net.width", 1, 2),
        ),
        (
            "build",
            {"environment": {"packages": {"numpy": "1"}}},
            {"environment": {"packages": {"numpy": "2"}}},
            ("ENVIRONMENT", "CHANGED", "packages.numpy", "1", "2"),
        ),
    ],
)
def test_what_changed_in_a_run_is_the_only_origin_and_what_follows_is_derived(
    days: Days, sources: dict[str, bytes], job: str, old: Any, new: Any, expected: tuple[object, ...]
) -> None:
    days.day(100, sources, **{job: old})
    days.day(200, sources, **{job: new})
    view = days.world.view()
    answer = diff(view, CHURN)
    assert origins(view, answer) == [job]
    (origin,) = answer.origins.page(view, 0, 9)
    assert told(origin) == [expected]
    assert (origin.sure, origin.absorbed) == (True, False)
    others = [hunk for hunk in answer.hunks.page(view, 0, 99) if not hunk.origin]
    assert others
    assert all(each.derived and each.aspect is Aspect.DATA for hunk in others for each in hunk.differences)


def test_a_hunk_tells_its_distance_and_the_way_from_the_subject(days: Days, sources: dict[str, bytes]) -> None:
    days.day(100, sources, wash={"commit": "c1"})
    days.day(200, sources, wash={"commit": "c2"})
    view = days.world.view()
    answer = diff(view, CHURN)
    found = hunks(view, answer)
    assert {key: hunk.distance for key, hunk in found.items()} == {"churn": 0, "features": 1, "clean": 2, "wash": 3}
    assert [name(thing) for thing in found["wash"].path] == ["churn", "train", "features", "build", "clean"]
    assert found["churn"].path == ()
    assert found["wash"].at == 200


def test_what_two_sides_differ_in_is_counted_by_aspect(days: Days, sources: dict[str, bytes]) -> None:
    days.day(100, sources, train={"commit": "c1", "parameters": {"depth": 3, "rate": 0.5}})
    days.day(200, sources, train={"commit": "c2", "parameters": {"depth": 4, "rate": 0.5}})
    answer = diff(days.world.view(), CHURN)
    assert [(each.aspect, each.count, each.derived) for each in answer.summary] == [
        (Aspect.DATA, 1, 1),
        (Aspect.CODE, 1, 0),
        (Aspect.PARAMETER, 1, 0),
    ]


def test_a_source_of_other_content_is_an_origin_but_not_one_that_was_only_written_anew(
    days: Days, sources: dict[str, bytes]
) -> None:
    days.day(100, sources)
    days.day(200, {"raw": days.source("raw", 150, "R"), "labels": days.source("labels", 151, "l")})
    view = days.world.view()
    answer = diff(view, CHURN)
    assert origins(view, answer) == ["raw"]
    assert told(hunks(view, answer)["raw"]) == [("DATA", "CHANGED", "raw", "sha256:r", "sha256:R")]
    assert "labels" not in hunks(view, answer)


def test_what_changed_before_the_same_content_is_absorbed_and_explains_nothing(
    days: Days, sources: dict[str, bytes]
) -> None:
    days.day(100, sources, wash={"commit": "c1", "content": "same"}, train={"commit": "t1"})
    days.day(200, sources, wash={"commit": "c2", "content": "same"}, train={"commit": "t2"})
    view = days.world.view()
    answer = diff(view, CHURN)
    assert [(name(hunk.b), hunk.absorbed) for hunk in answer.origins.page(view, 0, 9)] == [
        ("train", False),
        ("wash", True),
    ]


def test_unknown_content_may_be_an_origin_and_hides_none_that_is_sure(days: Days, sources: dict[str, bytes]) -> None:
    blind = {"hashed": False}
    days.day(
        100, sources | {"raw": days.source("raw", 3, "r", hashed=False)}, wash=blind, build=blind | {"commit": "1"}
    )
    days.day(
        200, sources | {"raw": days.source("raw", 4, "R", hashed=False)}, wash=blind, build=blind | {"commit": "2"}
    )
    view = days.world.view()
    answer = diff(view, CHURN)
    assert [(name(hunk.b), hunk.sure) for hunk in answer.origins.page(view, 0, 9)] == [("build", True), ("raw", False)]
    found = hunks(view, answer)
    assert [(each.content, each.derived) for each in found["clean"].differences] == [(Content.UNKNOWN, True)]
    assert [(each.same, each.changed, each.unknown) for each in answer.compared] == [(1, 1, 3), (0, 1, 0)]
    gaps = answer.assess(view).gaps.page(view, 0, 99)
    assert {gap.kind for gap in gaps} == {"NO_CONTENT_HASH", "NO_CODE_VERSION"}
    assert {name(gap.node) for gap in gaps if gap.kind == "NO_CODE_VERSION"} == {"wash", "train"}


def test_digests_of_different_kinds_do_not_compare(days: Days, sources: dict[str, bytes]) -> None:
    new = days.source("raw", 3, "r")
    days.world.put(replace(days.world.changes.nodes[new], digests=(Digest("sha256", "r", "FULL", "table"),)))
    days.day(100, sources)
    days.day(200, sources | {"raw": new})
    view = days.world.view()
    answer = diff(view, CHURN)
    assert hunks(view, answer)["raw"].differences[0].content is Content.UNKNOWN
    (message,) = [gap.message for gap in answer.assess(view).gaps.page(view, 0, 99) if gap.kind == "NO_CONTENT_HASH"]
    assert message.endswith("are of different kinds.")
    assert answer.assess(view).score < 1


def test_a_commit_that_one_side_alone_told_is_a_gap_and_no_difference(days: Days, sources: dict[str, bytes]) -> None:
    days.day(100, sources)
    days.day(200, sources, train={"commit": "c"})
    view = days.world.view()
    answer = diff(view, CHURN)
    assert [each.aspect for each in answer.summary] == [Aspect.DATA]
    assert "NO_CODE_VERSION" in {gap.kind for gap in answer.assess(view).gaps.page(view, 0, 99)}


def test_roles_and_bindings_of_a_read_are_compared(days: Days, sources: dict[str, bytes]) -> None:
    labels = sources["labels"]
    days.day(100, sources, train={"roles": {labels: Role.TRAIN}, "binding": Binding.DECLARED})
    days.day(200, sources, train={"roles": {labels: Role.TEST}, "binding": Binding.TIME})
    view = days.world.view()
    (train,) = diff(view, CHURN).hunks.page(view, 0, 9)
    assert told(train) == [
        ("ROLE", "CHANGED", "labels", "TRAIN", "TEST"),
        ("BINDING", "CHANGED", "features", "DECLARED", "TIME"),
        ("BINDING", "CHANGED", "labels", "DECLARED", "TIME"),
    ]


def test_columns_that_came_went_or_changed_their_type_are_told(days: Days, sources: dict[str, bytes]) -> None:
    new = days.source("raw", 3, "R")
    fields = (
        (("id", "int"), ("at", "date"), ("who", None), ("gone", "text")),
        (("id", "bigint"), ("at", "date"), ("who", "text"), ("who.name", "text")),
    )
    schemas = tuple(Schema(bytes([at] * 8), told) for at, told in enumerate(fields))
    nodes = days.world.changes.nodes
    days.world.dataset("raw", schemas=schemas)
    for key, schema in zip((sources["raw"], new), schemas, strict=True):
        days.world.put(replace(nodes[key], schema=schema.digest))
    days.day(100, sources)
    days.day(200, sources | {"raw": new})
    view = days.world.view()
    assert told(hunks(view, diff(view, CHURN))["raw"])[1:] == [
        ("SCHEMA", "REMOVED", "gone", "text", None),
        ("SCHEMA", "CHANGED", "id", "int", "bigint"),
        ("SCHEMA", "ADDED", "who.name", None, "text"),
    ]


def test_other_columns_of_the_same_content_are_no_same_content(days: Days, sources: dict[str, bytes]) -> None:
    schemas = (Schema(b"a" * 8, (("id", "int"),)), Schema(b"b" * 8, (("id", "text"),)))
    new = days.source("raw", 3, "r")
    days.world.dataset("raw", schemas=schemas)
    for key, schema in zip((sources["raw"], new), schemas, strict=True):
        days.world.put(replace(days.world.changes.nodes[key], schema=schema.digest))
    days.day(100, sources)
    days.day(200, sources | {"raw": new})
    view = days.world.view()
    assert origins(view, diff(view, CHURN)) == ["raw"]


def test_what_an_engine_and_a_model_card_tell_is_compared_entry_by_entry(days: Days, sources: dict[str, bytes]) -> None:
    models = []
    for at, version in ((100, "3.4"), (200, "3.5")):
        engine = {"_producer": f"p{version}", "name": "spark", "version": version}
        models.append(days.day(at, sources, train={"facets": {"processing_engine": engine}}))
        card = {"framework": "sklearn", "parameters": {"depth": at}, "features": [{"name": "a", "importance": at}]}
        days.world.put(replace(days.world.changes.nodes[models[-1]], card=card))
    view = days.world.view()
    found = hunks(view, diff(view, CHURN))
    assert told(found["train"]) == [("ENVIRONMENT", "CHANGED", "processing_engine.version", "3.4", "3.5")]
    assert told(found["churn"]) == [("CARD", "CHANGED", "parameters.depth", 100, 200)]


def test_metrics_follow_from_what_else_differs(days: Days, sources: dict[str, bytes]) -> None:
    metric = {"name": "auc", "split": "TEST"}
    days.day(100, sources, wash={"commit": "1"}, train={"metrics": (metric | {"value": 0.9},)})
    days.day(200, sources, wash={"commit": "2"}, train={"metrics": (metric | {"value": 0.6},)})
    view = days.world.view()
    answer = diff(view, CHURN)
    train = hunks(view, answer)["train"]
    assert told(train) == [("METRIC", "CHANGED", "auc (TEST)", 0.9, 0.6)]
    assert train.differences[0].derived
    assert origins(view, answer) == ["wash"]


def test_a_run_that_did_otherwise_with_the_same_of_all_leaves_its_output_as_origin(
    days: Days, sources: dict[str, bytes]
) -> None:
    days.day(100, sources)
    days.day(200, sources, build={"content": "chance"})
    view = days.world.view()
    assert origins(view, diff(view, CHURN)) == ["features"]
