"""Answers that a cursor may come back for: kept as arrays of keys, for a while, within bounds."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields
from threading import Lock

from lineage.answer import Answer

_Key = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class _Held:
    answer: Answer
    until: float
    items: int


class KeptAnswers:
    """By question and ledger index, the last used longest. May be used from any thread."""

    def __init__(self, seconds: float, answers: int, items: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._answers = answers
        self._items = items
        self._clock = clock
        self._lock = Lock()
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._sum = 0

    def put(self, question: bytes, answer: Answer) -> None:
        """Keep ``answer``, and let go of what is too old or too much; one that is too much by itself is not kept."""
        items = size_of(answer)
        if items > self._items:
            return
        with self._lock:
            self._drop((question, answer.ledger_index))
            self._held[question, answer.ledger_index] = _Held(answer, self._clock() + self._seconds, items)
            self._sum += items
            while self._sum > self._items or len(self._held) > self._answers or self._oldest_is_over():
                self._drop(next(iter(self._held)))

    def get(self, question: bytes, index: int) -> Answer | None:
        """The answer to ``question`` at ledger index ``index``, if it is still kept; it then stays on."""
        key = (question, index)
        with self._lock:
            held = self._held.get(key)
            if held is None or held.until < self._clock():
                self._drop(key)
                return None
            self._held[key] = _Held(held.answer, self._clock() + self._seconds, held.items)
            self._held.move_to_end(key)
            return held.answer

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._held.clear()
            self._sum = 0

    def _oldest_is_over(self) -> bool:
        return next(iter(self._held.values())).until < self._clock() if self._held else False

    def _drop(self, key: _Key) -> None:
        if (held := self._held.pop(key, None)) is not None:
            self._sum -= held.items


def size_of(answer: Answer) -> int:
    """How many items the lists of ``answer`` have, those that look at nodes only when asked apart."""
    return 1 + sum(_size(getattr(answer, field.name)) for field in fields(answer))


def _size(value: object) -> int:
    total = getattr(value, "total", None)
    if isinstance(total, int):
        return total
    return len(value) if isinstance(value, tuple) else 0
