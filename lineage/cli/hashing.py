"""``lineage hash``: the content hash of a file or directory, and telling it to a server."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from lineage.cli.failure import no_server_url, refusal_of
from lineage.cli.options import DEFAULT_URL, URL, APIKey
from lineage.errors import LineageError, UnavailableError

if TYPE_CHECKING:
    from lineage_ingest.emit import Dataset, DeliveryError


def hash_content(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file, or a directory.")],
    emit: Annotated[bool, typer.Option("--emit", help="Tell the server that this is the content now.")] = False,
    namespace: Annotated[str, typer.Option(help="The dataset's namespace.")] = "file",
    name: Annotated[str | None, typer.Option(help="The dataset's name; by default the absolute path.")] = None,
    version: Annotated[str | None, typer.Option(help="Your own word for this state of it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: URL = DEFAULT_URL,
    api_key: APIKey = None,
) -> None:
    """The content hash of a file or directory, as lineage tells it; --emit tells it, by a DatasetEvent."""
    from lineage.cli.screen import Screen, write_json
    from lineage_ingest.emit import Dataset, EmitError

    dataset = Dataset.file(file, namespace=namespace, name=name, version=version)
    try:
        told = _tell(dataset, url, api_key) if emit else dataset.hashed()
    except EmitError as error:
        raise LineageError(str(error)) from error
    (digest,) = told.digests
    if json:
        content = {
            "algorithm": digest.algorithm,
            "digest": digest.digest,
            "scope": digest.scope,
            "method": digest.method,
            "bytes": digest.bytes,
        }
        write_json({"namespace": told.namespace, "name": told.name, "emitted": emit, "contentHash": content})
        return
    screen = Screen()
    screen.line(f"{digest.algorithm}:{digest.digest}  {told.name}")
    if emit:
        screen.line(f"Told to {url} as the state of {told.namespace} {told.name} now.")


def _tell(dataset: Dataset, url: str, api_key: str | None) -> Dataset:
    from lineage_ingest.emit import DeliveryError, emit_dataset

    # What the emitters log of a failure is said here, in other words.
    logging.getLogger("lineage_ingest.emit").addHandler(logging.NullHandler())
    if not _is_url(url):
        raise no_server_url(url)
    try:
        return emit_dataset(dataset, url=url, api_key=api_key)
    except DeliveryError as error:
        raise _undelivered(error, url) from error


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _undelivered(error: DeliveryError, url: str) -> LineageError:
    """What to say of a hash that a server did not take, from what the client raised."""
    from lineage.cli.remote import json_of

    cause = error.__cause__
    response = getattr(cause, "response", None)
    if response is not None:
        return refusal_of(url, response.status_code, json_of(response), "The hash was not told: ")
    if isinstance(cause, OSError):
        return UnavailableError(
            f"The hash was not told: no server answers at {url}.",
            hint="Start one with `lineage serve`, or name another with --url.",
        )
    return LineageError(f"The hash was not told to {url}: {cause or error}")
