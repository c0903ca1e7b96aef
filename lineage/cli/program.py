"""The commands put together, and what becomes of anything that goes wrong: a sentence, a hint and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from lineage.cli import administration, demo, exporting, hashing, ingesting, maintenance, questions, serving
from lineage.cli.failure import Exit, fault, missing_parts, os_failure, report
from lineage.errors import LineageError

HELP = "Which data trained this prediction? What is affected by this change? Lineage from OpenLineage events."

program = typer.Typer(
    name="lineage",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys = typer.Typer(help="API keys: who may send and ask.", no_args_is_help=True, rich_markup_mode=None)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"lineage-graph {version('lineage-graph')}\n")
        raise typer.Exit


@program.callback()
def _every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


COMMANDS: dict[str, Callable[..., None]] = {
    "serve": serving.serve,
    "ingest": ingesting.ingest,
    "impact": questions.impact,
    "training-data": questions.training_data,
    "provenance": questions.provenance,
    "path": questions.path,
    "diff": questions.diff,
    "search": questions.search,
    "export": exporting.export,
    "hash": hashing.hash_content,
    "rejected": administration.rejected,
    "fsck": maintenance.fsck,
    "rebuild": maintenance.rebuild,
    "demo": demo.demo,
}
for _name, _command in COMMANDS.items():
    program.command(_name)(_command)
KEY_COMMANDS: dict[str, Callable[..., None]] = {
    "new": administration.new_key,
    "list": administration.list_keys,
    "revoke": administration.revoke_key,
}
for _name, _command in KEY_COMMANDS.items():
    keys.command(_name)(_command)
program.add_typer(keys, name="keys")


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives its exit code (:class:`lineage.cli.failure.Exit`)."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ANSWERED


def _run(arguments: Sequence[str]) -> int:
    try:
        program(args=list(arguments), prog_name="lineage")
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        return ended.code if isinstance(ended.code, int) else Exit.ANSWERED
    except LineageError as error:
        return report(error)
    except ModuleNotFoundError as error:
        return report(missing_parts(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        return report(os_failure(error))
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return report(fault(error))
    return Exit.ANSWERED
