"""Prediction records: what is read, what may be absent, what is refused."""

import json
from hashlib import sha256
from typing import Any

import pytest

from lineage.errors import InvalidEventError, NotJSONError
from lineage.event.model import Name, PredictionRecord
from lineage.event.prediction import parse_prediction

RUN_ID = "0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f"
TEN = 1_777_629_600_000_000
INPUT, OUTPUT = f"sha256:{'a1' * 32}", f"SHA256:{'B2' * 32}"
LEAST: dict[str, Any] = {
    "id": "p1",
    "time": "2026-05-01T10:00:00Z",
    "deployment": {"namespace": "prod", "name": "churn"},
}
FULL: dict[str, Any] = {
    **LEAST,
    "run": RUN_ID.upper(),
    "model": {"namespace": "models", "name": "churn", "version": "7"},
    "inputHash": INPUT,
    "outputHash": OUTPUT,
    "extra": [1],
}


def parse(record: Any, now: int | None = None) -> PredictionRecord:
    return parse_prediction(json.dumps(record).encode(), now=now)


def test_a_full_record_is_read_whole() -> None:
    data = json.dumps(FULL).encode()
    assert parse_prediction(data) == PredictionRecord(
        hash=sha256(data).digest(),
        id="p1",
        time=TEN,
        deployment=Name("prod", "churn"),
        run_id=RUN_ID,
        model=Name("models", "churn"),
        model_version="7",
        input_hash=INPUT,
        output_hash=OUTPUT,
    )


def test_what_is_optional_may_be_absent_or_null() -> None:
    nulls = {"run": None, "model": None, "inputHash": None, "outputHash": None}
    for record in (parse(LEAST), parse({**LEAST, **nulls})):
        assert (record.run_id, record.model, record.model_version) == (None, None, None)
        assert (record.input_hash, record.output_hash, record.warnings) == (None, None, ())
    assert parse({**LEAST, "model": {"namespace": "", "name": "m", "version": None}}).model == Name("", "m")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"id": 1}, "/id"),
        ({"time": 1777629600}, "/time"),
        ({"time": "noon"}, "/time"),
        ({"deployment": "churn"}, "/deployment"),
        ({"deployment": {"namespace": "n"}}, "/deployment/name"),
        ({"deployment": {"namespace": None, "name": "x"}}, "/deployment/namespace"),
        ({"run": "run-1"}, "/run"),
        ({"run": 5}, "/run"),
        ({"model": "churn"}, "/model"),
        ({"model": {"name": "m"}}, "/model/namespace"),
        ({"model": {"namespace": "n", "name": "m", "version": 7}}, "/model/version"),
        ({"inputHash": ["x"]}, "/inputHash"),
        ({"outputHash": 1}, "/outputHash"),
    ],
)
def test_a_field_of_wrong_type_is_refused_by_name(parts: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse({**FULL, **parts})
    assert caught.value.field == field
    assert field in caught.value.message


@pytest.mark.parametrize("key", ["id", "time", "deployment"])
def test_a_required_field_that_is_missing_is_refused_by_name(key: str) -> None:
    with pytest.raises(InvalidEventError, match="missing") as caught:
        parse({name: value for name, value in FULL.items() if name != key})
    assert caught.value.field == f"/{key}"


def test_what_is_no_object_or_no_json_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="an array"):
        parse([LEAST])
    with pytest.raises(NotJSONError):
        parse_prediction(b'{"id":"a","id":"b"}')


@pytest.mark.parametrize("key", ["inputHash", "outputHash"])
@pytest.mark.parametrize(
    "told", ["", "abc", "sha256:", INPUT[7:], INPUT + "0", INPUT + "\n", "md5:" + "0" * 32, "sha256:" + "g" * 64]
)
def test_a_hash_that_is_no_sha256_is_kept_with_a_warning(key: str, told: str) -> None:
    record = parse({**FULL, key: told})
    assert record.warnings == ("UNKNOWN_HASH_FORM",)
    assert told in (record.input_hash, record.output_hash)


def test_two_such_hashes_are_warned_of_once() -> None:
    assert parse({**FULL, "inputHash": "x", "outputHash": "y"}).warnings == ("UNKNOWN_HASH_FORM",)


def test_warnings_are_those_of_events() -> None:
    record = {**LEAST, "id": "a\0", "time": "2099-01-01T00:00:00"}
    assert parse(record, now=TEN).warnings == ("NO_ZONE", "FUTURE_EVENT_TIME", "NUL_CHARACTER")
