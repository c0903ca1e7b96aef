"""Claims from events: what OpenLineage's facets say where, and that no other shape of them matters."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.event.model import Event, EventDataset, EventKind, Name
from lineage.facts.claims import Claims, Entry, Parent, Read, Source, Telling, Traffic
from lineage.facts.extract import (
    dataset_telling,
    declared_sources,
    lasting_facets,
    processing_type,
    run_claims,
    symlinks,
)
from lineage.model import Digest, Transformation

JOB = Name("n", "j")
A, B = Name("s3://b", "a"), Name("s3://b", "b")
A_NAME = {"namespace": "s3://b", "name": "a"}
RUN_FACETS: dict[str, Any] = {
    "parent": {
        "run": {"runId": "R"},
        "job": {"namespace": "n", "name": "p"},
        "root": {"run": {"runId": "S"}, "job": {"namespace": "n", "name": "r"}},
    },
    "errorMessage": {"message": "no", "programmingLanguage": "sql", "stackTrace": "long"},
    "nominalTime": {"nominalStartTime": "2026-01-01T00:00:00Z"},
    "spark_properties": {"properties": {}},
    "lineageGraph_rollout": {"environment": "prod", "traffic": [{**A_NAME, "version": "1", "percent": 60}]},
}
JOB_FACETS: dict[str, Any] = {
    "sourceCodeLocation": {"version": "c0ffee", "repoUrl": "git@h:r", "url": "https://h/r"},
    "jobType": {"processingType": "streaming", "jobType": "QUERY"},
    "lineage": {
        "entries": [
            {"type": "DATASET", **A_NAME, "inputs": [{"namespace": "n", "name": "j", "type": "JOB"}]},
            {"type": "JOB", "inputs": [A_NAME]},
            {"type": "JOB", "namespace": "n", "name": "another", "inputs": [A_NAME]},
        ]
    },
}
DATASET_FACETS: dict[str, Any] = {
    "version": {"datasetVersion": "7"},
    "lineageGraph_contentHash": {"digests": [{"algorithm": "SHA-256", "digest": "AB", "method": "bytes", "bytes": 3}]},
    "lineageGraph_model": {"framework": "sklearn"},
    "lineageGraph_role": {"role": "train"},
    "lifecycleStateChange": {"lifecycleStateChange": "rename", "previousIdentifier": A_NAME},
    "columnLineage": {
        "fields": {"x": {"inputFields": [{**A_NAME, "field": "y", "transformations": [{"type": "direct"}]}]}},
        "dataset": [{**A_NAME, "field": "k", "transformations": [{"type": "INDIRECT", "subtype": "JOIN"}]}],
    },
    "lineage": {"inputs": [A_NAME], "fields": {"x": {"inputs": [{**A_NAME, "field": "y"}]}}},
    "schema": {"fields": [{"name": "x"}]},
}


def event(
    run: Any = None, job: Any = None, inputs: Any = None, outputs: Any = None, kind: EventKind = EventKind.RUN
) -> Event:
    return Event(
        kind,
        b"h",
        5,
        "p",
        "START",
        "r",
        run or {},
        JOB,
        job or {},
        tuple(EventDataset(A, facets, {}) for facets in inputs or ()),
        tuple(EventDataset(B, facets, {}) for facets in outputs or ()),
        EventDataset(B, (outputs or [{}])[0], {}) if kind is EventKind.DATASET else None,
    )


def whole(dataset: Any = DATASET_FACETS, run: Any = RUN_FACETS, job: Any = JOB_FACETS) -> Claims:
    return run_claims(event(run, job, [dataset], [dataset]), 3, 1)


def test_an_event_with_everything_is_claimed_whole() -> None:
    claims = whole()
    assert (claims.time, claims.hash, claims.index, claims.position, claims.stamp) == (5, b"h", 3, 1, (5, b"h"))
    assert (claims.type, claims.run_type, claims.environment) == ("START", "STREAMING", "prod")
    assert (claims.commit, claims.repository) == ("c0ffee", "git@h:r")
    assert claims.traffic == (Traffic(A, "1", 60.0),)
    assert claims.parent == Parent("r", Name("n", "p"), root=("s", Name("n", "r")))
    assert claims.dialect is None


def test_a_read_and_a_write_tell_version_digest_role_mode_and_columns() -> None:
    claims = whole()
    digest = Digest("sha-256", "ab", "FULL", "bytes", 3, None)
    (read,), (write,) = claims.reads, claims.writes
    assert (read.name, read.version, read.digests, read.role) == (A, "7", (digest,), "TRAIN")
    assert (write.name, write.version, write.digests, write.lifecycle) == (B, "7", (digest,), "RENAME")
    assert (write.previous, write.card) == (A, {"framework": "sklearn"})
    assert write.columns == (
        Source(A, "y", "x", (Transformation("DIRECT"),)),
        Source(A, "k", None, (Transformation("INDIRECT", "JOIN"),)),
    )


def test_entries_come_from_the_outputs_and_from_the_job_and_another_job_s_are_left_out() -> None:
    assert whole().entries == (
        Entry(B, (Source(A), Source(A, "y", "x"))),
        Entry(A, (), own_job=True),
        Entry(None, (Source(A),)),
    )


def test_an_empty_lineage_facet_is_told_and_one_without_inputs_is_not() -> None:
    assert run_claims(event(outputs=[{"lineage": {"inputs": []}}]), 0, 0).entries == (Entry(B, ()),)
    assert run_claims(event(outputs=[{"lineage": {}}]), 0, 0).entries == ()


def test_only_shown_run_facets_are_kept_and_of_an_error_no_stack_trace() -> None:
    kept = whole().facets
    assert set(kept) == {"errorMessage", "nominalTime", "lineageGraph_rollout"}
    assert kept["errorMessage"] == {"message": "no", "programmingLanguage": "sql"}


def test_a_withdrawn_facet_is_as_if_not_told() -> None:
    def withdrawn(facets: dict[str, Any]) -> dict[str, Any]:
        return {name: {**facet, "_deleted": True} for name, facet in facets.items()}

    claims = whole(withdrawn(DATASET_FACETS), withdrawn(RUN_FACETS), withdrawn(JOB_FACETS))
    assert claims == whole({}, {}, {})


def test_a_dataset_event_tells_a_version_its_digests_and_its_sources() -> None:
    telling = dataset_telling(event(outputs=[DATASET_FACETS], kind=EventKind.DATASET))
    assert telling
    assert (telling.time, telling.version, telling.card) == (5, "7", {"framework": "sklearn"})
    assert telling.reads == (Read(A),)
    assert len(telling.digests) == 1


def test_a_dataset_event_that_tells_no_version_tells_nothing_of_one() -> None:
    assert dataset_telling(event(outputs=[{"lineage": {"inputs": []}}], kind=EventKind.DATASET)) is None
    silent = dataset_telling(event(outputs=[{"version": {"datasetVersion": "7"}}], kind=EventKind.DATASET))
    assert silent == Telling(5, b"h", "7", (), {}, None)


def test_a_dataset_s_own_lineage_facet_goes_before_its_columns() -> None:
    columns = DATASET_FACETS["columnLineage"]
    assert declared_sources({"lineage": {"inputs": []}, "columnLineage": columns}) == ()
    assert declared_sources({"lineage": {}, "columnLineage": columns}) == whole().writes[0].columns
    assert declared_sources({"columnLineage": {}}) is None


def test_what_speaks_of_one_version_does_not_last() -> None:
    assert lasting_facets(EventDataset(A, DATASET_FACETS, {})) == {"schema": DATASET_FACETS["schema"]}


@pytest.mark.parametrize(
    ("facet", "expected"),
    [
        ({"processingType": "batch"}, "BATCH"),
        ({"processingType": "SERVICE"}, "SERVICE"),
        ({"jobType": "deployment", "processingType": "BATCH"}, "SERVICE"),
        ({"processingType": "other"}, None),
        ({"processingType": 1}, None),
        (None, None),
    ],
)
def test_a_deployment_counts_as_a_service(facet: Any, expected: str | None) -> None:
    assert processing_type({"jobType": facet}) == expected


def test_symlinks_keep_their_order_and_leave_out_what_is_no_name() -> None:
    facet = {"identifiers": [{"namespace": "n", "name": "x"}, {"namespace": "n"}, 1, {"namespace": "", "name": ""}]}
    assert symlinks(facet) == (Name("n", "x"), Name("", ""))
    assert symlinks(None) == symlinks({"identifiers": {}}) == ()


@pytest.mark.parametrize(
    ("version", "kept"), [("7", "7"), (7, "7"), (2**80, str(2**80)), ("", None), (True, None), (1.5, None), ({}, None)]
)
def test_a_version_is_a_text_or_an_integer(version: Any, kept: str | None) -> None:
    facets = {"version": {"datasetVersion": version}}
    assert run_claims(event(outputs=[facets]), 0, 0).writes[0].version == kept


@pytest.mark.parametrize(
    ("percent", "kept"), [(0, 0.0), (12.5, 12.5), (10**400, 100.0), (None, 100.0), ("50", 100.0), (True, 100.0)]
)
def test_a_share_of_traffic_that_is_no_number_is_all_of_it(percent: Any, kept: float) -> None:
    rollout = {"lineageGraph_rollout": {"traffic": [{**A_NAME, "percent": percent}]}}
    assert run_claims(event(rollout), 0, 0).traffic == (Traffic(A, None, kept),)


def test_integers_that_no_store_holds_are_kept_as_their_digits() -> None:
    large = {"executionParameters": {"parameters": [{"value": 2**64}, {"value": -(2**63) - 1}, {"value": 2**64 - 1}]}}
    claims = run_claims(event(large, outputs=[{"lineageGraph_model": {"seed": 10**30}}]), 0, 0)
    values = [each["value"] for each in claims.facets["executionParameters"]["parameters"]]
    assert values == [str(2**64), str(-(2**63) - 1), 2**64 - 1]
    assert claims.writes[0].card == {"seed": str(10**30)}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(claims), type=Claims) == claims


def test_a_deep_facet_with_a_large_integer_is_kept() -> None:
    deep: Any = 2**70
    for _ in range(490):
        deep = [deep]
    claims = run_claims(event({"executionParameters": {"deep": deep}}), 0, 0)
    assert str(2**70) in repr(claims.facets)


WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    "x",
    [],
    [1],
    [[]],
    [None],
    {},
    {"x": 1},
    {"name": []},
    [{"name": 1}],
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))


def _with(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    return changed


@pytest.mark.parametrize("facets", ["dataset", "run", "job"])
def test_a_wrong_type_at_any_place_of_any_facet_raises_nothing(facets: str) -> None:
    right = {"dataset": DATASET_FACETS, "run": RUN_FACETS, "job": JOB_FACETS}[facets]
    for path in _places(right):
        for wrong in WRONG:
            given_facets = _with(right, path, wrong)
            claims = whole(**{facets: given_facets})
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(claims), type=Claims) == claims
            if facets == "dataset":
                told = event(outputs=[given_facets], kind=EventKind.DATASET)
                dataset_telling(told)
                symlinks(given_facets.get("symlinks"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _facets(known: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    def keyed(value: Any) -> st.SearchStrategy[Any]:
        if isinstance(value, dict):
            return JSON | st.fixed_dictionaries({}, optional={key: keyed(item) for key, item in value.items()})
        if isinstance(value, list):
            return JSON | st.lists(st.one_of([keyed(item) for item in value]), max_size=3)
        return JSON | st.just(value)

    return st.fixed_dictionaries({}, optional={name: keyed(facet) for name, facet in known.items()})


@given(run=_facets(RUN_FACETS), job=_facets(JOB_FACETS), dataset=_facets(DATASET_FACETS))
def test_no_json_in_any_facet_raises(run: Any, job: Any, dataset: Any) -> None:
    claims = whole(dataset, run, job)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(claims), type=Claims) == claims
    assert [write.name for write in claims.writes] == [B]
    telling = dataset_telling(event(outputs=[dataset], kind=EventKind.DATASET))
    if telling is not None:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(telling), type=Telling) == telling
    assert set(lasting_facets(EventDataset(A, dataset, {}))) <= {"schema"}
