"""From errors to exit codes and sentences, in one table."""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import Any

from lineage.errors import (
    BadInputError,
    DataFolderError,
    InvalidSubjectError,
    LineageError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)

SERVER_PARTS = "pip install 'lineage-graph[server]'"
DEMO_PARTS = "pip install 'lineage-graph[demo]'"

_KEY_HINT = "On the command line a key is given with --api-key, or in LINEAGE_API_KEY."
_DEMO_MODULES = frozenset({"sklearn", "scipy", "joblib"})


class Exit(IntEnum):
    """What a command's exit code says."""

    ANSWERED = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    INCOMPLETE = 4


EXITS = {
    NotFoundError.code: Exit.NOT_FOUND,
    InvalidSubjectError.code: Exit.USAGE,
    BadInputError.code: Exit.USAGE,
}
"""The exit code of each error code that has one of its own; all others are ERROR."""


def exit_of(error: LineageError) -> Exit:
    """The exit code that says ``error``."""
    return EXITS.get(error.code, Exit.ERROR)


def error_of(code: str, message: str, hint: str = "") -> LineageError:
    """The error that a server told by its code; one that is not known here is a plain LineageError."""
    kind = _by_code().get(code, LineageError)
    return kind(message, hint=hint)


def told_error(extensions: dict[str, Any], message: str) -> LineageError:
    """The error that a GraphQL response holds."""
    return error_of(str(extensions.get("code", "")), message, str(extensions.get("hint", "")))


def no_server_url(url: str) -> LineageError:
    """What to say of a URL that no server can have."""
    return BadInputError(f"{url!r} is no URL of a server.", hint="It looks like http://127.0.0.1:8000.")


def refusal_of(url: str, status: int, told: Any, saying: str = "") -> LineageError:
    """What a server at ``url`` refused with HTTP ``status`` and the JSON ``told``; ``saying`` begins the message."""
    # An address that is not there is not a thing that was never seen: this is no server, or not its root.
    if isinstance(told, dict) and "code" in told and status != 404:
        hint = _KEY_HINT if told["code"] == UnauthenticatedError.code else ""
        return error_of(str(told["code"]), f"{saying}{told.get('detail') or told.get('title')}", hint)
    return UnavailableError(
        f"{saying}{url} answers with HTTP {status}; it is no Lineage server, or not its root.",
        hint="See that --url names the server's root.",
    )


def missing_parts(error: ModuleNotFoundError) -> LineageError:
    """What to say when a command needs more than what is installed."""
    module = (error.name or "").partition(".")[0]
    needed = DEMO_PARTS if module in _DEMO_MODULES else SERVER_PARTS
    return LineageError(f"This command needs {module or 'a part'}, which is not installed.", hint=f"Run: {needed}")


def os_failure(error: OSError) -> LineageError:
    """What to say of a file or folder that the system would not give."""
    place = f"{error.filename}: " if error.filename else ""
    return DataFolderError(f"{place}{error.strerror or error}.")


def fault(error: Exception) -> LineageError:
    """What to say of an error that nobody raised on purpose."""
    return LineageError(
        f"The program failed: {type(error).__name__}: {error}.",
        hint="This is a fault of Lineage. `python -X dev -m lineage.cli …` shows where it is.",
    )


def report(error: LineageError) -> Exit:
    """Say ``error`` on standard error, a sentence and a hint, and return its exit code."""
    from lineage.cli.screen import printable

    sys.stderr.write(f"lineage: {printable(error.message)}\n")
    if error.hint:
        sys.stderr.write(f"  {printable(error.hint)}\n")
    return exit_of(error)


def _by_code() -> dict[str, type[LineageError]]:
    kinds: dict[str, type[LineageError]] = {}
    waiting = [LineageError]
    while waiting:
        kind = waiting.pop()
        kinds.setdefault(kind.code, kind)
        waiting += kind.__subclasses__()
    return kinds
