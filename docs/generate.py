"""Writes the reference pages that the code itself tells: ``docs/reference/cli.md`` and ``docs/reference/settings.md``.

``make docs`` runs it; a test holds the pages against what it would write.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from lineage.cli.failure import Exit
from lineage.cli.program import COMMANDS, HELP, KEY_COMMANDS
from lineage.settings import describe

REFERENCE = Path(__file__).parent / "reference"

_EXITS = {
    Exit.ANSWERED: "answered, or done",
    Exit.ERROR: "an error; `fsck` found a fault; `ingest` met records that were refused",
    Exit.USAGE: "wrong usage",
    Exit.NOT_FOUND: "what was asked about was never seen",
    Exit.INCOMPLETE: "answered, but incomplete: the answer says where it was cut",
}
_NOTE = "<!-- Written by docs/generate.py (`make docs`); changes here are lost. -->"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument or option of a command, as its page shows it."""

    form: str
    help: str
    required: bool
    is_argument: bool
    notes: tuple[str, ...]


def cli_page() -> str:
    """The page of the command line."""
    return "\n".join([*_cli_lines(), ""])


def settings_page() -> str:
    """The page of the settings."""
    return "\n".join([*_settings_lines(), ""])


PAGES: Mapping[str, Callable[[], str]] = {"cli.md": cli_page, "settings.md": settings_page}


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


def _cli_lines() -> Iterator[str]:
    yield from ("# The command line", "", _NOTE, "", HELP, "")
    yield "Questions go to a server (`--url`), or to the files of a data folder (`--data`), also while a server runs on"
    yield "it. With `--json` they print the data of the GraphQL answer as it is. On a terminal answers are tables and"
    yield "trees; in a pipe they are plain text. `lineage --version` tells the version, `-h` helps with each command."
    yield from ("", "| exit code | says |", "|---|---|")
    yield from (f"| {code.value} | {says} |" for code, says in _EXITS.items())
    for name, command in {**COMMANDS, **{f"keys {name}": command for name, command in KEY_COMMANDS.items()}}.items():
        yield from _command_lines(name, command)


def _command_lines(name: str, command: Callable[..., None]) -> Iterator[str]:
    parameters = list(_parameters(command))
    words = [each.form if each.required else f"[{each.form}]" for each in parameters if each.is_argument]
    options = ["[OPTIONS]"] if any(not each.is_argument for each in parameters) else []
    yield from ("", f"## lineage {name}", "", "```", " ".join(["lineage", name, *options, *words]), "```", "")
    yield inspect.getdoc(command) or ""
    if parameters:
        yield from ("", "| argument or option | meaning |", "|---|---|")
    for each in parameters:
        notes = f" ({'; '.join(each.notes)})" if each.notes else ""
        yield f"| `{_cell(each.form)}` | {_cell(each.help)}{_cell(notes)} |"


def _words(told: ArgumentInfo | OptionInfo) -> Iterator[str]:
    """How an option is written: in ``Annotated`` the first of its forms stands where a default would."""
    yield from (word for word in (told.default, *(told.param_decls or ())) if isinstance(word, str))


def _parameters(command: Callable[..., None]) -> Iterator[Parameter]:
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, told = get_args(hints[name])
        is_argument = isinstance(told, ArgumentInfo)
        required = parameter.default is inspect.Parameter.empty
        metavar = told.metavar or _metavar(name if is_argument else "", kind)
        option = next((word for word in _words(told) if word.startswith("--")), f"--{name.replace('_', '-')}")
        form = metavar if is_argument else " ".join(word for word in (option, metavar) if word)
        notes = [f"default: `{_value(parameter.default)}`"] if _has_default(parameter.default) else []
        notes += [f"environment: `{told.envvar}`"] if told.envvar else []
        yield Parameter(form, told.help or "", required, is_argument, tuple(notes))


def _metavar(name: str, kind: Any) -> str:
    """What stands for a value of type ``kind``; nothing for a flag."""
    kinds = [each for each in get_args(kind) if each is not type(None)] or [kind]
    plain = kinds[0]
    if plain is bool:
        return ""
    if isinstance(plain, type) and issubclass(plain, Enum):
        return "|".join(str(member.value) for member in plain)
    return name.upper() or {int: "NUMBER"}.get(plain, "TEXT")


def _has_default(value: object) -> bool:
    return value is not inspect.Parameter.empty and value not in (None, False)


def _value(value: object) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _settings_lines() -> Iterator[str]:
    yield from ("# Settings", "", _NOTE, "")
    yield "A server reads its settings from the environment; the options of `lineage serve` come before them. The"
    yield "command line and the emitters read `LINEAGE_URL` and `LINEAGE_API_KEY`."
    yield from ("", "| environment variable | default | unit | meaning |", "|---|---|---|---|")
    for each in describe():
        default = f"`{each.default}`" if each.default else ""
        yield f"| `{each.environment}` | {default} | {each.unit} | {_cell(each.help)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
