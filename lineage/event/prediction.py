"""The bytes of a prediction record to a :class:`~lineage.event.model.PredictionRecord`.

Required: ``id``, ``time``, ``deployment`` with ``namespace`` and ``name``. The others may be absent, or null, which means
the same. ``inputHash`` and ``outputHash`` should be ``sha256:`` and 64 hexadecimal digits; any other text is kept as it
is, with the warning UNKNOWN_HASH_FORM.

>>> parse_prediction(b'{"id": "p1", "time": "2026-05-01T10:00:00Z", "deployment": {"namespace": "n", "name": "d"}}').deployment
Name(namespace='n', name='d')
"""  # noqa: E501

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from lineage.errors import InvalidEventError
from lineage.event.decoder import decode_with_warnings
from lineage.event.fields import name_of, object_of, run_id_of, shown, string_of, time_of
from lineage.event.model import Name, PredictionRecord

UNKNOWN_HASH_FORM = "UNKNOWN_HASH_FORM"

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII | re.IGNORECASE)


def parse_prediction(data: bytes, *, now: int | None = None) -> PredictionRecord:
    """Read one prediction record from the exact bytes received; ``now`` as for ``lineage.event.parser.parse_event``.

    Warnings: NO_ZONE, FUTURE_EVENT_TIME, UNKNOWN_HASH_FORM, LONE_SURROGATE, NUL_CHARACTER, DUPLICATE_KEY.
    Raises NotJSONError, and InvalidEventError with ``field``.
    """
    record, warnings = decode_with_warnings(data)
    if type(record) is not dict:
        raise InvalidEventError(f"A prediction must be an object, but this is {shown(record)}.", field="")
    time, time_warnings = time_of(record, "time", now)
    model, model_version = _model(record)
    input_hash, output_hash = _optional(record, "inputHash", ""), _optional(record, "outputHash", "")
    return PredictionRecord(
        hash=sha256(data).digest(),
        id=string_of(record, "id", ""),
        time=time,
        deployment=name_of(object_of(record, "deployment", ""), "/deployment"),
        run_id=None if record.get("run") is None else run_id_of(record, "run", ""),
        model=model,
        model_version=model_version,
        input_hash=input_hash,
        output_hash=output_hash,
        warnings=time_warnings + _hash_warnings(input_hash, output_hash) + warnings,
    )


def _model(record: dict[str, Any]) -> tuple[Name | None, str | None]:
    if record.get("model") is None:
        return None, None
    model = object_of(record, "model", "")
    return name_of(model, "/model"), _optional(model, "version", "/model")


def _hash_warnings(*hashes: str | None) -> tuple[str, ...]:
    known = all(told is None or _SHA256.fullmatch(told) for told in hashes)
    return () if known else (UNKNOWN_HASH_FORM,)


def _optional(owner: dict[str, Any], key: str, at: str) -> str | None:
    return None if owner.get(key) is None else string_of(owner, key, at)
