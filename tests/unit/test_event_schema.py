"""Parsing against the official JSON schema: the same verdict on presence and type, save the tolerances named here."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import event as label
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.errors import InvalidEventError
from lineage.event.model import Event
from lineage.event.parser import parse_event

SPEC = Path(__file__).parents[2] / ".." / "shared" / "data" / "openlineage-spec"
pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the OpenLineage specification is not on this machine")

RUN_ID = "0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f"
FACET = {"_producer": "https://example.com", "_schemaURL": "https://example.com/f.json"}
BASE = {
    "eventTime": "2026-05-01T10:00:00Z",
    "producer": "https://example.com",
    "schemaURL": "https://example.com/s.json",
}
JOB = {"namespace": "n", "name": "j", "facets": {"sql": {**FACET, "query": "SELECT 1"}}}
RUN = {"runId": RUN_ID, "facets": {"parent": FACET}}
DATASET = {"namespace": "n", "name": "d", "facets": {"schema": {**FACET, "fields": []}}}
IO = {
    "inputs": [{**DATASET, "inputFacets": {"x": FACET}}, DATASET],
    "outputs": [{**DATASET, "outputFacets": {"y": FACET}}],
}
VALID = [
    {**BASE, "eventType": "START", "run": RUN, "job": JOB, **IO},
    {**BASE, "eventType": "OTHER", "job": JOB, **IO},
    {**BASE, "dataset": DATASET},
    {**BASE, "run": RUN, "job": JOB, "dataset": DATASET, "inputs": []},
    {**BASE, "run": RUN, "dataset": DATASET},
]


def official() -> dict[str, Any]:
    return json.loads((SPEC / "OpenLineage.json").read_text())  # type: ignore[no-any-return]


def tolerated() -> dict[str, Any]:
    """The official schema without what is tolerated on purpose."""
    schema = official()
    definitions = schema["$defs"]
    # FACET_BASE: a facet needs neither _producer nor _schemaURL, and these may be anything.
    definitions["BaseFacet"] = {"type": "object"}
    # FACET_DELETED: what _deleted means is for the fold to say.
    definitions["JobFacet"] = definitions["DatasetFacet"] = {"type": "object"}
    # EVENT_TYPE: any text; upper-cased, and told when unknown.
    del definitions["RunEvent"]["allOf"][1]["properties"]["eventType"]["enum"]
    return schema


@cache
def validator(*, tolerant: bool) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(tolerated() if tolerant else official())


def is_ambiguous(event: Any) -> bool:
    """JOB_AND_DATASET: refused even where one of the two is malformed, which makes the event valid for the schema."""
    return isinstance(event, dict) and "job" in event and "run" not in event and isinstance(event.get("dataset"), dict)


def has_unreadable_text(error: InvalidEventError, event: Any) -> bool:
    """FORMATS: eventTime and runId must be readable; the schema's formats are not asserted by validators as a rule."""
    if error.field == "/eventTime":
        return isinstance(event["eventTime"], str)
    return error.field == "/run/runId" and isinstance(event["run"]["runId"], str)


def pointers(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from pointers(inner, (*at, key))


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1.5, "", "x", [], {}, ["x"], [{}], [None], {"x": None}, {"x": {}}, JOB, RUN, DATASET, [DATASET]]
)


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    event = json.loads(json.dumps(draw(st.sampled_from(VALID))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.sampled_from(sorted(pointers(event), key=str)))
        owner = event
        for key in at[:-1]:
            owner = owner[key]
        if draw(st.booleans()):
            del owner[at[-1]]
        else:
            owner[at[-1]] = json.loads(json.dumps(draw(JUNK)))
        if draw(st.integers(0, 3)) == 0:
            key = draw(st.sampled_from(["run", "job", "dataset", "inputs", "outputs", "eventType", "new"]))
            event[key] = json.loads(json.dumps(draw(JUNK)))
        if not event:
            break
    return event  # type: ignore[no-any-return]


def refusal_of(event: Any) -> InvalidEventError | None:
    try:
        parse_event(json.dumps(event).encode())
    except InvalidEventError as error:
        return error
    return None


@given(mutants())
@settings(max_examples=1000, deadline=None)
def test_the_verdict_is_that_of_the_official_schema_save_the_named_tolerances(event: dict[str, Any]) -> None:
    refusal = refusal_of(event)
    label("refused" if refusal else "taken")
    if refusal is None:
        assert validator(tolerant=True).is_valid(event)
    elif validator(tolerant=True).is_valid(event):
        assert is_ambiguous(event) or has_unreadable_text(refusal, event), str(refusal)


@given(mutants())
@settings(max_examples=300, deadline=None)
def test_nothing_that_the_official_schema_takes_is_refused_save_the_named_strictnesses(event: dict[str, Any]) -> None:
    refusal = refusal_of(event)
    if refusal is not None and validator(tolerant=False).is_valid(event):
        assert is_ambiguous(event) or has_unreadable_text(refusal, event), str(refusal)


def test_the_unchanged_events_are_valid() -> None:
    for event in VALID:
        assert validator(tolerant=False).is_valid(event)
        assert parse_event(json.dumps(event).encode()).warnings == ()


def place_of(facet: str) -> tuple[str, str]:
    """Where a facet of this class stands: the entity, and the key of its facets."""
    for suffix, place in (
        ("InputDatasetFacet", ("input", "inputFacets")),
        ("OutputDatasetFacet", ("output", "outputFacets")),
        ("BaseSubsetDatasetFacet", ("input", "inputFacets")),
        ("DatasetFacet", ("input", "facets")),
        ("RunFacet", ("run", "facets")),
        ("JobFacet", ("job", "facets")),
        ("LineageFacet", ("job", "facets")),
    ):
        if facet.endswith(suffix):
            return place
    raise AssertionError(f"no place is known for {facet}")


def wrapped(entity: str, key: str, facets: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {name: {"namespace": "n", "name": "d"} for name in ("input", "output", "job")}
    parts["run"] = {"runId": RUN_ID}
    parts[entity][key] = facets
    return {**BASE, "run": parts["run"], "job": parts["job"], "inputs": [parts["input"]], "outputs": [parts["output"]]}


def facets_at(event: Event, entity: str, key: str) -> Any:
    if entity == "run":
        return event.run_facets
    if entity == "job":
        return event.job_facets
    dataset = event.inputs[0] if entity == "input" else event.outputs[0]
    return dataset.facets if key == "facets" else dataset.io_facets


EXAMPLES = sorted((SPEC / "tests").glob("*/*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_official_example_of_a_facet_is_kept_whole(path: Path) -> None:
    facets = json.loads(path.read_text())
    entity, key = place_of(path.parent.name)
    event = wrapped(entity, key, facets)
    assert facets_at(parse_event(json.dumps(event).encode()), entity, key) == facets
    assert validator(tolerant=False).is_valid(event)


def test_the_official_example_event_is_read() -> None:
    event = parse_event((SPEC / "tests" / "example_full_event.json").read_bytes())
    assert (event.type, event.run_id) == ("COMPLETE", "f69a6e9b-9bac-3c9a-9cf6-eacb70ecc9a9")
    assert event.warnings == ()
    assert event.dataset is None, "run, job and dataset make a run event"


def test_the_examples_are_where_they_are_looked_for() -> None:
    assert len(EXAMPLES) > 40
