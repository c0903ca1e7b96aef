"""The questions as commands: each asks a named operation and shows its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineage.cli.failure import Exit
from lineage.cli.options import (
    DEFAULT_URL,
    URL,
    APIKey,
    AsJSON,
    AsOf,
    AtIndex,
    AtLeast,
    EvidenceKind,
    Files,
    Kinds,
    Namespaces,
    Owners,
    Tags,
    given,
    only,
)
from lineage.cli.subject import SubjectKind, subject_input, version_input
from lineage.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.cli.asking import Ask, Place
    from lineage.cli.screen import Screen

_NAMED = (
    "dataset, model, job, deployment: NAMESPACE NAME. version: NAMESPACE NAME [VERSION|run:RUNID|sha256:HEX]. "
    "column: NAMESPACE NAME COLUMN. run, rollout: RUNID. commit: COMMIT [REPOSITORY]. hash: DIGEST."
)
Kind = Annotated[
    SubjectKind,
    typer.Argument(metavar="KIND", help=f"What the words after it name: {', '.join(SubjectKind)}."),
]
Words = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...",
        help=f"{_NAMED} prediction: NAMESPACE NAME ID. id: the ID of anything in an answer.",
    ),
]
Changed = Annotated[
    SubjectKind,
    typer.Argument(
        metavar="KIND",
        help="What the words after it name: "
        f"{', '.join(kind for kind in SubjectKind if kind is not SubjectKind.PREDICTION)}.",
    ),
]
ChangedWords = Annotated[
    list[str],
    typer.Argument(metavar="NAME...", help=f"{_NAMED} id: the ID of anything in an answer."),
]
Pair = tuple[str, str]


def impact(
    kind: Changed,
    words: ChangedWords,
    since: Annotated[
        str | None, typer.Option(help="Only what was written at or after this time, as 2026-05-01T10:00:00Z.")
    ] = None,
    evidence: AtLeast = EvidenceKind.INFERRED,
    kinds: Kinds = None,
    namespaces: Namespaces = None,
    tags: Tags = None,
    owners: Owners = None,
    as_of: AsOf = None,
    at_index: AtIndex = None,
    json: AsJSON = False,
    url: URL = DEFAULT_URL,
    data: Files = None,
    api_key: APIKey = None,
) -> None:
    """What is affected by a change: what is wired downstream, and what really read it."""
    from lineage.cli.show_impact import show_impact

    variables: dict[str, Any] = {"of": subject_input(kind, words), "evidence": evidence.value.upper()}
    variables |= only(kinds, namespaces, tags, owners) | given(since=since, asOf=as_of)
    _answer(_place(url, data, api_key, at_index), json, lambda ask: ask("Impact", variables), "impact", show_impact)


def provenance(
    kind: Kind,
    words: Words,
    evidence: AtLeast = EvidenceKind.INFERRED,
    kinds: Kinds = None,
    namespaces: Namespaces = None,
    tags: Tags = None,
    owners: Owners = None,
    as_of: AsOf = None,
    at_index: AtIndex = None,
    json: AsJSON = False,
    url: URL = DEFAULT_URL,
    data: Files = None,
    api_key: APIKey = None,
) -> None:
    """What something came from, all the way upstream."""
    from lineage.cli.show_paths import show_provenance

    variables = {"of": subject_input(kind, words), "evidence": evidence.value.upper()}
    variables |= only(kinds, namespaces, tags, owners) | given(asOf=as_of)
    _answer(
        _place(url, data, api_key, at_index),
        json,
        lambda ask: ask("Provenance", variables),
        "provenance",
        show_provenance,
    )


def training_data(
    deployment: Annotated[
        Pair | None, typer.Option(metavar="NAMESPACE NAME", help="The deployment that served.")
    ] = None,
    prediction: Annotated[str | None, typer.Option(metavar="ID", help="One of its predictions.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="What it served at this time, as 2026-05-01T10:00:00Z.")
    ] = None,
    model: Annotated[Pair | None, typer.Option(metavar="NAMESPACE NAME", help="A model, deployed or not.")] = None,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Which version of the model; all of them without it.")
    ] = None,
    evidence: AtLeast = EvidenceKind.INFERRED,
    kinds: Kinds = None,
    namespaces: Namespaces = None,
    tags: Tags = None,
    owners: Owners = None,
    as_of: AsOf = None,
    at_index: AtIndex = None,
    json: AsJSON = False,
    url: URL = DEFAULT_URL,
    data: Files = None,
    api_key: APIKey = None,
) -> None:
    """Which data trained what was served: --deployment with --prediction or --at, or --model."""
    from lineage.cli.show_training import show_training

    variables: dict[str, Any] = {"of": served_input(deployment, prediction, at, model, version)}
    variables |= {"evidence": evidence.value.upper(), **only(kinds, namespaces, tags, owners), **given(asOf=as_of)}
    _answer(
        _place(url, data, api_key, at_index),
        json,
        lambda ask: ask("TrainingData", variables),
        "trainingData",
        show_training,
    )


def path(
    source: Annotated[str, typer.Argument(metavar="A", help="What lies upstream: a name, hash, runId or ID.")],
    target: Annotated[str, typer.Argument(metavar="B", help="What came from it.")],
    as_of: AsOf = None,
    at_index: AtIndex = None,
    json: AsJSON = False,
    url: URL = DEFAULT_URL,
    data: Files = None,
    api_key: APIKey = None,
) -> None:
    """How one thing came from another: a shortest path, as wired and as run."""
    from lineage.cli.asking import find_subject
    from lineage.cli.show_paths import has_route, show_path

    def ask_path(ask: Ask) -> dict[str, Any]:
        start, end = find_subject(ask, source), find_subject(ask, target)
        told = ask("Path", {"from": start, "to": end, **given(asOf=as_of)})
        if not json and not has_route(told["path"]):
            told["path"]["back"] = ask("Path", {"from": end, "to": start, **given(asOf=as_of)})["path"]
        return told

    _answer(_place(url, data, api_key, at_index), json, ask_path, "path", show_path)


def diff(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="A [B]",
            help="Two names, hashes, runIds or IDs; or a kind (dataset, model, version, job, deployment, run, "
            "prediction …) and what it names, once or twice: run RUNID RUNID, version NAMESPACE NAME VERSION VERSION.",
        ),
    ],
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Side A as of this time, as 2026-05-01T10:00:00Z: when it worked."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Side B as of this time; without it, now.")
    ] = None,
    evidence: AtLeast = EvidenceKind.INFERRED,
    at_index: AtIndex = None,
    json: AsJSON = False,
    url: URL = DEFAULT_URL,
    data: Files = None,
    api_key: APIKey = None,
) -> None:
    """It worked then; what changed? Two histories compared: data, code, parameters, environment, columns, wiring.

    One thing alone is compared at two times or, without --from, with what stood before it.
    """
    from lineage.cli.show_diff import show_diff
    from lineage.cli.sides import sides

    moments = {name: time for name, time in (("aAsOf", start), ("bAsOf", end)) if time is not None}

    def ask_diff(ask: Ask) -> dict[str, Any]:
        return ask("Diff", {**sides(ask, words), **moments, "evidence": evidence.value.upper()})

    _answer(_place(url, data, api_key, at_index), json, ask_diff, "diff", show_diff)


def search(
    text: Annotated[str, typer.Argument(help="Part of a name, or a whole content hash, commit or runId.")],
    first: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    kinds: Kinds = None,
    namespaces: Namespaces = None,
    tags: Tags = None,
    owners: Owners = None,
    at_index: AtIndex = None,
    json: AsJSON = False,
    url: URL = DEFAULT_URL,
    data: Files = None,
    api_key: APIKey = None,
) -> None:
    """What bears a name, or a content hash."""
    from lineage.cli.show_paths import show_search

    filters = only(kinds, namespaces, tags, owners)
    _answer(
        _place(url, data, api_key, at_index),
        json,
        lambda ask: ask("Search", {"text": text, "first": first, **filters}),
        "search",
        lambda screen, answer: show_search(screen, answer, filtered=bool(filters)),
    )


def served_input(
    deployment: Pair | None, prediction: str | None, at: str | None, model: Pair | None, version: str | None
) -> dict[str, Any]:
    """GraphQL's ``ServedInput``. Raises BadInputError unless exactly one thing is named."""
    if model is not None and (deployment, prediction, at) == (None, None, None):
        return {"model": version_input(*model, version)}
    if deployment is None or model is not None or version is not None or (prediction is None) == (at is None):
        raise BadInputError(
            "Name either a deployment, with a prediction or a time, or a model.",
            hint="--deployment NAMESPACE NAME --prediction ID, or --deployment … --at TIME, or --model NAMESPACE NAME.",
        )
    job = {"namespace": deployment[0], "name": deployment[1]}
    if prediction is not None:
        return {"prediction": {"deployment": job, "id": prediction}}
    return {"served": {"deployment": job, "from": at, "to": at}}


def _place(url: str, data: Any, api_key: str | None, at_index: int | None) -> Place:
    from lineage.cli.asking import Place

    return Place(url, data, api_key, at_index)


def _answer(
    place: Place,
    json: bool,
    question: Callable[[Ask], dict[str, Any]],
    field: str,
    show: Callable[[Screen, dict[str, Any]], None],
) -> None:
    """Ask, show, and exit by what the answer says of itself."""
    from lineage.cli.asking import asking
    from lineage.cli.screen import Screen, write_json

    with asking(place) as ask:
        data = question(ask)
    if json:
        write_json(data)
    else:
        show(Screen(), data[field])
    if not data[field].get("complete", True):
        raise typer.Exit(Exit.INCOMPLETE)
