"""Envelopes at rest and in the leaf: who sent a request and how, apart from the source offset few and much repeated."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import lru_cache

from lineage.ledger import Envelope
from lineage.ledger.damage import damaged
from lineage.proof import leaf


@lru_cache(maxsize=4096)
def canonical_envelope(envelope: Envelope) -> bytes:
    """The envelope's RFC 8785 bytes, which leaf v1 commits to: members camelCased, those that are None left out."""
    return leaf.envelope_bytes(
        {
            "contentType": envelope.content_type,
            "sender": envelope.sender,
            "sourceOffset": envelope.source_offset,
            "transport": envelope.transport,
        }
    )


@lru_cache(maxsize=4096)
def tellable_envelope(envelope: Envelope) -> tuple[Envelope, bytes]:
    """The envelope as JSON can tell it (U+FFFD for lone surrogates, as in odd file names), and its canonical bytes."""
    members = (getattr(envelope, field.name) for field in fields(envelope))
    clean = Envelope(*(text and text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in members))
    return clean, canonical_envelope(clean)


def stored_members(envelope: Envelope) -> str:
    """What repeats of an envelope, as the table ``senders`` has it."""
    return json.dumps([envelope.sender, envelope.transport, envelope.content_type])


def stored_envelope(members: str | None, source_offset: str | None) -> Envelope:
    """The envelope again; an erased one says nothing. Raises DataFolderError where it is no envelope."""
    if members is None:
        return Envelope(transport="")
    return _envelope(members) if source_offset is None else _with_offset(_envelope(members), source_offset)


@lru_cache(maxsize=4096)
def _envelope(members: str) -> Envelope:
    try:
        sender, transport, content_type = json.loads(members)
        envelope = Envelope(sender, transport, content_type)
        canonical_envelope(envelope)
    except (ValueError, TypeError) as error:
        raise damaged("The envelope of an entry") from error
    return envelope


def _with_offset(envelope: Envelope, source_offset: str) -> Envelope:
    return Envelope(envelope.sender, envelope.transport, envelope.content_type, source_offset)
