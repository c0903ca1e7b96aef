"""The two sides of a diff, from words to GraphQL's ``SubjectInput``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineage.cli.asking import Ask, find_subject
from lineage.cli.subject import SubjectKind, subject_input, usage
from lineage.errors import BadInputError

_VERSION_OF = 2
"""How many words name the dataset of a version."""


def sides(ask: Ask, words: Sequence[str]) -> dict[str, Any]:
    """``a`` and, if two things are named, ``b``. The first word may be a kind: then the others name one thing of it or
    two, those of a version two versions of one dataset; else each word names a thing by itself.

    Raises BadInputError for too many or too few words, NotFoundError and LineageError for a name that nothing has, or
    several things have.
    """
    kind = next((kind for kind in SubjectKind if words and kind.value == words[0]), None)
    if kind is not None and len(words) > 1:
        return dict(zip("ab", _of_kind(kind, words[1:]), strict=False))
    if not 1 <= len(words) <= len("ab"):
        raise BadInputError(
            f"Two things can be compared; {len(words)} words are given.", hint="Put a name that holds spaces in quotes."
        )
    return dict(zip("ab", [find_subject(ask, word) for word in words], strict=False))


def _of_kind(kind: SubjectKind, words: Sequence[str]) -> list[dict[str, Any]]:
    if kind is SubjectKind.VERSION and len(words) == _VERSION_OF + len("ab"):
        name, named = words[:_VERSION_OF], words[_VERSION_OF:]
        return [subject_input(kind, [*name, which]) for which in named]
    half, odd = divmod(len(words), 2)
    for parts in ([words[:half], words[half:]] if not odd else [], [words]):
        try:
            found = [subject_input(kind, part) for part in parts]
        except BadInputError:
            continue
        if found:
            return found
    raise BadInputError(
        f"`{kind.value}` takes {usage(kind)}, once or twice; {len(words)} words are given.",
        hint="Put a name that holds spaces in quotes.",
    )
