"""What to say of a subject that was never seen: the names that are nearest to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from lineage.answer import kind_of, name_of, namespace_of
from lineage.errors import NotFoundError
from lineage.keys import Base
from lineage.model import Flow, Node
from lineage.store import GraphReader

_CANDIDATES = 50
_OF_NAMESPACE = 1_000
_NAMED = 3
_LIKENESS = 0.5
_ENDING = 0.99
"""Likeness of a name and its last words: a file without its folder, a table without its database."""
_SHORTEST_PIECE = 3


def not_found(graph: GraphReader, what: str, namespace: str, name: str, bases: Sequence[Base]) -> NotFoundError:
    """The error for ``what`` (``dataset``) of that name; its message names up to three that are most alike: the
    name ends in the other, or difflib's ratio of the names; then that of the namespaces."""
    wanted = f"The {what} {name!r} of namespace {namespace!r} was never seen."
    nearest = sorted(_candidates(graph, namespace, name, bases), key=lambda node: _distance(node, namespace, name))[
        :_NAMED
    ]
    if not nearest:
        return NotFoundError(wanted, hint="Search for a part of its name.")
    return NotFoundError(
        f"{wanted} Nearest: {'; '.join(_said(node) for node in nearest)}.", hint="Ask for one of these."
    )


def _candidates(graph: GraphReader, namespace: str, name: str, bases: Sequence[Base]) -> list[Node]:
    known: dict[bytes, Node] = {}
    for piece in _pieces(name):
        known.update((node.key, node) for node in graph.search(piece, bases, _CANDIDATES, names_only=True))
        if len(known) >= _CANDIDATES:
            break
    else:
        known.update((node.key, node) for node in graph.search(namespace, bases, _OF_NAMESPACE, names_only=True))
    return [node for node in known.values() if _alike(name, _name(node)) >= _LIKENESS]


def _pieces(name: str) -> Iterator[str]:
    """The name, its words from the longest, and their first and last halves: a slip spoils only one of these."""
    words = sorted({*re.findall(r"\w+", name), *re.findall(r"[^\W_]+", name)}, key=lambda word: (-len(word), word))
    halves = [half for word in words for half in (word[: (len(word) + 1) // 2], word[len(word) // 2 :])]
    yield from dict.fromkeys(piece for piece in (name, *words, *halves) if len(piece) >= _SHORTEST_PIECE)


def _distance(node: Node, namespace: str, name: str) -> tuple[float, float, bytes]:
    return -_alike(name, _name(node)), -_likeness(namespace, _namespace(node)), node.key


def _alike(one: str, other: str) -> float:
    """How much two names are alike, whichever is the longer one."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    rest = long.removesuffix(short)
    is_ending = len(short) >= _SHORTEST_PIECE and rest != long and not rest[-1:].isalnum()
    return max(_likeness(one, other), _ENDING if is_ending else 0.0)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False).ratio()


def _name(node: Node) -> str:
    return "" if isinstance(node, Flow) else name_of(node)


def _namespace(node: Node) -> str:
    return "" if isinstance(node, Flow) else namespace_of(node)


def _said(node: Node) -> str:
    kind = "" if isinstance(node, Flow) else kind_of(node).value.lower()
    return f"{kind} {_name(node)!r} of {_namespace(node)!r}"
