"""The bytes of an OpenLineage event to an :class:`~lineage.event.model.Event` (specification 2-0-2, ``OpenLineage.json``).

What is missing or of the wrong type is judged as the official JSON schema does; strings are not held to its formats, save
``eventTime`` and ``run.runId``, which must be readable. More is taken than the schema allows: ``eventType`` in any case or
unknown, ``producer`` and ``schemaURL`` of any text, facets without ``_producer`` and ``_schemaURL``. Two things less: an
object under ``dataset`` beside ``job`` without ``run`` is refused even where one of the two is malformed, as nothing then
says which was meant; and so is an event without ``run`` that has an ``eventType`` and calls itself a RunEvent in
``schemaURL``. With ``eventType`` alone it is a JobEvent, as the schema has it; the warning NO_RUN tells that a run's state
came without a run.

>>> parse_event(b'{"eventTime": "2026-05-01T10:00:00", "producer": "me", "schemaURL": "", "job": {"namespace": "n", "name": "j"}}').warnings
('NO_ZONE',)
"""  # noqa: E501

from __future__ import annotations

from hashlib import sha256
from typing import Any

from lineage.errors import InvalidEventError
from lineage.event.blocks import Blocks
from lineage.event.decoder import decode_with_warnings
from lineage.event.fields import facets_of, name_of, object_of, refusal, run_id_of, shown, string_of, time_of
from lineage.event.model import Event, EventDataset, EventKind, Facets, Name

EVENT_TYPES = frozenset({"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"})
UNKNOWN_EVENT_TYPE = "UNKNOWN_EVENT_TYPE"
NO_RUN = "NO_RUN"

_BLOCKS = Blocks()

_KINDS = "A RunEvent has run and job, a JobEvent job alone, a DatasetEvent dataset alone."


def parse_event(data: bytes, *, now: int | None = None) -> Event:
    """Read one event from the exact bytes received; ``now`` (UTC microseconds) is what FUTURE_EVENT_TIME is told by.

    Nothing but ``data`` and ``now`` enters the result: without ``now`` the clock is not asked, and no event is in the
    future. Warnings: NO_ZONE, FUTURE_EVENT_TIME, UNKNOWN_EVENT_TYPE, NO_RUN (a JobEvent with an ``eventType`` other
    than OTHER), LONE_SURROGATE, NUL_CHARACTER, DUPLICATE_KEY.
    Raises NotJSONError, and InvalidEventError with ``field``.
    """
    event, warnings = decode_with_warnings(data)
    if type(event) is not dict:
        raise InvalidEventError(f"An event must be an object, but this is {shown(event)}.", field="")
    time, time_warnings = time_of(event, "eventTime", now)
    producer = string_of(event, "producer", "")
    string_of(event, "schemaURL", "")
    kind = _kind(event)
    event_type, type_warnings = _type(event, kind)
    run_id, run_facets = _run(event) if kind is EventKind.RUN else (None, {})
    has_job = kind is not EventKind.DATASET
    job, job_facets = _job(event) if has_job else (None, {})
    return Event(
        kind=kind,
        hash=sha256(data).digest(),
        time=time,
        producer=producer,
        type=event_type,
        run_id=run_id,
        run_facets=run_facets,
        job=job,
        job_facets=job_facets,
        inputs=_datasets(event, "inputs", "inputFacets") if has_job else (),
        outputs=_datasets(event, "outputs", "outputFacets") if has_job else (),
        dataset=None if has_job else _dataset(object_of(event, "dataset", ""), "/dataset", None),
        warnings=time_warnings + type_warnings + warnings,
    )


def _kind(event: dict[str, Any]) -> EventKind:
    if "job" in event:
        if "run" in event:
            return EventKind.RUN
        if type(event.get("dataset")) is dict:
            raise InvalidEventError(
                "/run must be there when both /job and /dataset are, but is missing.", hint=_KINDS, field="/run"
            )
        if "eventType" in event and event["schemaURL"].endswith("/RunEvent"):
            raise refusal(event, "run", "", "an object in a RunEvent, as eventType and schemaURL say that this is")
        return EventKind.JOB
    if "dataset" in event:
        return EventKind.DATASET
    if "run" in event:
        raise refusal(event, "job", "", "an object beside a run")
    raise InvalidEventError("/run, /job and /dataset are all missing.", hint=_KINDS, field="/run")


def _type(event: dict[str, Any], kind: EventKind) -> tuple[str | None, tuple[str, ...]]:
    if "eventType" not in event:
        return None, ()
    value = event["eventType"]
    if type(value) is not str:
        if kind is EventKind.RUN:
            raise refusal(event, "eventType", "", f"one of {', '.join(sorted(EVENT_TYPES))}")
        return None, ()
    event_type = value.upper()
    no_run = (NO_RUN,) if kind is EventKind.JOB and event_type != "OTHER" else ()
    return event_type, no_run if event_type in EVENT_TYPES else (*no_run, UNKNOWN_EVENT_TYPE)


def _run(event: dict[str, Any]) -> tuple[str, Facets]:
    run = object_of(event, "run", "")
    return run_id_of(run, "runId", "/run"), facets_of(run, "facets", "/run")


def _job(event: dict[str, Any]) -> tuple[Name, Facets]:
    job = object_of(event, "job", "")
    return name_of(job, "/job"), _shared(facets_of(job, "facets", "/job"))


def _datasets(event: dict[str, Any], key: str, io_key: str) -> tuple[EventDataset, ...]:
    if key not in event:
        return ()
    datasets = event[key]
    if type(datasets) is not list:
        raise refusal(event, key, "", "an array of datasets")
    return tuple([_dataset(dataset, f"/{key}/{index}", io_key) for index, dataset in enumerate(datasets)])


def _dataset(dataset: Any, at: str, io_key: str | None) -> EventDataset:
    if type(dataset) is not dict:
        raise InvalidEventError(f"{at} must be a dataset, which is an object, but is {shown(dataset)}.", field=at)
    key = _BLOCKS.key(f"dataset/{io_key}", dataset)
    found: EventDataset | None = _BLOCKS.find(key)
    if found is None:
        io_facets = facets_of(dataset, io_key, at) if io_key else {}
        found = EventDataset(name_of(dataset, at), _shared(facets_of(dataset, "facets", at)), io_facets)
        _BLOCKS.keep(key, found)
    return found


def _shared(facets: Facets) -> Facets:
    return {name: _BLOCKS.shared(facet) for name, facet in facets.items()}
