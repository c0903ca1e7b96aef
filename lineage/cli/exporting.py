"""``lineage export``: an answer as a graph for other programs, or the received events themselves."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lineage.cli.failure import Exit
from lineage.cli.options import DEFAULT_URL, URL, APIKey
from lineage.cli.subject import Input, SubjectKind, subject_input
from lineage.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.answer import View
    from lineage.app import Folder
    from lineage.exports.drawing import Graphic
    from lineage.questions.subjects import Subject


class Format(StrEnum):
    """What an export is written as."""

    GRAPHML = "graphml"
    DOT = "dot"
    PROV_JSON = "prov-json"
    OPENLINEAGE = "openlineage"


class Question(StrEnum):
    """The questions whose answers can be drawn from one subject."""

    PROVENANCE = "provenance"
    IMPACT = "impact"


def export(
    kind: Annotated[
        SubjectKind | None, typer.Argument(metavar="KIND", help="What the words after it name, as for `impact`.")
    ] = None,
    words: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Of what.")] = None,
    form: Annotated[
        Format, typer.Option("--format", help="openlineage: all events as received, one a line; it takes no subject.")
    ] = Format.GRAPHML,
    question: Annotated[
        Question, typer.Option(help="provenance: what it came from. impact: what came from it.")
    ] = Question.PROVENANCE,
    url: URL = DEFAULT_URL,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Read this data folder instead, also while a server runs on it."),
    ] = None,
    api_key: APIKey = None,
) -> None:
    """Write an answer as GraphML, DOT or PROV-JSON, or all events as OpenLineage NDJSON, to standard output.

    For a graph, a server's whole ledger is read first; beside the server, --data is the quicker way.
    """
    if form is Format.OPENLINEAGE:
        if kind is not None:
            raise BadInputError("The events are exported whole; `--format openlineage` takes no subject.")
        _write_events(url, data, api_key)
        return
    if kind is None:
        raise BadInputError(
            f"`--format {form.value}` needs a subject.", hint="lineage export --format dot dataset NAMESPACE NAME"
        )
    of = subject_input(kind, words or ())
    with ExitStack() as closing:
        complete = _write_graph(_folder(closing, url, data, api_key), form, question, of)
    if not complete:
        raise typer.Exit(Exit.INCOMPLETE)


def _write_events(url: str, data: Path | None, api_key: str | None) -> None:
    from lineage.cli.feed import folder_events, server_events

    events = server_events(url, api_key) if data is None else folder_events(data)
    for event in events:
        sys.stdout.buffer.write(event + b"\n")
    sys.stdout.buffer.flush()


def _folder(closing: ExitStack, url: str, data: Path | None, api_key: str | None) -> Folder:
    from lineage.cli.feed import mirror
    from lineage.cli.folder import open_read_only

    return closing.enter_context(mirror(url, api_key) if data is None else open_read_only(data))


def _write_graph(folder: Folder, form: Format, question: Question, of: Input) -> bool:
    """Write the graph; gives whether it is complete."""
    from lineage.answer import View
    from lineage.questions.impact import impact
    from lineage.questions.provenance import provenance

    with folder.store.reader() as graph:
        view = View(graph, folder.predictions, max(0, folder.ledger.size() - graph.ledger_size))
        subject = _subject(of)
        answer: Graphic = impact(view, subject) if question is Question.IMPACT else provenance(view, subject)
        text = _written(form, view, answer)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    return answer.complete


def _subject(of: Input) -> Subject:
    """GraphQL's ``SubjectInput`` as the questions take it."""
    from lineage.questions import subjects

    ((field, told),) = of.items()
    match field:
        case "id":
            return subjects.NodeRef(told)
        case "prediction":
            return subjects.PredictionRef(subjects.JobRef(**told["deployment"]), told["id"])
        case "run":
            return subjects.RunRef(told["runId"])
        case "version":
            return subjects.VersionRef(**{("run_id" if name == "runId" else name): each for name, each in told.items()})
        case _:
            kinds: dict[str, Callable[..., Subject]] = {
                "dataset": subjects.DatasetRef,
                "job": subjects.JobRef,
                "column": subjects.ColumnRef,
                "code": subjects.CodeRef,
                "content": subjects.ContentRef,
            }
            return kinds[field](**told)


def _written(form: Format, view: View, answer: Graphic) -> str:
    import json

    match form:
        case Format.DOT:
            from lineage.exports.dot import to_dot

            return to_dot(view, answer)
        case Format.PROV_JSON:
            from lineage.exports.prov import to_prov

            return json.dumps(to_prov(view, answer), indent=2, ensure_ascii=True)
        case _:
            from lineage.exports.graphml import to_graphml

            return to_graphml(view, answer)
