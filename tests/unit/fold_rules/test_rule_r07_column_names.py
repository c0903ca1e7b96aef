"""R7: names that only columnLineage gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.fold_rules.story import (
    AIRFLOW,
    DBT,
    Run,
    Told,
    dataset,
    dataset_event,
    job_event,
    made,
    named,
    run,
    source,
)
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def claiming(short: str = "r1", producer: str = "urn:plain", output: str = "b", claimed: str = "a:x") -> Run:
    """A run whose columnLineage alone names a dataset."""
    told = run(short, producer=producer).start(0).reads("c").writes(output, claims={"y": [claimed, "c:x"]})
    return told.complete(5)


def test_a_name_that_nothing_else_gives_is_hidden(fold: Fold) -> None:
    """R7: kept, but hidden: neither an input nor a dataset nor a column."""
    world = fold(claiming())
    assert world.fed("r1") == {"b": {"c"}}
    assert world.dataset("a") is None
    assert world.columns() == {("c:x", "b:y")}


@pytest.mark.parametrize(
    "other",
    [
        run("r2").reads("a").start(50),
        made("r2", "a", 50, 55),
        dataset_event("a", 50),
        job_event("j", 50, inputs=[dataset("a")]),
        job_event("j", 50, outputs=[dataset("a")]),
        dataset_event("z", 50, sources=["a"]),
        run("r2").start(50).writes("z", sources=["a"]),
        run("r2", job="j").entries({"type": "DATASET", **named("z"), "inputs": [source("a")]}).start(50),
    ],
    ids=["input", "output", "dataset", "job_input", "job_output", "own_lineage", "output_lineage", "job_lineage"],
)
def test_a_name_that_any_event_gives_otherwise_is_an_input(fold: Fold, other: Run | Told) -> None:
    """R7: as input, output, dataset or in a ``lineage`` facet, before or after: an input of evidence COLUMN."""
    world = fold(claiming(), other)
    assert world.fed("r1") == {"b": {"a", "c"}}
    assert world.read("r1", "a").evidence == "COLUMN"
    assert world.read("r1", "c").evidence == "DECLARED"
    assert world.wire("job-r1", "a", "b").evidence.value == "COLUMN"
    assert world.columns() == {("a:x", "b:y"), ("c:x", "b:y")}


def test_another_column_lineage_that_names_it_too_shows_nothing(fold: Fold) -> None:
    """R7: named otherwise than by columnLineage."""
    world = fold(claiming("r1"), claiming("r2", output="d"))
    assert world.dataset("a") is None
    assert world.fed("r2") == {"d": {"c"}}


@pytest.mark.parametrize("producer", [AIRFLOW, DBT])
def test_a_dialect_vouches_for_a_name_of_the_output_s_form(fold: Fold, producer: str) -> None:
    """R7: SQL parsers: as many name parts as the output."""
    world = fold(claiming("r1", producer, "shop.public.b", "shop.public.a:x"))
    assert world.fed("r1") == {"shop.public.b": {"shop.public.a", "c"}}
    assert world.read("r1", "shop.public.a").evidence == "COLUMN"


@pytest.mark.parametrize("producer", [AIRFLOW, DBT])
def test_a_cte_has_fewer_name_parts_and_stays_hidden(fold: Fold, producer: str) -> None:
    """R7: a CTE's ``agg`` has fewer."""
    world = fold(claiming("r1", producer, "shop.public.b", "agg:x"))
    assert world.fed("r1") == {"shop.public.b": {"c"}}
    assert world.dataset("agg") is None


def test_no_dialect_no_voucher(fold: Fold) -> None:
    """R7: the dialect vouches; an unknown producer's name is hidden whatever its form."""
    assert fold(claiming("r1", "urn:plain", "shop.public.b", "shop.public.a:x")).fed("r1") == {"shop.public.b": {"c"}}


def test_what_a_dialect_vouches_for_is_a_dataset(fold: Fold) -> None:
    """R7: an input is a dataset that can be found."""
    world = fold(claiming("r1", DBT, "shop.public.b", "shop.public.a:x"))
    assert world.dataset("shop.public.a") is not None
    assert ("shop.public.a:x", "shop.public.b:y") in world.columns()


def test_a_dataset_event_s_column_lineage_hides_names_likewise(fold: Fold) -> None:
    """R7: without a run, too."""
    hidden = dataset_event("b", 0, claims={"y": ["a:x"]})
    assert fold(hidden).dataset("a") is None
    assert fold(hidden, dataset_event("a", 50)).declared_wires("b") == [{"a"}]


def test_a_hidden_name_s_read_binds_like_any_other(fold: Fold) -> None:
    """R7 and R13: shown by its writer, it meets what that wrote."""
    world = fold(made("r0", "a", -20, -10), claiming())
    assert world.met("r1", "a") == {"a@r0"}
    assert world.read("r1", "a").binding == "TIME"
