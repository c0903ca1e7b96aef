"""A view that reads each thing once answers as the view itself does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.memory import MemoryStore
from lineage.model import Changes, Edge, EdgeKind
from lineage.store import Direction
from lineage_graphql import remembering
from lineage_graphql.remembering import Remembering

_KEYS = [bytes([number]) * 16 for number in range(5)]
_KINDS = [EdgeKind.READ_BY, EdgeKind.WROTE, EdgeKind.FEEDS]
_KEY = st.sampled_from(_KEYS)
_EDGES = st.lists(st.builds(Edge, st.sampled_from(_KINDS), _KEY, _KEY), max_size=20)
_QUESTION = st.tuples(
    st.lists(_KEY, max_size=4), st.lists(st.sampled_from(_KINDS), max_size=3), st.sampled_from(Direction)
)


class _Asked:
    """A view that notes for which keys it was asked."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.keys: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        self.keys += keys
        found: list[Edge] = self._reader.neighbours(keys, kinds, direction)
        return found


@pytest.mark.parametrize("most", [3, 12, 100_000])
@given(edges=_EDGES, questions=st.lists(_QUESTION, max_size=6))
def test_edges_are_those_of_the_view_whatever_was_asked_before(
    most: int, edges: list[Edge], questions: list[Any]
) -> None:
    store = MemoryStore()
    store.apply(Changes(edges={edge.key: edge for edge in edges}), 1)
    with pytest.MonkeyPatch.context() as patch, store.reader() as reader:
        patch.setattr(remembering, "_MOST", most)
        seen = Remembering(reader)
        for keys, kinds, direction in questions:
            assert seen.neighbours(keys, kinds, direction) == reader.neighbours(keys, kinds, direction)


def test_edges_of_a_key_are_read_once() -> None:
    store = MemoryStore()
    edges = [Edge(EdgeKind.FEEDS, _KEYS[0], target) for target in _KEYS[1:]]
    store.apply(Changes(edges={edge.key: edge for edge in edges}), 1)
    with store.reader() as reader:
        asked: Any = _Asked(reader)
        seen = Remembering(asked)
        for keys in (_KEYS[:2], _KEYS[:2], _KEYS[:3]):
            seen.neighbours(keys, [EdgeKind.FEEDS], Direction.DOWNSTREAM)
        assert asked.keys == _KEYS[:3]
        seen.neighbours(_KEYS[:1], [EdgeKind.FEEDS], Direction.UPSTREAM)
        assert asked.keys == [*_KEYS[:3], _KEYS[0]]
