"""Questions about a moment of valid time: an operation within an operation, whose view is as of that moment."""

from __future__ import annotations

from lineage.answer import View
from lineage.questions.moment import at_moment
from lineage_graphql.context import InnerOperation, Operation


class MomentOperation(InnerOperation):
    """What is executed as of ``as_of`` (UTC microseconds)."""

    def __init__(self, whole: Operation, as_of: int) -> None:
        super().__init__(whole)
        self._as_of = as_of

    def _open(self) -> View:
        return at_moment(self.whole.view, self._as_of)


def as_of_moment(operation: Operation, as_of: int | None) -> Operation:
    """The operation in which a question is asked as of ``as_of``; ``operation`` itself without one."""
    if as_of is None:
        return operation
    if as_of not in operation.moments:
        operation.moments[as_of] = operation.enter(MomentOperation(operation, as_of))
    return operation.moments[as_of]
