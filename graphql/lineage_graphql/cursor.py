"""Cursors: which question, at which ledger index, after which item; opaque, and refused where they don't belong.

The bytes: version, digest of the question (8), ledger index (8), number of items passed (8), the place of the last one
(at most 64), and an HMAC-SHA256 of all that, cut to 8 bytes: a cursor can be neither altered nor made.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from hashlib import sha256

from lineage.errors import BadCursorError

_HEAD = struct.Struct(">B8sqQ")
_VERSION = 1
_SIGNATURE = 8
_MOST = 200


@dataclass(frozen=True, slots=True)
class Cursor:
    """``question``: :func:`digest_of` what was asked; ``index``: the answer's ledger index; ``passed``: how many items
    lie before what comes next; ``place``: what tells the last of them, in the order of the list where it has one."""

    question: bytes
    index: int
    passed: int
    place: bytes


def digest_of(*parts: object) -> bytes:
    """Eight bytes that stand for a question: its parts must have a ``repr`` that tells all."""
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()[:8]


def encode_cursor(cursor: Cursor, secret: bytes) -> str:
    """``cursor`` as text (base64url without padding)."""
    body = _HEAD.pack(_VERSION, cursor.question, cursor.index, cursor.passed) + cursor.place
    return base64.urlsafe_b64encode(body + _sign(body, secret)).rstrip(b"=").decode()


def decode_cursor(text: str, secret: bytes) -> Cursor:
    """The cursor that ``text`` is. Raises BadCursorError for any that :func:`encode_cursor` didn't make."""
    try:
        if len(text) > _MOST:
            raise ValueError(text)
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        body, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
        if not hmac.compare_digest(signature, _sign(body, secret)):
            raise ValueError(text)
        version, question, index, passed = _HEAD.unpack_from(body)
        if version != _VERSION:
            raise ValueError(text)
    except (ValueError, UnicodeError, binascii.Error, struct.error) as error:
        raise BadCursorError(
            f"{text[:80]!r} is no cursor of this server.", hint="Take `endCursor` from the page before, as it stands."
        ) from error
    return Cursor(question, index, passed, body[_HEAD.size :])


def _sign(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, body, "sha256")[:_SIGNATURE]
