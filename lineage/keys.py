"""From a natural key to the 16-byte store key and to the Relay id: the same in every store and after every rebuild.

A store key is the first 16 bytes of SHA-256 over the base kind and the length-prefixed parts of the natural key, so no
two lists of parts are ever the same bytes. A Relay id is base64url of the base kind and the store key.

>>> key = dataset_key("postgres://db", "public.orders")
>>> key.hex()
'1d19a0da9b18f4135f7075e390d5b5c2'
>>> decode_id(encode_id(Base.DATASET, key)) == (Base.DATASET, key)
True
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from hashlib import sha256
from struct import Struct

from lineage.errors import InvalidSubjectError
from lineage.word import Word


class Base(Word):
    """The kinds that keys distinguish; a model is a DATASET, a deployment a JOB, a rollout a RUN."""

    DATASET = "DATASET"
    COLUMN = "COLUMN"
    JOB = "JOB"
    RUN = "RUN"
    FLOW = "FLOW"
    VERSION = "VERSION"


_KEY_BYTES = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MARKS = {base: base.value.encode() + b":" for base in Base}
_length = Struct(">I").pack
_PREFIXES = {base: _length(len(base.value)) + base.value.encode() for base in Base}


_remembered = lru_cache(maxsize=65536)


@_remembered
def store_key(base: Base, *parts: str) -> bytes:
    """The 16-byte key of the thing that ``parts`` name, in the order of its natural key."""
    return sha256(_PREFIXES[base] + b"".join(map(_prefixed, parts))).digest()[:_KEY_BYTES]


@_remembered
def _prefixed(part: str) -> bytes:
    encoded = part.encode()
    return _length(len(encoded)) + encoded


@_remembered
def dataset_key(namespace: str, name: str) -> bytes:
    """The key of a dataset or model."""
    return store_key(Base.DATASET, namespace, name)


@_remembered
def column_key(namespace: str, name: str, column: str) -> bytes:
    """The key of a dataset's field; nested fields by their dotted path as OpenLineage tells them."""
    return store_key(Base.COLUMN, namespace, name, column)


@_remembered
def job_key(namespace: str, name: str) -> bytes:
    """The key of a job or deployment."""
    return store_key(Base.JOB, namespace, name)


@_remembered
def run_key(run_id: str, namespace: str, name: str) -> bytes:
    """The key of one run of one job; one runId under two jobs is two runs (R1)."""
    return store_key(Base.RUN, run_id, namespace, name)


def encode_id(base: Base, key: bytes) -> str:
    """The Relay id of a node."""
    told = binascii.b2a_base64(_MARKS[base] + key, newline=False)
    return told.rstrip(b"=").translate(_URL_SAFE).decode()


def decode_id(text: str) -> tuple[Base, bytes]:
    """Base kind and store key of a Relay id. Raises InvalidSubjectError for anything that no node could have."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        base, separator, key = raw.partition(b":")
        if not separator or len(key) != _KEY_BYTES:
            raise ValueError(text)
        return Base(base.decode("ascii")), key
    except (ValueError, UnicodeError, binascii.Error) as error:
        raise InvalidSubjectError(
            f"{text[:80]!r} is no node id.", hint="Take the id of a node from an answer, as it stands.", field="/id"
        ) from error
