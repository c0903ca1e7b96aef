"""``lineage hash``: the content hash of a file or directory, and telling it to a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lineage.cli.options import DEFAULT_URL, URL, APIKey
from lineage.errors import LineageError


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
    from lineage_ingest.emit import Dataset, DeliveryError, EmitError, emit_dataset

    dataset = Dataset.file(file, namespace=namespace, name=name, version=version)
    try:
        told = emit_dataset(dataset, url=url, api_key=api_key) if emit else dataset.hashed()
    except DeliveryError as error:
        raise LineageError(
            f"The hash could not be told to {url}: {error}", hint="See that the server runs, and that the key is right."
        ) from error
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
