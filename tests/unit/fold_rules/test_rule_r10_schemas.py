"""R10 and R12: the schema that each version had, so that the columns of two can be told apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lineage.fold import schemas
from tests.unit.fold_rules.story import Json, dataset_event, made, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def having(*columns: str) -> dict[str, Json]:
    """A schema facet: ``"x:int"``, or a field without a type."""
    fields = [
        {"name": name, **({"type": kind} if kind else {})} for name, _, kind in (c.partition(":") for c in columns)
    ]
    return {"schema": {"fields": fields}}


def columns_of(world: World, label: str) -> list[str]:
    """The fields of a version, as ``having`` takes them."""
    version = world.version(label)
    dataset = world.dataset(version.name)
    assert dataset is not None
    told = {schema.digest: schema.fields for schema in dataset.schemas}
    return [f"{name}:{kind}" if kind else name for name, kind in told[version.schema]] if version.schema else []


def test_a_version_has_the_schema_that_its_write_told(fold: Fold) -> None:
    """R10: and keeps it when a later write tells another."""
    world = fold(
        made("r1", "a", 0, 5, facets=having("x:int", "y")),
        made("r2", "a", 10, 15, facets=having("x:text", "y")),
        made("r3", "a", 20, 25),
    )
    assert columns_of(world, "a@r1") == ["x:int", "y"]
    assert columns_of(world, "a@r2") == ["x:text", "y"]
    assert columns_of(world, "a@r3") == []


def test_a_nested_field_stands_after_the_one_that_has_it(fold: Fold) -> None:
    """R10: by its dotted path."""
    nested = {"schema": {"fields": [{"name": "p", "type": "struct", "fields": [{"name": "q", "type": "int"}]}]}}
    assert columns_of(fold(made("r1", "a", 0, 5, facets=nested)), "a@r1") == ["p:struct", "p.q:int"]


def test_what_is_said_about_fields_makes_no_other_schema(fold: Fold) -> None:
    """R10: names and types do."""
    described = {"schema": {"fields": [{"name": "x", "type": "int", "description": "of late"}]}}
    world = fold(made("r1", "a", 0, 5, facets=having("x:int")), made("r2", "a", 10, 15, facets=described))
    assert world.version("a@r1").schema == world.version("a@r2").schema
    node = world.dataset("a")
    assert node is not None
    assert len(node.schemas) == 1


def test_what_the_last_event_of_a_run_told_counts(fold: Fold) -> None:
    """R12 (c): as with the version."""
    ran = run("r1").start(0).writes("a", facets=having("x")).complete(5).writes("a", facets=having("x", "y"))
    assert columns_of(fold(ran), "a@r1") == ["x", "y"]


def test_an_input_that_nobody_wrote_has_the_schema_that_its_reader_first_told(fold: Fold) -> None:
    """R12 (b): later events may carry the state after the write."""
    ran = run("r1").start(0).reads("a", facets=having("x")).complete(5).reads("a", facets=having("x", "y")).writes("b")
    assert columns_of(fold(ran), "a?r1") == ["x"]


def test_a_read_gives_a_written_version_no_schema(fold: Fold) -> None:
    """R10: a reader may tell only the columns that it takes."""
    world = fold(made("r1", "a", 0, 5), run("r2").reads("a", facets=having("x")).writes("b").start(10).complete(15))
    assert columns_of(world, "a@r1") == []


def test_a_dataset_event_tells_the_schema_of_the_version_that_it_tells(fold: Fold) -> None:
    """R3: of one that no run wrote, and of one whose write told none."""
    world = fold(
        made("r1", "a", 0, 5, version="v1"),
        dataset_event("a", 9, version="v1", facets=having("x")),
        dataset_event("b", 9, version="w1", facets=having("y")),
    )
    assert columns_of(world, "a@r1") == ["x"]
    assert columns_of(world, "b=w1") == ["y"]


def test_a_stream_s_versions_have_the_schema_last_told_by_then(fold: Fold) -> None:
    """R11: a STREAMING run writes at later events too; one that tells no schema leaves it as it was."""
    ran = run("r1", kind="STREAMING").start(0).writes("a", version="v1", facets=having("x"))
    ran = ran.running(5).writes("a", version="v2").running(9).writes("a", version="v3", facets=having("x", "y"))
    world = fold(ran)
    assert [columns_of(world, f"a@r1:{at}") for at in (0, 5, 9)] == [["x"], ["x"], ["x", "y"]]


def test_of_many_schemas_those_told_last_are_kept(fold: Fold, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever order they come in; one that is told again is one of the last."""
    monkeypatch.setattr(schemas, "MOST", 2)
    told = [made(f"r{at}", "a", at, at + 1, facets=having(name)) for at, name in enumerate("xyzx")]
    node = fold(*told).dataset("a")
    assert node is not None
    assert {schema.fields for schema in node.schemas} == {(("x", None),), (("z", None),)}
