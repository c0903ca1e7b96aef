"""Kinds, labels and ids of all that an answer shows."""

from __future__ import annotations

import base64
import json

import pytest

from lineage.answer import Kind, Thing, kind_of, label, minute, name_of, namespace_of, thing_id
from lineage.keys import Base, decode_id
from lineage.model import Column, Dataset, Job, Name, Run, RunType, Version
from lineage.predictions import Prediction

KEY = bytes(range(16))
TEN = 1_777_629_600_000_000
CASES: list[tuple[Thing, Kind, str, str]] = [
    (Dataset(KEY, "pg", "sales.orders"), Kind.DATASET, "sales.orders", "sales.orders"),
    (Dataset(KEY, "pg", "churn", is_model=True), Kind.MODEL, "churn", "churn"),
    (Column(KEY, "pg", "sales.orders", "id"), Kind.COLUMN, "sales.orders.id", "sales.orders.id"),
    (Job(KEY, "pg", "load"), Kind.JOB, "load", "load"),
    (Job(KEY, "pg", "api", is_deployment=True), Kind.DEPLOYMENT, "api", "api"),
    (Run(KEY, "0192f3a1-aa", Name("pg", "load"), started_at=TEN), Kind.RUN, "load @ 2026-05-01 10:00", "load"),
    (Run(KEY, "0192f3a1-aa", Name("pg", "load"), type=RunType.SERVICE), Kind.ROLLOUT, "load @ 0192f3a1", "load"),
    (Version(KEY, KEY, "pg", "sales.orders", TEN), Kind.VERSION, "sales.orders @ 2026-05-01 10:00", "sales.orders"),
    (Prediction(3, 1, Name("pg", "api"), "4711", TEN), Kind.PREDICTION, "api # 4711", "api"),
]


@pytest.mark.parametrize(("thing", "kind", "said", "name"), CASES, ids=[kind.value for _, kind, _, _ in CASES])
def test_each_kind_is_named_as_a_person_would(thing: Thing, kind: Kind, said: str, name: str) -> None:
    assert (kind_of(thing), label(thing), name_of(thing), namespace_of(thing)) == (kind, said, name, "pg")


def test_ids_are_relay_ids_of_base_kind_and_key() -> None:
    bases = [decode_id(thing_id(thing))[0] for thing, _, _, _ in CASES[:-1]]
    assert bases == [Base.DATASET] * 2 + [Base.COLUMN] + [Base.JOB] * 2 + [Base.RUN] * 2 + [Base.VERSION]


def test_the_id_of_a_prediction_holds_its_place() -> None:
    text = thing_id(CASES[-1][0])
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert json.loads(raw.removeprefix(b"PREDICTION:")) == ["pg", "api", "4711", 3, 1]


def test_times_past_the_calendar_are_told_as_numbers() -> None:
    assert (minute(None), minute(10**18)) == ("", str(10**18))
