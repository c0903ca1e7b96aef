"""The process that folds: ``python -m lineage.projector.folding FACTS``; see :mod:`lineage.projector.apart`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, Taken
from lineage.fold.sqlite import SQLiteFacts
from lineage.garbage import collect_seldom
from lineage.model import Changes
from lineage.projector.apart import receive, send
from lineage.projector.batches import Place, parse_or_skip
from lineage.projector.niceness import give_precedence


class _Folding:
    """What is asked of facts and fold, by name. They are opened with what is asked first, which is told of a file that
    can't be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[SQLiteFacts, Fold] | None = None

    def answer(self, what: str, told: Sequence[Any]) -> Any:
        if self._opened is None:
            facts = SQLiteFacts(self._path)
            self._opened = facts, Fold(facts)
        facts, fold = self._opened
        asked: dict[str, Callable[..., Any]] = {
            "watermark": facts.watermark,
            "get": facts.get,
            "put": facts.put,
            "facts.commit": facts.commit,
            "clear": facts.clear,
            "take": self._take,
            "encode": fold.encode,
            "fold.commit": fold.commit,
            "rollback": fold.rollback,
        }
        return asked[what](*told)

    def _take(self, events: Sequence[tuple[int, int, bytes]]) -> tuple[Changes, list[Place]]:
        assert self._opened is not None
        parsed: list[Taken] = []
        skipped: list[Place] = []
        for index, position, record in events:
            event = parse_or_skip(parse_event, record, (index, position), skipped.append)
            if event is not None:
                parsed.append((index, position, event))
        return self._opened[1].take(parsed), skipped

    def close(self) -> None:
        if self._opened is not None:
            self._opened[0].close()


def serve(folding: _Folding, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the requests end, or nobody reads the answers."""
    with suppress(EOFError, BrokenPipeError):
        while True:
            what, told = receive(requests)
            answer: tuple[bool, Any]
            try:
                answer = True, folding.answer(what, told)
            except Exception as error:
                error.add_note("".join(traceback.format_exception(error)))
                answer = False, error
            try:
                send(answers, answer)
            except (OSError, EOFError):
                raise
            except Exception as error:  # an error that can't be pickled
                send(answers, (False, RuntimeError(f"{answer[1]!r} ({error!r})")))


def main() -> None:
    """Fold for the process that started this one, and end after it: signals are that one's concern."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    give_precedence(os.getpid())
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folding = _Folding(Path(sys.argv[1]))
    collect_seldom()
    try:
        serve(folding, sys.stdin.buffer, answers)
    finally:
        folding.close()


if __name__ == "__main__":
    main()
