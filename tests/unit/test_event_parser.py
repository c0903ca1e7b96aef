"""Events: how they are classified, what is taken, what is refused and under which name."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import InvalidEventError, NotJSONError
from lineage.event.batch import split_array
from lineage.event.fields import FUTURE_LIMIT, canonical_run_id
from lineage.event.model import Event, EventDataset, EventKind, Name
from lineage.event.parser import parse_event

RUN_ID = "0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f"
TEN = 1_777_629_600_000_000
BASE = {
    "eventTime": "2026-05-01T10:00:00Z",
    "producer": "https://example.com",
    "schemaURL": "https://example.com/s.json",
}
JOB = {"namespace": "airflow", "name": "dag.task"}
DATASET = {"namespace": "postgres://db:5432", "name": "shop.public.orders"}
RUN_EVENT = {**BASE, "eventType": "START", "run": {"runId": RUN_ID}, "job": JOB}


def parse(event: Any, now: int | None = None) -> Event:
    return parse_event(json.dumps(event).encode(), now=now)


def refusal(event: Any) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        parse(event)
    assert caught.value.code == "INVALID_EVENT"
    return caught.value


def test_a_run_event_is_read_whole() -> None:
    facet = {"_producer": "p", "anything": [1, {"deep": None}]}
    source = {**DATASET, "facets": {"schema": facet}, "inputFacets": {"x": {}}, "outputFacets": {"not": "looked at"}}
    target = {"namespace": "s3://b", "name": "k", "outputFacets": {"outputStatistics": {"rowCount": 2**70}}}
    data = json.dumps(
        {
            **BASE,
            "eventType": "COMPLETE",
            "run": {"runId": RUN_ID, "facets": {"unknown_one": facet}, "extra": 1},
            "job": {**JOB, "facets": {"sql": {"query": "SELECT 1", "_deleted": True}}},
            "inputs": [source],
            "outputs": [target],
            "extra": {"kept": "in the ledger"},
        }
    ).encode()
    assert parse_event(data) == Event(
        kind=EventKind.RUN,
        hash=sha256(data).digest(),
        time=TEN,
        producer="https://example.com",
        type="COMPLETE",
        run_id=RUN_ID,
        run_facets={"unknown_one": facet},
        job=Name("airflow", "dag.task"),
        job_facets={"sql": {"query": "SELECT 1", "_deleted": True}},
        inputs=(EventDataset(Name("postgres://db:5432", "shop.public.orders"), {"schema": facet}, {"x": {}}),),
        outputs=(EventDataset(Name("s3://b", "k"), {}, {"outputStatistics": {"rowCount": 2**70}}),),
    )


def test_a_job_event_has_no_run() -> None:
    event = parse({**BASE, "eventType": "OTHER", "job": JOB, "inputs": [DATASET], "outputs": []})
    assert (event.kind, event.run_id, event.type) == (EventKind.JOB, None, "OTHER")
    assert event.inputs[0].name == Name(**DATASET)


SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"


@pytest.mark.parametrize("schema_url", [SPEC + "RunEvent", "https://example.com/1-0-5.json#/definitions/RunEvent"])
@pytest.mark.parametrize("event_type", ["START", "complete", "RESUMED", 5])
def test_a_run_event_without_run_is_refused_by_the_name_of_the_field(schema_url: str, event_type: Any) -> None:
    error = refusal({**BASE, "schemaURL": schema_url, "eventType": event_type, "job": JOB})
    assert error.field == "/run"
    assert error.message.startswith("/run must be an object")
    assert error.message.endswith("is missing.")


@pytest.mark.parametrize(
    ("event_type", "warnings"),
    [("START", ("NO_RUN",)), ("fail", ("NO_RUN",)), ("resumed", ("NO_RUN", "UNKNOWN_EVENT_TYPE")), ("Other", ())],
)
@pytest.mark.parametrize("schema_url", [SPEC + "JobEvent", SPEC + "RunEventFacet", "", "RunEvent"])
def test_a_runs_state_without_run_is_a_job_event_with_a_warning(
    schema_url: str, event_type: Any, warnings: tuple[str, ...]
) -> None:
    event = parse({**BASE, "schemaURL": schema_url, "eventType": event_type, "job": JOB})
    assert (event.kind, event.warnings) == (EventKind.JOB, warnings)


def test_a_job_event_that_only_calls_itself_a_run_event_is_one_by_structure() -> None:
    event = parse({**BASE, "schemaURL": SPEC + "RunEvent", "job": JOB})
    assert (event.kind, event.warnings) == (EventKind.JOB, ())


def test_a_dataset_event_has_neither_run_nor_job() -> None:
    event = parse(
        {**BASE, "dataset": {**DATASET, "facets": {"version": {"datasetVersion": "1"}}}, "inputs": "not its own"}
    )
    assert (event.kind, event.run_id, event.job, event.inputs) == (EventKind.DATASET, None, None, ())
    assert event.dataset == EventDataset(Name(**DATASET), {"version": {"datasetVersion": "1"}}, {})


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"run": {"runId": RUN_ID}, "job": JOB, "dataset": DATASET}, EventKind.RUN),
        ({"run": {"runId": RUN_ID}, "job": JOB, "dataset": None}, EventKind.RUN),
        ({"run": {"runId": RUN_ID}, "dataset": DATASET}, EventKind.DATASET),
        ({"job": JOB, "dataset": None}, EventKind.JOB),
    ],
)
def test_the_kind_follows_from_what_is_there(parts: dict[str, Any], kind: EventKind) -> None:
    event = parse({**BASE, "schemaURL": "#/definitions/Whatever", **parts})
    assert event.kind is kind
    assert (event.dataset is not None) == (kind is EventKind.DATASET)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({}, "/run"),
        ({"run": {"runId": RUN_ID}}, "/job"),
        ({"job": JOB, "dataset": DATASET}, "/run"),
        ({"job": {}, "dataset": DATASET}, "/run"),
        ({"run": None, "job": JOB}, "/run"),
        ({"run": {"runId": RUN_ID}, "job": None}, "/job"),
        ({"dataset": None}, "/dataset"),
        ({"dataset": []}, "/dataset"),
        ({"dataset": {"namespace": "n"}}, "/dataset/name"),
        ({"job": JOB, "inputs": None}, "/inputs"),
        ({"job": JOB, "outputs": {}}, "/outputs"),
        ({"job": JOB, "inputs": [DATASET, DATASET, DATASET, {"namespace": "n"}]}, "/inputs/3/name"),
        ({"job": JOB, "inputs": [DATASET, None]}, "/inputs/1"),
        ({"job": JOB, "outputs": [{**DATASET, "outputFacets": None}]}, "/outputs/0/outputFacets"),
        ({"job": JOB, "inputs": [{**DATASET, "inputFacets": {"a/b~c": 1}}]}, "/inputs/0/inputFacets/a~1b~0c"),
        ({"job": {**JOB, "facets": None}}, "/job/facets"),
        ({"job": {**JOB, "facets": {"sql": "SELECT 1"}}}, "/job/facets/sql"),
        ({"job": JOB, "run": {"runId": RUN_ID, "facets": {"parent": None}}}, "/run/facets/parent"),
        ({"job": JOB, "run": {"runId": RUN_ID}, "eventType": None}, "/eventType"),
    ],
)
def test_what_is_no_event_is_refused_by_the_name_of_the_field(parts: dict[str, Any], field: str) -> None:
    error = refusal({**BASE, **parts})
    assert error.field == field
    assert field in error.message


REQUIRED = ["/eventTime", "/producer", "/schemaURL", "/run/runId", "/job/namespace", "/job/name"]
REQUIRED += ["/inputs/0/namespace", "/inputs/0/name", "/outputs/1/namespace", "/outputs/1/name"]
WRONG = {"null": None, "a number": 17, "a boolean": True, "an array": ["x"], "an object": {"x": 1}}


def with_field(pointer: str, change: str) -> dict[str, Any]:
    event = json.loads(json.dumps({**RUN_EVENT, "inputs": [DATASET], "outputs": [DATASET, DATASET]}))
    *parents, key = pointer[1:].split("/")
    owner = event
    for parent in parents:
        owner = owner[int(parent) if isinstance(owner, list) else parent]
    if change == "missing":
        del owner[key]
    else:
        owner[key] = WRONG[change]
    return event  # type: ignore[no-any-return]


@pytest.mark.parametrize("change", ["missing", *WRONG])
@pytest.mark.parametrize("pointer", REQUIRED)
def test_a_required_field_missing_or_of_wrong_type_is_named_with_both_types(pointer: str, change: str) -> None:
    error = refusal(with_field(pointer, change))
    assert error.field == pointer
    assert change in error.message
    assert "must be a" in error.message


@pytest.mark.parametrize(
    ("value", "came"), [([], "an array"), (None, "null"), ("x", 'the string "x"'), (1.5, "a number")]
)
def test_json_that_is_no_object_is_refused(value: Any, came: str) -> None:
    error = refusal(value)
    assert error.field == ""
    assert came in error.message


def test_what_is_not_json_is_refused_as_such() -> None:
    with pytest.raises(NotJSONError):
        parse_event(b'{"eventTime": NaN}')


@pytest.mark.parametrize(
    "name", ["", " ", "dag.task.with.dots", "a:b@c", "名前 ✓", "x' OR 1=1 --", "a/b~c", "n" * 1_000_000, "null"]
)
def test_names_are_kept_as_they_are(name: str) -> None:
    event = parse(
        {**RUN_EVENT, "job": {"namespace": name, "name": name}, "outputs": [{"namespace": name, "name": name}]}
    )
    assert event.job == Name(name, name)
    assert event.outputs[0].name == Name(name, name)


def test_a_name_cut_within_a_character_is_taken_with_a_warning() -> None:
    event = parse_event(json.dumps(RUN_EVENT).replace("dag.task", "dag.\\ud83d").encode())
    assert event.job == Name("airflow", "dag.\ufffd")
    assert event.warnings == ("LONE_SURROGATE",)


def test_a_nul_in_a_name_is_taken_with_a_warning() -> None:
    event = parse({**RUN_EVENT, "job": {"namespace": "a\0b", "name": "c"}})
    assert event.job == Name("a\ufffdb", "c")
    assert event.warnings == ("NUL_CHARACTER",)


@pytest.mark.parametrize(
    ("told", "type_", "warnings"),
    [("complete", "COMPLETE", ()), ("Running", "RUNNING", ()), ("resumed", "RESUMED", ("UNKNOWN_EVENT_TYPE",))],
)
def test_event_types_are_taken_in_any_case_and_unknown_ones_told(
    told: str, type_: str, warnings: tuple[str, ...]
) -> None:
    event = parse({**RUN_EVENT, "eventType": told})
    assert (event.type, event.warnings) == (type_, warnings)


def test_an_event_type_may_be_absent() -> None:
    assert parse({**BASE, "run": {"runId": RUN_ID}, "job": JOB}).type is None


def test_what_is_no_event_type_is_ignored_where_the_schema_has_none() -> None:
    assert parse({**BASE, "job": JOB, "eventType": 5}).type is None


def test_producer_and_schema_url_may_be_any_text() -> None:
    assert parse({**RUN_EVENT, "producer": "feast", "schemaURL": "file:/x y"}).producer == "feast"


@pytest.mark.parametrize(
    "told",
    [RUN_ID.upper(), RUN_ID.replace("-", ""), "{" + RUN_ID + "}", "urn:uuid:" + RUN_ID, "URN:UUID:" + RUN_ID.upper()],
)
def test_every_spelling_of_a_uuid_is_the_same_run(told: str) -> None:
    assert parse({**RUN_EVENT, "run": {"runId": told}}).run_id == RUN_ID
    assert canonical_run_id(told) == RUN_ID


@pytest.mark.parametrize(
    "told",
    [
        "",
        "1",
        "run-17",
        RUN_ID[:-1],
        RUN_ID + "0",
        "{" + RUN_ID,
        RUN_ID + "}",
        RUN_ID.replace("0", "g"),
        RUN_ID + "\n",
        "1-1-1-1-1",
    ],
)
def test_a_run_id_that_is_no_uuid_is_refused(told: str) -> None:
    error = refusal({**RUN_EVENT, "run": {"runId": told}})
    assert error.field == "/run/runId"
    assert "UUID" in error.message
    assert canonical_run_id(told) is None


@given(st.uuids())
def test_a_canonical_run_id_is_kept(run_id: object) -> None:
    assert canonical_run_id(str(run_id)) == str(run_id) == canonical_run_id(str(run_id).upper())


@pytest.mark.parametrize(
    "told", ["", "yesterday", "2026-05-01", "2026-13-01T00:00:00Z", "2026-05-01T24:00:00Z", "1777629600"]
)
def test_an_event_time_that_is_no_time_is_refused(told: str) -> None:
    error = refusal({**RUN_EVENT, "eventTime": told})
    assert error.field == "/eventTime"
    assert "RFC 3339" in error.message


def test_a_time_with_no_zone_is_taken_as_utc_with_a_warning() -> None:
    event = parse({**RUN_EVENT, "eventTime": "2026-05-01 10:00:00"})
    assert (event.time, event.warnings) == (TEN, ("NO_ZONE",))


def test_an_event_more_than_a_day_ahead_is_told() -> None:
    assert parse(RUN_EVENT, now=TEN - FUTURE_LIMIT).warnings == ()
    assert parse(RUN_EVENT, now=TEN - FUTURE_LIMIT - 1).warnings == ("FUTURE_EVENT_TIME",)
    assert parse({**RUN_EVENT, "eventTime": "2099-01-01T00:00:00"}, now=TEN).warnings == (
        "NO_ZONE",
        "FUTURE_EVENT_TIME",
    )


def test_without_a_clock_no_event_is_in_the_future() -> None:
    assert parse({**RUN_EVENT, "eventTime": "9999-01-01T00:00:00Z"}).warnings == ()


def test_messages_stay_short_whatever_was_sent() -> None:
    for event in ({**RUN_EVENT, "eventTime": "x" * 10**6}, {**BASE, "job": {**JOB, "facets": {"k" * 10**6: 1}}}):
        error = refusal(event)
        assert len(str(error)) + len(error.field or "") < 1000


def test_each_record_of_a_batch_is_judged_alone() -> None:
    body = json.dumps([RUN_EVENT, {**BASE}, {**RUN_EVENT, "run": {"runId": 1}}, RUN_EVENT])
    body = body.replace('"eventType": "START"', '"eventType": NaN', 1)
    outcomes = []
    for record in split_array(body.encode()):
        try:
            outcomes.append(parse_event(record).kind.value)
        except (NotJSONError, InvalidEventError) as error:
            outcomes.append(error.code)
    assert outcomes == ["NOT_JSON", "INVALID_EVENT", "INVALID_EVENT", "RUN"]
