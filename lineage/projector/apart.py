"""The fold and its facts in a process of their own, so that they take nothing of the interpreter that intake and
questions share.

What is asked goes to its standard input, answers come from its standard output, both pickled: the two are one program.
It ends when its input does. What it had not committed then is folded again from the ledger, as after any error: whoever
asks is told once (UnavailableError), and what is asked next starts another one.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from lineage.errors import UnavailableError
from lineage.fold.store import Table
from lineage.model import Changes
from lineage.projector.batches import Place, Unfolded

PROGRAM = ("-m", "lineage.projector.folding")

_ROLLBACK = "rollback"
_LENGTH_BYTES = 8
_LAST_SECONDS = 10.0


def send(stream: IO[bytes], message: object) -> None:
    """Write a message that :func:`receive` reads."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(data).to_bytes(_LENGTH_BYTES))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next message. Raises EOFError at the end."""
    length = stream.read(_LENGTH_BYTES)
    if len(length) < _LENGTH_BYTES:
        raise EOFError
    data = stream.read(int.from_bytes(length))
    if len(data) < int.from_bytes(length):
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - of our own process


class FoldProcess:
    """The process that folds into the facts in the file ``path``, by default ``python -m lineage.projector.folding``.
    It keeps the open file ``lock`` open, too. One thread asks at a time."""

    def __init__(self, path: Path, lock: int | None = None, program: Sequence[str] = PROGRAM) -> None:
        self._command = [sys.executable, "-P", *program, str(path)]
        self._kept = () if lock is None else (lock,)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_begun = False
        self.starts = 0
        """How often such a process was started: what one had taken, the next has not."""
        self._start()

    def ask(self, what: str, *arguments: object) -> Any:
        """What ``what`` of :mod:`lineage.projector.folding` gives for ``arguments``, or raises. Only a rollback may
        come after what was begun and not finished, which is then forgotten."""
        if self._is_begun:
            if what != _ROLLBACK:
                raise RuntimeError(f"Something is begun: {what} would forget it.")
            with suppress(Exception):
                self.finish()
        self.begin(what, *arguments)
        return self.finish()

    def begin(self, what: str, *arguments: object) -> None:
        """Have it done meanwhile."""
        with self._ending_if_broken():
            stream, self._is_begun = self._stdin, True
            send(stream, (what, arguments))

    def finish(self) -> Any:
        """What came of what was begun. Raises UnavailableError where nothing was."""
        if not self._is_begun:
            raise ended()
        with self._ending_if_broken():
            is_done, answer = receive(self._stdout)
            self._is_begun = False
        if not is_done:
            raise answer
        return answer

    def close(self) -> None:
        """End the process; what was not committed is forgotten."""
        self._end(_LAST_SECONDS)

    def kill(self) -> None:
        """End it on the spot, and so the wait of another thread for its answer."""
        if (process := self._process) is not None:
            process.kill()

    @contextmanager
    def _ending_if_broken(self) -> Iterator[None]:
        """A message that was not sent or read whole, for whatever reason, is the last of its process."""
        try:
            yield
        except BaseException as error:
            self._end(0.0)
            if isinstance(error, OSError | EOFError):
                raise ended() from error
            raise

    @property
    def _stdin(self) -> IO[bytes]:
        stream = (self._process or self._start()).stdin
        assert stream is not None
        return stream

    @property
    def _stdout(self) -> IO[bytes]:
        if self._process is None:
            raise EOFError
        assert self._process.stdout is not None
        return self._process.stdout

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=self._kept, env=environment
            )
        except OSError as error:
            raise UnavailableError(
                f"The process that folds can't be started: {error.strerror}.",
                hint="Check the limits on processes and memory.",
            ) from error
        self.starts += 1
        return self._process

    def _end(self, seconds: float) -> None:
        process, self._process, self._is_begun = self._process, None, False
        if process is None:
            return
        if not seconds:
            process.kill()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()
        try:
            process.wait(seconds or None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ended() -> UnavailableError:
    """What whoever asks is told once."""
    return UnavailableError("The process that folds has ended.", hint="Another one is started; nothing is lost.")


class FactsApart:
    """What the projection needs of the :class:`~lineage.fold.store.FactStore` in that process."""

    def __init__(self, process: FoldProcess) -> None:
        self._ask = process.ask
        self.process = process

    def watermark(self) -> int:
        """How many ledger entries the facts reflect."""
        return int(self._ask("watermark"))

    def get(self, table: Table, key: bytes) -> bytes | None:
        """The record, or None."""
        found: bytes | None = self._ask("get", table, key)
        return found

    def put(self, table: Table, key: bytes, value: bytes | None) -> None:
        """Set the record, or remove it."""
        self._ask("put", table, key, value)

    def commit(self, watermark: int) -> None:
        """Keep everything put so far."""
        self._ask("facts.commit", watermark)

    def clear(self) -> None:
        """Remove everything."""
        self._ask("clear")

    def close(self) -> None:
        """End the process."""
        self.process.close()


class FoldApart:
    """The :class:`~lineage.fold.fold.Fold` in ``process``, which takes events as the bytes that were received. ``skip``
    is called for each that can't be parsed."""

    def __init__(self, process: FoldProcess, skip: Callable[[Place], None]) -> None:
        self._process = process
        self._skip = skip
        self._started = process.starts
        self._begun: Sequence[Unfolded] | None = None

    def begin(self, events: Sequence[Unfolded]) -> None:
        """Have :meth:`take` of ``events`` done meanwhile: it is to be asked for next, or ``rollback`` is."""
        self._check()
        self._process.begin("take", events)
        self._begun = events

    def take(self, events: Sequence[Unfolded]) -> Changes:
        """Absorb events and settle. Not kept until ``commit``."""
        self._check()
        if events is not self._begun:
            self._process.begin("take", events)
        self._begun = None
        changes, skipped = self._process.finish()
        for place in skipped:
            self._skip(place)
        told: Changes = changes
        return told

    def encode(self) -> None:
        """Hand what was taken to the facts."""
        self._check()
        self._process.ask("encode")

    def commit(self, watermark: int) -> None:
        """Keep what was taken."""
        self._check()
        self._process.ask("fold.commit", watermark)

    def rollback(self) -> None:
        """Forget what was taken since the last commit."""
        self._begun = None
        self._process.ask(_ROLLBACK)
        self._started = self._process.starts

    def _check(self) -> None:
        """Raises UnavailableError where the process that had taken what came before is gone, until ``rollback``."""
        if self._process.starts != self._started:
            raise ended()
