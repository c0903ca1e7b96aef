"""From an event as meant to its claims: the one place that knows where OpenLineage's facets say what.

Facets are not trusted to have the shape that their schema gives: whatever has another is as if it were not told, and
stays in the ledger as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lineage.event.blocks import derived
from lineage.event.model import Event, EventDataset
from lineage.facts.claims import Claims, Entry, Parent, Read, Source, Telling, Traffic, Write
from lineage.facts.schema import Fields, fields_of, schema_digest
from lineage.facts.storable import storable
from lineage.model import Digest, Name, Transformation

CONTENT_HASH = "lineageGraph_contentHash"
MODEL_CARD = "lineageGraph_model"
METRICS = "lineageGraph_metrics"
ENVIRONMENT = "lineageGraph_environment"
ROLE = "lineageGraph_role"
ROLLOUT = "lineageGraph_rollout"

#: Dataset facets that speak of one version, one read or one write, and not of the dataset for good.
PASSING_DATASET_FACETS = frozenset(
    {"version", "columnLineage", "lineage", "lifecycleStateChange", CONTENT_HASH, MODEL_CARD, ROLE}
)
#: The dataset facets that say what a dataset is made from.
DECLARED_SOURCES = ("lineage", "columnLineage")
#: Run facets that the graph shows; the others are in the ledger.
SHOWN_RUN_FACETS = frozenset(
    {
        "executionParameters",
        "errorMessage",
        "nominalTime",
        "processing_engine",
        "externalQuery",
        "jobDependencies",
        "tags",
        METRICS,
        ENVIRONMENT,
        ROLLOUT,
    }
)
_ROLES = frozenset({"TRAIN", "VALIDATION", "TEST", "REFERENCE", "BASE_MODEL"})
_PROCESSING_TYPES = {"BATCH": "BATCH", "STREAMING": "STREAMING", "SERVICE": "SERVICE", "DEPLOYMENT": "SERVICE"}


def run_claims(event: Event, index: int, position: int) -> Claims:
    """The claims of a RunEvent, or of a JobEvent about its job."""
    rollout = _facet(event.run_facets, ROLLOUT)
    location = _facet(event.job_facets, "sourceCodeLocation")
    error = _facet(event.run_facets, "errorMessage")
    shown = event.run_facets.keys() & SHOWN_RUN_FACETS
    facets = {name: value for name in sorted(shown) if _told(value := event.run_facets[name])}
    if error:
        facets["errorMessage"] = {k: error[k] for k in ("message", "programmingLanguage") if k in error}
    return Claims(
        time=event.time,
        hash=event.hash,
        index=index,
        position=position,
        type=event.type,
        run_type=processing_type(event.job_facets),
        reads=tuple([_read(dataset) for dataset in event.inputs]),
        writes=tuple([_write(dataset) for dataset in event.outputs]),
        entries=tuple(_entries(event)),
        parent=_parent(event.run_facets),
        traffic=_traffic(rollout),
        environment=_text(rollout.get("environment")),
        facets=storable(facets) if facets else facets,
        commit=_text(location.get("version")),
        repository=_text(location.get("repoUrl")) or _text(location.get("url")),
    )


def dataset_telling(event: Event) -> Telling | None:
    """What a DatasetEvent tells of one version and of what that was made from; None if it tells no version."""
    dataset = event.dataset
    assert dataset is not None
    version, digests = _version(dataset), _digests(dataset)
    if version is None and not digests:
        return None
    sources = declared_sources({name: dataset.facets.get(name) for name in DECLARED_SOURCES})
    reads = None if sources is None else tuple(Read(name) for name in dict.fromkeys(s.name for s in sources))
    card, schema = storable(_facet(dataset.facets, MODEL_CARD)), schema_of(dataset)[1]
    return Telling(event.time, event.hash, version, digests, card, reads, schema)


def declared_sources(facets: Mapping[str, Any]) -> tuple[Source, ...] | None:
    """What a dataset is made from as its own ``lineage`` facet says, else its columnLineage (R3, R5); None if neither
    does."""
    lineage = _facet(facets, "lineage")
    if "inputs" in lineage or "fields" in lineage:
        return _entry(None, lineage, None).sources
    return _columns(facets) or None


@derived
def lasting_facets(dataset: EventDataset) -> dict[str, Any]:
    """The facets of a dataset that hold until they are told anew."""
    return {name: value for name, value in dataset.facets.items() if name not in PASSING_DATASET_FACETS}


@derived
def schema_of(dataset: EventDataset) -> tuple[Fields, bytes | None]:
    """The fields that the dataset's schema facet tells, and their digest."""
    fields = fields_of(dataset.facets)
    return fields, schema_digest(fields)


def processing_type(job_facets: Mapping[str, Any]) -> str | None:
    """BATCH, STREAMING or SERVICE as the jobType facet tells it; DEPLOYMENT counts as SERVICE (R1)."""
    facet = _facet(job_facets, "jobType")
    if _upper(facet.get("jobType")) == "DEPLOYMENT":
        return "SERVICE"
    return _PROCESSING_TYPES.get(_upper(facet.get("processingType")))


def symlinks(facet: Any) -> tuple[Name, ...]:
    """The identifiers of a symlinks facet, in their order."""
    identifiers = facet.get("identifiers") if isinstance(facet, dict) else None
    return tuple(name for item in _dicts(identifiers) if (name := _name(item)))


def _told(value: Any) -> bool:
    return isinstance(value, dict) and value.get("_deleted") is not True


def _facet(facets: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = facets.get(name)
    return value if isinstance(value, dict) and value.get("_deleted") is not True else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _upper(value: Any) -> str:
    return value.upper() if isinstance(value, str) else ""


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _name(value: Any) -> Name | None:
    if not isinstance(value, dict):
        return None
    namespace, name = value.get("namespace"), value.get("name")
    return Name(namespace, name) if isinstance(namespace, str) and isinstance(name, str) else None


def _version(dataset: EventDataset) -> str | None:
    value = _facet(dataset.facets, "version").get("datasetVersion")
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" else None


def _digests(dataset: EventDataset) -> tuple[Digest, ...]:
    return tuple(
        Digest(
            algorithm=str(item["algorithm"]).lower(),
            digest=item["digest"].lower(),
            scope=_upper(item.get("scope")) or "FULL",
            method=_text(item.get("method")) or "",
            bytes=_count(item.get("bytes")),
            rows=_count(item.get("rows")),
        )
        for item in _dicts(_facet(dataset.facets, CONTENT_HASH).get("digests"))
        if _text(item.get("algorithm")) and _text(item.get("digest"))
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


@derived
def _read(dataset: EventDataset) -> Read:
    role = _upper(_facet(dataset.facets, ROLE).get("role") or _facet(dataset.io_facets, ROLE).get("role"))
    return Read(
        dataset.name, _version(dataset), _digests(dataset), role if role in _ROLES else None, schema_of(dataset)[1]
    )


@derived
def _write(dataset: EventDataset) -> Write:
    state = _facet(dataset.facets, "lifecycleStateChange")
    return Write(
        name=dataset.name,
        version=_version(dataset),
        digests=_digests(dataset),
        lifecycle=_upper(state.get("lifecycleStateChange")) or None,
        previous=_name(state.get("previousIdentifier")),
        card=storable(_facet(dataset.facets, MODEL_CARD)),
        columns=_columns(dataset.facets),
        schema=schema_of(dataset)[1],
    )


def _transformations(item: Mapping[str, Any]) -> tuple[Transformation, ...]:
    return tuple(
        Transformation(
            type=_upper(each.get("type")) or "DIRECT",
            subtype=_text(each.get("subtype")),
            masking=each.get("masking") if isinstance(each.get("masking"), bool) else None,
        )
        for each in _dicts(item.get("transformations"))
    )


def _columns(facets: Mapping[str, Any]) -> tuple[Source, ...]:
    facet = _facet(facets, "columnLineage")
    fields = facet.get("fields")
    claimed: list[Source] = []
    if isinstance(fields, dict):
        for output_field, value in fields.items():
            if isinstance(value, dict):
                claimed += _fields(value.get("inputFields"), output_field)
    claimed += _fields(facet.get("dataset"), None)
    return tuple(claimed)


def _fields(items: Any, output_field: str | None) -> list[Source]:
    return [
        Source(name, _text(item.get("field")), output_field, _transformations(item))
        for item in _dicts(items)
        if (name := _name(item))
    ]


def _entries(event: Event) -> Iterator[Entry]:
    for dataset in event.outputs:
        if _tells_lineage(dataset):
            yield _entry(dataset.name, _facet(dataset.facets, "lineage"), event.job)
    for item in _dicts(_facet(event.job_facets, "lineage").get("entries")):
        target = _name(item)
        if _upper(item.get("type")) == "JOB":
            if target is None or target == event.job:
                yield _entry(None, item, event.job)
        elif target is not None:
            yield _entry(target, item, event.job)


@derived
def _tells_lineage(dataset: EventDataset) -> bool:
    facet = _facet(dataset.facets, "lineage")
    return "inputs" in facet or "fields" in facet


def _entry(target: Name | None, item: Mapping[str, Any], job: Name | None) -> Entry:
    sources: list[Source] = []
    own_job = False
    fields = item.get("fields")
    listed: list[tuple[str | None, Any]] = [(None, item.get("inputs"))]
    if isinstance(fields, dict):
        listed += [(field, value.get("inputs")) for field, value in fields.items() if isinstance(value, dict)]
    for output_field, inputs in listed:
        for each in _dicts(inputs):
            name = _name(each)
            if _upper(each.get("type")) == "JOB":
                own_job = own_job or name is None or name == job
            elif name is not None:
                sources.append(Source(name, _text(each.get("field")), output_field, _transformations(each)))
    return Entry(target, tuple(sources), own_job)


def _parent(run_facets: Mapping[str, Any]) -> Parent | None:
    facet = _facet(run_facets, "parent")
    found = _run_and_job(facet)
    if found is None:
        return None
    return Parent(found[0], found[1], root=_run_and_job(facet.get("root")))


def _run_and_job(value: Any) -> tuple[str, Name] | None:
    run = value.get("run") if isinstance(value, dict) else None
    if not isinstance(run, dict):
        return None
    run_id, job = _text(run.get("runId")), _name(value.get("job"))
    return (run_id.lower(), job) if run_id and job else None


def _traffic(rollout: Mapping[str, Any]) -> tuple[Traffic, ...] | None:
    if not isinstance(rollout.get("traffic"), list):
        return None
    return tuple(
        Traffic(name, _text(item.get("version")), _percent(item.get("percent")))
        for item in _dicts(rollout["traffic"])
        if (name := _name(item))
    )


def _percent(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 100.0
    try:
        return float(value)
    except OverflowError:
        return 100.0
