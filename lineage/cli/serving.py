"""``lineage serve``: the server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineage.cli.options import Adopt, Store

if TYPE_CHECKING:
    from lineage.settings import Settings


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [env: LINEAGE_HOST; default: 127.0.0.1].")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one [env: LINEAGE_PORT; default: 8000].")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data folder [env: LINEAGE_DATA; default: lineage-data].")
    ] = None,
    store: Store = None,
    adopt: Adopt = False,
    insecure: Annotated[
        bool | None,
        typer.Option(
            "--insecure", help="Serve another address than loopback without API keys [env: LINEAGE_INSECURE]."
        ),
    ] = None,
) -> None:
    """Serve a data folder: OpenLineage events in, questions by GraphQL. Ctrl-C stops it.

    All other settings are environment variables; see docs/reference/settings.md.
    """
    from lineage import app
    from lineage.settings import read_settings

    given: dict[str, Any] = {"host": host, "port": port, "data": data, "insecure": insecure}
    given["store"] = store.value if store else None
    settings = read_settings(given)

    def on_ready(url: str) -> None:
        why = _why_locked(settings)
        if why:
            sys.stderr.write(
                f"{why}: every request will be refused until a key is made:\n"
                f"  lineage keys new NAME --data {settings.data}\n"
            )
        sys.stderr.write(f"Lineage serves {settings.data} at {url} (GraphiQL: {url}/graphql). Ctrl-C stops it.\n")
        sys.stderr.flush()

    app.serve(settings, on_ready, adopt=adopt)


def _why_locked(settings: Settings) -> str:
    """Why the server asks for a key that nobody has; empty if it does not."""
    from lineage.cli.folder import key_ring

    keys = key_ring(settings.data).list()
    if any(key.revoked is None for key in keys):
        return ""
    if keys:
        return "All API keys are revoked"
    return "" if settings.loopback or settings.insecure else f"{settings.host} is not loopback, and there is no API key"
