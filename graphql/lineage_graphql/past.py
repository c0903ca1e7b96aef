"""Questions about the past: an operation within an operation, on the view of an earlier ledger index."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from lineage.answer import View
from lineage.errors import InvalidSubjectError, UnavailableError
from lineage.keys import decode_id
from lineage.past import PastGraph
from lineage.questions.subjects import NodeRef
from lineage_graphql.context import InnerOperation, Operation


class PastOperation(InnerOperation):
    """What is executed as of ledger ``index``."""

    def __init__(self, present: Operation, index: int) -> None:
        super().__init__(present)
        self._index = index

    def _open(self) -> View:
        if self.context.at is None:
            raise UnavailableError("Nothing is known of the past here.", field="/atIndex")
        # What is in a past can come to be known while it is asked: its nodes are not remembered.
        graph = self.whole.view.graph
        return self._closing.enter_context(self.context.at(self._index, graph, self.deadline))


def seek(operation: Operation, parts: Iterable[object]) -> None:
    """Have what the ids among ``parts`` of a question about the past may have named then, and nothing names now."""
    graph = operation.view.graph
    if not isinstance(graph, PastGraph):
        return
    for part in parts:
        if isinstance(part, tuple):
            seek(operation, part)
        elif isinstance(part, NodeRef):
            with suppress(InvalidSubjectError):  # which the question itself raises
                base, key = decode_id(part.id)
                graph.seek(base, key)


def as_of_index(operation: Operation, index: int | None) -> Operation:
    """The operation in which a question is asked as of ledger ``index``; ``operation`` itself without one."""
    if index is None:
        return operation
    if index not in operation.pasts:
        operation.pasts[index] = operation.enter(PastOperation(operation, index))
    return operation.pasts[index]
