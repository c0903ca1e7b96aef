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
_ENDING, _LONGER = 0.99, 0.9
"""Likeness of a name to one that ends in it (a file without its folder, a table without its database), and to one that
it ends in."""
_SEPARATORS = "/\\.:"
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


def _distance(node: Node, namespace: str, name: str) -> tuple[float, float, float, bytes]:
    known = _name(node)
    return -_alike(name, known), -_likeness(namespace, _namespace(node)), -_likeness(name, known), node.key


def _alike(one: str, other: str) -> float:
    """How much a name that was asked for and a known one are alike."""
    ending = _ENDING if _ends_in(other, one) else _LONGER if _ends_in(one, other) else 0.0
    return max(_likeness(one, other), ending)


def _ends_in(long: str, short: str) -> bool:
    ending = short.casefold().lstrip(_SEPARATORS)
    rest = long.casefold().removesuffix(ending)
    return len(ending) >= _SHORTEST_PIECE and rest.endswith(tuple(_SEPARATORS)) and len(rest) < len(long)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False).ratio()


def _name(node: Node) -> str:
    return "" if isinstance(node, Flow) else name_of(node)


def _namespace(node: Node) -> str:
    return "" if isinstance(node, Flow) else namespace_of(node)


def _said(node: Node) -> str:
    kind = "" if isinstance(node, Flow) else kind_of(node).value.lower()
    return f"{kind} {_name(node)!r} of {_namespace(node)!r}"
