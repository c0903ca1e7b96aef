"""The options that several commands share. Their names, defaults and environment variables are those of
:class:`lineage.settings.Settings`, which the light install can't load; a test holds them equal."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_DATA = Path("lineage-data")


class RecordKind(StrEnum):
    """What records are."""

    LINEAGE = "lineage"
    PREDICTIONS = "predictions"


AsJSON = Annotated[bool, typer.Option("--json", help="Print the answer's data as JSON.")]
URL = Annotated[str, typer.Option("--url", envvar="LINEAGE_URL", help="The server to ask.")]
APIKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="LINEAGE_API_KEY",
        help="The API key to send; better given in the environment, where other users don't see it.",
    ),
]
Files = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Read the files of this data folder instead, also while a server runs on it."
    ),
]
Folder = Annotated[
    Path, typer.Option("--data", metavar="DIR", envvar="LINEAGE_DATA", help="The data folder.", show_default=True)
]
