"""The intake's part of the OpenAPI document (3.1), written by hand; tests hold it against router and answers."""

from __future__ import annotations

from typing import Any

_RECEIPT: dict[str, Any] = {
    "type": "object",
    "required": ["index", "position", "eventHash", "duplicate", "warnings"],
    "properties": {
        "index": {"type": "integer", "minimum": 0, "description": "The ledger entry that holds the record."},
        "position": {"type": "integer", "minimum": 0, "description": "The record's place in the entry."},
        "eventHash": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        "duplicate": {"type": "boolean", "description": "The same bytes were acknowledged before, at this place."},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "element": {"type": "integer", "minimum": 0, "description": "In a batch: the record's place in it."},
    },
}
_FAILED: dict[str, Any] = {
    "type": "object",
    "required": ["index", "reason", "retriable", "code", "field"],
    "properties": {
        "index": {"type": "integer", "minimum": 0, "description": "The element's place in the batch."},
        "reason": {"type": "string"},
        "retriable": {"type": "boolean"},
        "code": {"type": "string"},
        "field": {"type": ["string", "null"], "description": "JSON Pointer (RFC 6901) to what is wrong."},
    },
}
_SUMMARY = ["received", "successful", "failed", "retriable", "non_retriable"]
_BATCH_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["status", "summary", "failed_events", "receipts"],
    "properties": {
        "status": {"enum": ["success", "partial_success"]},
        "summary": {
            "type": "object",
            "required": _SUMMARY,
            "properties": {name: {"type": "integer", "minimum": 0} for name in _SUMMARY},
        },
        "failed_events": {"type": "array", "items": _FAILED},
        "receipts": {"type": "array", "items": _RECEIPT},
    },
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "field": {"type": "string", "description": "JSON Pointer (RFC 6901) to what is wrong."},
    },
}
_ENTRY: dict[str, Any] = {
    "type": "object",
    "required": ["index", "kind", "received", "envelope", "leafHash", "records"],
    "properties": {
        "index": {"type": "integer", "minimum": 0},
        "kind": {"enum": ["lineage", "predictions"]},
        "received": {"type": "string", "format": "date-time"},
        "envelope": {
            "type": "object",
            "required": ["sender", "transport", "contentType", "sourceOffset"],
            "properties": {
                name: {"type": ["string", "null"]} for name in ("sender", "transport", "contentType", "sourceOffset")
            },
        },
        "leafHash": {"type": "string", "contentEncoding": "base64"},
        "records": {
            "type": "array",
            "items": {
                "oneOf": [
                    {"type": "string", "description": "The record's exact bytes, as UTF-8."},
                    {"type": "object", "required": ["base64"], "properties": {"base64": {"type": "string"}}},
                    {"type": "null", "description": "Erased."},
                ]
            },
        },
    },
}
_READY: dict[str, Any] = {
    "type": "object",
    "required": ["ready", "ledger", "projection"],
    "properties": {
        "ready": {"type": "boolean"},
        "ledger": {"type": "object", "required": ["writable", "fault"]},
        "projection": {
            "type": "object",
            "required": ["lag", "behind", "seconds", "waits"],
            "properties": {
                "lag": {"type": "integer", "minimum": 0, "description": "As `behind`."},
                "behind": {"type": "integer", "minimum": 0, "description": "Ledger entries that no answer shows yet."},
                "seconds": {"type": "number", "minimum": 0, "description": "Age of the oldest of them."},
                "waits": {"type": ["string", "null"], "description": "What the projection waits for, if for anything."},
            },
        },
    },
}
_OBJECT: dict[str, Any] = {"type": "object"}
_SEVERAL = {"application/json": {"type": "array", "items": _OBJECT}, "application/x-ndjson": {"type": "string"}}
_REFUSALS = {
    400: "Not JSON, broken gzip, NaN, duplicate keys, nested too deep.",
    408: "The body did not arrive in time.",
    413: "Too large, before or after decompression.",
    415: "A Content-Encoding other than gzip.",
    422: "A required field is missing or of the wrong type; `field` names it.",
    503: "Busy, or the ledger can't be written: send it again after `Retry-After` seconds.",
}
_ACCESS = {401: "No API key, or one that is not known.", 403: "A page or a host name that may not use this server."}


def openapi_paths() -> dict[str, Any]:
    """The ``paths`` object of what the intake serves, to be merged into the server's document."""
    return {
        "/api/v1/lineage": {"post": _post("One OpenLineage event", {"application/json": _OBJECT}, _single())},
        "/api/v1/lineage/batch": {"post": _post("Several OpenLineage events", _SEVERAL, _batch())},
        "/api/v1/predictions": {
            "post": _post(
                "One prediction record, or several",
                {**_SEVERAL, "application/json": {"oneOf": [_OBJECT, _SEVERAL["application/json"]]}},
                {**_single(), 200: _content("A duplicate's receipt, or a batch's answer.", _either())},
            )
        },
        "/api/v1/ledger/entries": {"get": _feed()},
        "/api/v1/facets": {"get": _get("The names of our facets' schemas", {200: _content("Names.", _OBJECT)})},
        "/api/v1/facets/{name}": {"get": _facet()},
        "/healthz": {"get": _get("Alive", {200: _content("The server turns.", _OBJECT)}, access=False)},
        "/readyz": {"get": _ready()},
        "/metrics": {
            "get": _get("Prometheus metrics", {200: _content("Text format.", {"type": "string"}, "text/plain")})
        },
    }


def _single() -> dict[int, Any]:
    return {
        201: _content("Durable; the receipt.", _RECEIPT),
        200: _content("Acknowledged before; the first receipt.", _RECEIPT),
    }


def _batch() -> dict[int, Any]:
    return {200: _content("What was taken is durable; what was not is listed.", _BATCH_ANSWER)}


def _either() -> dict[str, Any]:
    return {"oneOf": [_RECEIPT, _BATCH_ANSWER]}


def _post(summary: str, bodies: dict[str, Any], answers: dict[int, Any]) -> dict[str, Any]:
    content = {media_type: {"schema": schema} for media_type, schema in bodies.items()}
    operation = _get(summary, {**answers, **_problems(_REFUSALS)})
    return {**operation, "requestBody": {"required": True, "content": content}}


def _feed() -> dict[str, Any]:
    parameters = [
        _parameter("after", {"type": "integer", "minimum": -1, "default": -1}, "Give entries with a larger index."),
        _parameter("wait", {"type": "number", "minimum": 0, "default": 0}, "Seconds to wait for the first entry."),
        _parameter("limit", {"type": "integer", "minimum": 1, "default": 1000}, "Most entries to give."),
    ]
    answers = {
        200: _content("One entry a line; none when none came in time.", _ENTRY, "application/x-ndjson"),
        **_problems({400: "A malformed parameter, or an index that does not exist yet."}),
    }
    return {**_get("The ledger as a feed, resumable by index", answers), "parameters": parameters}


def _facet() -> dict[str, Any]:
    answers = {
        200: _content("The JSON schema.", _OBJECT, "application/schema+json"),
        **_problems({404: "There is no such schema."}),
    }
    name = {
        **_parameter("name", {"type": "string"}, "File name without .json, or `$id`."),
        "in": "path",
        "required": True,
    }
    return {**_get("A facet's schema", answers), "parameters": [name]}


def _ready() -> dict[str, Any]:
    answers = {200: _content("Records can be taken.", _READY), 503: _content("They can't; why.", _READY)}
    return _get("Ready", answers, access=False)


def _get(summary: str, answers: dict[int, Any], access: bool = True) -> dict[str, Any]:
    every = {**answers, **(_problems(_ACCESS) if access else {})}
    return {"summary": summary, "tags": ["intake"], "responses": {str(code): every[code] for code in sorted(every)}}


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _problems(statuses: dict[int, str]) -> dict[int, Any]:
    return {status: _content(text, _PROBLEM, "application/problem+json") for status, text in statuses.items()}


def _content(description: str, schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}
