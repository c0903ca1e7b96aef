"""Where a question goes: to a server over HTTP, or to the files of a data folder, read-only beside a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineage.cli.failure import told_error
from lineage.cli.operations import operation
from lineage.cli.remote import Server
from lineage.errors import LineageError, NotFoundError

Data = dict[str, Any]
Ask = Callable[[str, Data], Data]
"""Asks a named operation with variables; gives the answer's data. Raises the LineageError that the answer tells."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask: the files of ``data`` if given, or else the server at ``url`` with ``key``; of ``at_index``, if
    given: as when that ledger entry was the last."""

    url: str
    data: Path | None = None
    key: str | None = None
    at_index: int | None = None


@contextmanager
def asking(place: Place) -> Iterator[Ask]:
    """Ask ``place`` within the ``with`` block. Raises UnavailableError, DataFolderError."""
    past = {} if place.at_index is None else {"atIndex": place.at_index}
    with _server(place) if place.data is None else _folder(place.data, is_past=bool(past)) as answer:

        def ask(name: str, variables: Data) -> Data:
            return data_of(answer(operation(name), variables | past))

        yield ask


def data_of(response: Data) -> Data:
    """The data of a GraphQL response. Raises the first of its errors."""
    errors = response.get("errors")
    if errors:
        first = errors[0]
        raise told_error(first.get("extensions") or {}, str(first.get("message", "The server gave no reason.")))
    data: Data = response["data"]
    return data


@contextmanager
def _server(place: Place) -> Iterator[Callable[[str, Data], Data]]:
    with Server(place.url, place.key) as server:
        yield server.graphql


@contextmanager
def _folder(data: Path, *, is_past: bool) -> Iterator[Callable[[str, Data], Data]]:
    from lineage.cli.folder import open_context, open_past
    from lineage_graphql import build_schema, execute

    with open_past(data) if is_past else open_context(data) as context:
        schema = build_schema(context.caps)
        yield lambda query, variables: execute(schema, context, query, variables)


def find_subject(ask: Ask, text: str) -> Data:
    """The ``SubjectInput`` of the one thing that ``text`` names: an id, a hash, a runId, a commit, or (a part of) a
    name. Raises NotFoundError when nothing is named so, LineageError when several things are."""
    hits = _hits(ask, text)
    exact = [hit for hit in hits if text in (hit["label"], hit["name"])] or [
        hit for hit in hits if str(hit["name"] or "").rpartition("/")[2] == text
    ]
    found = exact or hits
    if len(found) == 1:
        return {"id": found[0]["id"]}
    if not found:
        raise NotFoundError(f"Nothing is named {text!r}.", hint="Try `lineage search` with a part of the name.")
    known = "; ".join(f"{hit['kind']} {hit['namespace']} {hit['label']} ({hit['id']})" for hit in found[:5])
    known += f"; and {len(found) - 5} more" if len(found) > 5 else ""
    raise LineageError(f"{text!r} names several things: {known}.", hint="Give the id of one of them.")


def _hits(ask: Ask, text: str) -> list[Data]:
    try:
        node = ask("Node", {"id": text})["node"]
        if node is not None:
            return [node]
    except LineageError:
        pass  # no id: a name
    hits: list[Data] = ask("Search", {"text": text, "first": 50})["search"]["hits"]
    return hits
