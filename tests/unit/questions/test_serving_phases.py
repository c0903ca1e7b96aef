"""What a rollout served at a time, when it tells other versions while it goes on (R12 b)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from lineage.answer import Certainty, View
from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.memory import MemoryStore
from lineage.model import Name
from lineage.predictions import Count, Prediction
from lineage.predictions.sqlite import PredictionIndex
from lineage.questions.impact import impact
from lineage.questions.served import served
from lineage.questions.subjects import JobRef, ServedWindow, VersionRef

SERVICE = {"jobType": {"processingType": "SERVICE", "integration": "X"}}


def model(version: str | None = None) -> dict[str, Any]:
    facets: dict[str, Any] = {"datasetType": {"datasetType": "MODEL"}}
    return {
        "namespace": "n",
        "name": "m",
        "facets": facets | ({"version": {"datasetVersion": version}} if version else {}),
    }


def told(
    hour: int, kind: str, run: int, job: str, facets: Any = None, run_facets: Any = None, **io: Any
) -> dict[str, Any]:
    return {
        "eventTime": f"2026-05-01T{hour:02d}:00:00Z",
        "eventType": kind,
        "producer": "urn:p",
        "schemaURL": "urn:s",
        "run": {"runId": f"00000000-0000-4000-8000-{run:012d}", "facets": run_facets or {}},
        "job": {"namespace": "n", "name": job, "facets": facets or {}},
        **io,
    }


def traffic(**percent: int) -> dict[str, Any]:
    lines = [{"namespace": "n", "name": "m", "version": v[1:], "percent": p} for v, p in percent.items()]
    return {"lineageGraph_rollout": {"environment": "prod", "traffic": lines}}


TRAINED = [told(hour, "COMPLETE", hour, "train", outputs=[model(str(hour))]) for hour in (1, 2)]
ROLLED_BACK = [
    told(hour, "START" if hour == 3 else "RUNNING", 9, "dep", SERVICE, inputs=[model(version)])
    for hour, version in ((3, "1"), (4, "2"), (6, "1"))
]
SHIFTED = [
    told(hour, "START" if hour == 3 else "RUNNING", 9, "dep", SERVICE, traffic(**split))
    for hour, split in ((3, {"v1": 100}), (4, {"v1": 50, "v2": 50}), (5, {"v2": 100}), (6, {"v1": 100}))
]
LATE = [
    told(3, "START", 9, "dep", SERVICE, inputs=[model()]),
    told(5, "RUNNING", 9, "dep", SERVICE, inputs=[model("1")]),
]


def at(events: list[dict[str, Any]], hour: int) -> tuple[Certainty, set[str]]:
    store = MemoryStore()
    parsed = [parse_event(json.dumps(event).encode()) for event in events]
    store.apply(Fold(MemoryFacts()).take((index, 0, event) for index, event in enumerate(parsed)), len(parsed))
    moment = 1_777_593_600_000_000 + (hour * 3600 + 1800) * 1_000_000
    with store.reader() as graph:
        found = served(View(graph, cast(Any, None), 0), ServedWindow(JobRef("n", "dep"), moment, moment))
    return found.certainty, {version for model in found.models.values() for version in model.declared}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("hour", "versions"), [(3, {"1"}), (4, {"2"}), (5, {"2"}), (6, {"1"}), (7, {"1"})])
def test_a_rollout_that_returns_to_a_version_serves_it_again(hour: int, versions: set[str], turned: bool) -> None:
    events = [*TRAINED, *ROLLED_BACK]
    assert at(events[::-1] if turned else events, hour) == (Certainty.EXACT, versions)


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (3, (Certainty.EXACT, {"1"})),
        (4, (Certainty.CANDIDATES, {"1", "2"})),
        (5, (Certainty.EXACT, {"2"})),
        (6, (Certainty.EXACT, {"1"})),
    ],
)
def test_traffic_that_shifts_serves_what_it_last_told(hour: int, expected: tuple[Certainty, set[str]]) -> None:
    assert at([*TRAINED, *SHIFTED], hour) == expected


def test_a_version_told_later_is_not_certain_before() -> None:
    assert at([*TRAINED, *LATE], 4) == (Certainty.CANDIDATES, {"1"})
    assert at([*TRAINED, *LATE], 5) == (Certainty.EXACT, {"1"})


def moment_of(hour: int) -> int:
    return 1_777_593_600_000_000 + (hour * 3600 + 1800) * 1_000_000


RUN = "00000000-0000-4000-8000-000000000009"
UNTOLD = [
    Prediction(100, hour * 2 + (run is None), Name("n", "dep"), str(hour), moment, run)
    for hour, moment in ((hour, moment_of(hour)) for hour in range(3, 9))
    for run in (None, RUN)
]


def count(events: list[dict[str, Any]], version: str, path: Path, records: Sequence[Prediction] = UNTOLD) -> Count:
    store, predictions = MemoryStore(), PredictionIndex(path / "predictions.sqlite")
    parsed = [parse_event(json.dumps(event).encode()) for event in events]
    store.apply(Fold(MemoryFacts()).take((index, 0, event) for index, event in enumerate(parsed)), len(parsed))
    predictions.apply(records, 101)
    with store.reader() as graph, predictions.reader() as reader:
        view = View(graph, reader, 0)
        found = impact(view, VersionRef("n", "m", version=version)).predictions(view)
    predictions.close()
    return found


def test_predictions_are_counted_of_the_times_in_which_the_version_served(tmp_path: Path) -> None:
    assert count([*TRAINED, *ROLLED_BACK], "1", tmp_path) == Count(8, moment_of(3), moment_of(8))
    (tmp_path / "other").mkdir()
    assert count([*TRAINED, *ROLLED_BACK], "2", tmp_path / "other") == Count(4, moment_of(4), moment_of(5))


@pytest.mark.parametrize(("told", "expected"), [("1", [12, 0]), ("2", [0, 12]), ("9", [0, 0]), (None, [10, 4])])
def test_predictions_that_tell_a_version_count_for_it_whatever_the_traffic(
    told: str | None, expected: list[int], tmp_path: Path
) -> None:
    records = [replace(record, model=Name("n", "m"), model_version=told) for record in UNTOLD]
    for version, number in zip("12", expected, strict=True):
        (tmp_path / version).mkdir()
        assert count([*TRAINED, *SHIFTED], version, tmp_path / version, records).count == number
