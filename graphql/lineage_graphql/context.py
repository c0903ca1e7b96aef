"""What resolvers work with: :class:`GraphQLContext` for a server's life, :class:`Operation` for one query.

All root fields of an operation share one view of the graph; it is opened in the thread that executes, with the first
field that needs it, once the projection has reached the ledger's head as of the query's arrival. After
``caps.head_wait``, or at once where that would not do, ``behind`` says how far it is. With ``minIndex`` that entry is
waited for, ``caps.read_wait`` long.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from types import TracebackType

from lineage.answer import Answer, View
from lineage.errors import QuestionTimeoutError, UnavailableError
from lineage.model import Node
from lineage.predictions import PredictionReader
from lineage.store import GraphReader, GraphStore, Limits
from lineage_graphql.caps import Caps
from lineage_graphql.kept import KeptAnswers
from lineage_graphql.remembering import Remembering

_AGAIN_SECONDS = 0.05

OpenPast = Callable[[int, GraphReader, float], AbstractContextManager[View]]
"""Opens the view of a ledger index, for one thread: given the graph now, and the deadline (time.monotonic seconds)."""


def _no_time(_index: int) -> int | None:
    return None


def _always(_size: int, _seconds: float) -> bool:
    return True


@dataclass(slots=True)
class GraphQLContext:
    """``head`` gives the number of ledger entries; ``wait_for(size, timeout)`` returns True once the store has taken
    ``size`` entries, False after ``timeout`` seconds, and ``is_near(size, seconds)`` whether it can be expected within
    so many; ``recorded_at`` gives the time (UTC microseconds) at which entry ``index`` was received, None if not known.
    ``at`` opens the past, where any is known. ``secret`` signs cursors: with one that lasts, so do they."""

    store: GraphStore
    predictions: PredictionReader
    head: Callable[[], int]
    wait_for: Callable[[int, float], bool]
    is_near: Callable[[int, float], bool] = _always
    recorded_at: Callable[[int], int | None] = _no_time
    at: OpenPast | None = None
    caps: Caps = Caps()  # noqa: RUF009 (frozen)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    kept: KeptAnswers = field(init=False)

    def __post_init__(self) -> None:
        caps = self.caps
        self.kept = KeptAnswers(caps.kept_seconds, caps.kept_answers, caps.kept_items)


class OutOfTime(BaseException):
    """Ends an operation from within. No Exception, as the executor would take it for one field's error and go on."""


class Operation(AbstractContextManager["Operation"]):
    """What is executed by one thread on one view. ``arrived`` is a time.monotonic moment, ``timeout`` in seconds, by
    default that of the caps. With ``keeps``, an answer of which a cursor is handed out is kept for it.

    ``answers`` are those given already, by question: one that comes twice is not computed twice. ``pasts`` are the
    operations within this one, by ledger index, ``moments`` those by time (UTC microseconds). The view waits for at
    least ``least`` ledger entries, which counts for what is set before it is opened.
    """

    def __init__(
        self,
        context: GraphQLContext,
        arrived: float | None = None,
        *,
        timeout: float | None = None,
        keeps: bool = True,
    ) -> None:
        self.context = context
        self.caps = context.caps
        self.secret = context.secret
        self.keeps = keeps
        self.answers: dict[bytes, Answer] = {}
        self.pasts: dict[int, Operation] = {}
        self.moments: dict[int, Operation] = {}
        self._to_keep: dict[tuple[bytes, int], Answer] = {}
        self.least = 0
        self.timeout = self.caps.timeout if timeout is None else timeout
        start = time.monotonic() if arrived is None else arrived
        self.deadline = start + self.timeout
        self.limits = Limits(deadline=start + self.timeout * self.caps.question_share)
        self._closing = ExitStack()
        self._view: View | None = None
        self._failure: UnavailableError | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()
        if kind is None:
            for (question, _), answer in self._to_keep.items():
                self.context.kept.put(question, answer)

    def keep(self, question: bytes, answer: Answer) -> None:
        """Keep the answer for the cursors that are handed out of it, once it is known that the view has held."""
        if self.keeps:
            self._to_keep[question, answer.ledger_index] = answer

    def enter(self, past: Operation) -> Operation:
        """Have ``past`` end when this operation does."""
        return self._closing.enter_context(past)

    @property
    def view(self) -> View:
        """The view that this operation sees, whatever is written meanwhile."""
        if self._failure is not None:
            raise self._failure  # the other fields of the operation need not wait for it too
        if self._view is None:
            try:
                self._view = self._open()
            except UnavailableError as error:
                self._failure = error
                raise
        return self._view

    def _open(self) -> View:
        head = self.context.head()
        longest = self.caps.read_wait if self.least else self.caps.head_wait
        now = time.monotonic()
        most = max(0.0, min(longest, self.deadline - now))
        # After a wait in vain the answer would be behind all the same.
        wanted = max(head, self.least) if self.context.is_near(head, most) else self.least
        until = now + most
        while True:
            is_reached = self.context.wait_for(wanted, most)
            self.check_time()
            most = max(0.0, until - time.monotonic())
            with ExitStack() as opening:
                graph = Remembering(opening.enter_context(self.context.store.reader()))
                # Views of a store that goes on writing when it has taken changes may see them a moment later.
                if graph.ledger_size >= self.least or not is_reached or not most:
                    self._closing.push(opening.pop_all())
                    return View(graph, self.context.predictions, max(0, head - graph.ledger_size))
            time.sleep(min(_AGAIN_SECONDS, most))

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order, if there is time left."""
        self.check_time()
        return self.view.graph.fetch(keys)

    def check_time(self) -> None:
        """Raises QuestionTimeoutError when the operation's time is over."""
        if time.monotonic() > self.deadline:
            raise timeout_error(self.timeout)


class InnerOperation(Operation):
    """A part of ``whole``, in whose time and thread it is executed, on another view."""

    def __init__(self, whole: Operation) -> None:
        super().__init__(whole.context, timeout=whole.timeout, keeps=whole.keeps)
        self.deadline = whole.deadline
        self.limits = whole.limits
        self.whole = whole

    def keep(self, question: bytes, answer: Answer) -> None:
        """As of the whole, whose view it is."""
        self.whole.keep(question, answer)


def timeout_error(seconds: float) -> QuestionTimeoutError:
    """What is said when time is out."""
    return QuestionTimeoutError(
        f"The query took longer than {seconds:g} s, and was stopped.",
        hint="Ask for smaller pages, or for less at once.",
    )
