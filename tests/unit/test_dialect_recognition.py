"""Which producer sent an event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.dialects import DIALECTS, PLAIN, by_name, dialect_of
from lineage.event.model import Event, EventDataset, EventKind, Name
from lineage.event.parser import parse_event
from lineage.facts.extract import run_claims

CAPTURES = Path(__file__).parent / "data" / "dialects"
OPENLINEAGE = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/"


def event(
    producer: str = "", job_facets: dict[str, Any] | None = None, run_facets: dict[str, Any] | None = None
) -> Event:
    return Event(
        EventKind.RUN,
        b"",
        0,
        producer,
        run_id="r",
        job=Name("n", "j"),
        job_facets=job_facets or {},
        run_facets=run_facets or {},
    )


@pytest.mark.parametrize(
    ("producer", "name"),
    [
        (f"{OPENLINEAGE}integration/spark", "spark"),
        ("https://github.com/OpenLineage/OpenLineage/tree/1.0.0-SNAPSHOT/integration/spark/", "spark"),
        (f"{OPENLINEAGE}integration/dbt", "dbt"),
        (f"{OPENLINEAGE}integration/airflow", "airflow"),
        ("https://github.com/apache/airflow/tree/providers-openlineage/2.20.3", "airflow"),
        ("feast", "feast"),
        ("https://github.com/feast-dev/feast", "feast"),
        (f"{OPENLINEAGE}client/python", "plain"),
        (f"{OPENLINEAGE}integration/sparkle", "plain"),
        ("https://example.com/?from=https://github.com/apache/airflow", "plain"),
        ("feasting", "plain"),
        ("", "plain"),
    ],
)
def test_the_producer_uri_names_the_dialect(producer: str, name: str) -> None:
    assert dialect_of(event(producer)).name == name


def test_the_integration_goes_before_the_uri() -> None:
    dbt_cloud = event(
        "https://github.com/apache/airflow/tree/providers-openlineage/2.20.3", {"jobType": {"integration": "dbt"}}
    )
    assert dialect_of(dbt_cloud).name == "dbt"
    unknown = event(f"{OPENLINEAGE}integration/spark", {"jobType": {"integration": "TRINO"}})
    assert dialect_of(unknown).name == "spark"


def test_feast_under_another_name_is_known_by_its_facets() -> None:
    assert dialect_of(event("acme", {"feast_jobKind": {}})).name == "feast"
    assert dialect_of(event("acme", run_facets={"feast_materialization": {}})).name == "feast"


@pytest.mark.parametrize("integration", [None, 1, [], {}, ["SPARK"]])
def test_an_integration_of_another_shape_is_as_if_not_told(integration: Any) -> None:
    assert dialect_of(event("x", {"jobType": {"integration": integration}})) is PLAIN
    assert dialect_of(event("x", {"jobType": integration})) is PLAIN


def test_a_very_long_producer_is_not_kept() -> None:
    assert dialect_of(event(f"{OPENLINEAGE}integration/spark" + "/" * 10_000)).name == "spark"


@pytest.mark.parametrize("capture", sorted(path.stem for path in CAPTURES.glob("*.json")))
def test_a_capture_is_read_in_its_producer_s_dialect(capture: str) -> None:
    for each in json.loads((CAPTURES / f"{capture}.json").read_text()):
        parsed = parse_event(json.dumps(each).encode())
        assert dialect_of(parsed).name == capture.partition("_")[0].replace("iceberg", "spark")


def test_a_dialect_is_found_by_the_name_on_its_claims() -> None:
    for dialect in DIALECTS:
        assert by_name(dialect.name) is dialect
    assert by_name(None) is PLAIN
    assert by_name("of a later version") is PLAIN


def test_a_plain_event_means_what_it_says() -> None:
    plain = event("me")
    claims = run_claims(plain, 0, 0)
    assert PLAIN.meant(plain) is plain
    assert PLAIN.claims(plain, claims) is claims
    assert PLAIN.model_roots(plain) == ()
    assert not PLAIN.never_ran(frozenset({"START", "ABORT"}), frozenset({("START", 1), ("ABORT", 1)}))
    assert not PLAIN.vouches(Name("n", "a.b"), Name("n", "c.d"))
    assert not PLAIN.nests_writes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KNOWN = {
    "jobType": st.fixed_dictionaries(
        {"jobType": JSON | st.sampled_from(["SQL_JOB", "RDD_JOB", "TEST"]), "integration": JSON}
    ),
    "dbt_node": st.fixed_dictionaries({"unique_id": JSON | st.just("model.a.b"), "database": JSON, "schema": JSON}),
    "feast_featureView": st.fixed_dictionaries({"entities": JSON}),
    "feast_onlineStore": st.fixed_dictionaries({"feature_view": JSON}),
    "storage": st.fixed_dictionaries({"storageLayer": JSON | st.just("iceberg")}),
    "version": st.fixed_dictionaries({"datasetVersion": JSON}),
    "icebergScanReport": st.fixed_dictionaries({"snapshotId": JSON}),
    "schema": st.fixed_dictionaries({"fields": JSON | st.lists(JSON, min_size=1, max_size=1)}),
    "parent": st.fixed_dictionaries({"job": JSON, "run": JSON, "root": JSON}),
    "columnLineage": st.fixed_dictionaries({"fields": JSON, "dataset": JSON}),
    "lineage": st.fixed_dictionaries({"inputs": JSON, "entries": JSON}),
    "symlinks": JSON,
}
FACETS = st.fixed_dictionaries({}, optional={name: JSON | shape for name, shape in KNOWN.items()})
NAMES = st.text(max_size=12) | st.sampled_from(
    ["a.db/a.db/t", "/m/metadata", "online_store_", "main.x_dbt_test__audit.t", "/stages/"]
)
DATASETS = st.lists(
    st.builds(EventDataset, st.builds(Name, st.text(max_size=3), NAMES), FACETS, FACETS), max_size=3
).map(tuple)


@given(
    dialect=st.sampled_from(DIALECTS),
    run_facets=FACETS,
    job_facets=FACETS,
    inputs=DATASETS,
    outputs=DATASETS,
    job=st.builds(Name, st.text(max_size=3), NAMES),
)
def test_no_shape_of_any_facet_raises(
    dialect: Any, run_facets: Any, job_facets: Any, inputs: Any, outputs: Any, job: Name
) -> None:
    hostile = Event(EventKind.RUN, b"", 0, "x", "START", "r", run_facets, job, job_facets, inputs, outputs)
    meant = dialect.meant(hostile)
    assert dialect.meant(meant) == meant
    claims = dialect.claims(meant, run_claims(meant, 0, 0))
    assert [write.name for write in claims.writes] == [output.name for output in meant.outputs]
    assert len(set(dialect.model_roots(meant))) <= len(inputs) + len(outputs)
