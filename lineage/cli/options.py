"""The options that several commands share. Their names, defaults and environment variables are those of
:class:`lineage.settings.Settings`, which the light install can't load; a test holds them equal."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_DATA = Path("lineage-data")


class RecordKind(StrEnum):
    """What records are."""

    LINEAGE = "lineage"
    PREDICTIONS = "predictions"


class HitKind(StrEnum):
    """The kinds that an answer lists."""

    DATASET = "dataset"
    MODEL = "model"
    COLUMN = "column"
    JOB = "job"
    DEPLOYMENT = "deployment"
    RUN = "run"
    ROLLOUT = "rollout"
    VERSION = "version"


class StoreChoice(StrEnum):
    """The graph stores there are."""

    SQLITE = "sqlite"
    NEO4J = "neo4j"
    MEMORY = "memory"


class EvidenceKind(StrEnum):
    """How an edge is known, the strongest first."""

    DECLARED = "declared"
    COLUMN = "column"
    INFERRED = "inferred"


AtLeast = Annotated[
    EvidenceKind,
    typer.Option("--evidence", case_sensitive=False, help="Follow only edges of at least this evidence."),
]
Kinds = Annotated[
    list[HitKind] | None,
    typer.Option("--kind", case_sensitive=False, help="List only what is of this kind; may be repeated."),
]
Namespaces = Annotated[
    list[str] | None, typer.Option("--namespace", help="List only what is in this namespace; may be repeated.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="List only what has this tag, KEY or KEY=VALUE; may be repeated.")
]
Owners = Annotated[
    list[str] | None, typer.Option("--owner", help="List only what this owner answers for; may be repeated.")
]


def only(
    kinds: list[HitKind] | None, namespaces: list[str] | None, tags: list[str] | None, owners: list[str] | None
) -> dict[str, list[str]]:
    """GraphQL's variables for the filters that were given."""
    told = {"kinds": [kind.value.upper() for kind in kinds or ()], "namespaces": namespaces, "tags": tags}
    return {name: list(values) for name, values in (told | {"owners": owners}).items() if values}


AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="How things stood at this time, as 2026-05-01T10:00:00Z, as known today."
    ),
]
AtIndex = Annotated[
    int | None,
    typer.Option(
        "--at-index", metavar="N", help="Answer as when ledger entry N was the last, whatever has been recorded since."
    ),
]


def given(**told: str | None) -> dict[str, Any]:
    """GraphQL's variables for the options that were given."""
    return {name: value for name, value in told.items() if value is not None}


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
Store = Annotated[
    StoreChoice | None, typer.Option("--store", help="Graph store [env: LINEAGE_STORE; default: sqlite].")
]
Adopt = Annotated[
    bool,
    typer.Option(
        "--adopt",
        help="Use a Neo4j database that holds other data too, or the graph of another ledger, which is then replaced.",
    ),
]
Folder = Annotated[
    Path, typer.Option("--data", metavar="DIR", envvar="LINEAGE_DATA", help="The data folder.", show_default=True)
]
