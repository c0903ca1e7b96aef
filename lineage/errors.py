"""Every error that Lineage raises on purpose, and the one place where its code is defined.

::

    LineageError                     base: code, message, hint, field
    ├── RefusedError                 a body or a record that is not taken; nothing of it is stored
    │   ├── NotJSONError             NOT_JSON            HTTP 400
    │   ├── InvalidEventError        INVALID_EVENT       HTTP 422, names the field
    │   └── TooLargeError            TOO_LARGE           HTTP 413
    ├── BusyError                    the sender should try again
    │   ├── QueueFullError           QUEUE_FULL          HTTP 503
    │   └── LedgerUnavailableError   LEDGER_UNAVAILABLE  HTTP 503
    ├── QuestionError                a question that has no answer
    │   ├── NotFoundError            NOT_FOUND
    │   ├── InvalidSubjectError      INVALID_SUBJECT
    │   ├── BadInputError            BAD_INPUT
    │   ├── BadCursorError           BAD_CURSOR
    │   ├── SnapshotGoneError        SNAPSHOT_GONE
    │   ├── IndexAheadError          INDEX_AHEAD
    │   ├── TooCostlyError           TOO_COSTLY
    │   ├── QuestionTimeoutError     TIMEOUT
    │   └── UnavailableError         UNAVAILABLE
    │       └── UnusableStoreError   UNAVAILABLE         the graph database answers, and can't be used as it is
    ├── AccessError
    │   ├── UnauthenticatedError     UNAUTHENTICATED     HTTP 401
    │   └── ForbiddenError           FORBIDDEN           HTTP 403
    ├── ProofError                   INVALID_PROOF       a proof does not show what it claims
    └── DataFolderError              DATA_FOLDER         the data folder can't be used: locked, foreign, damaged

HTTP, GraphQL and the command line each map from ``code``; no other module invents one.
"""

from __future__ import annotations

from typing import ClassVar


class LineageError(Exception):
    """Base of all errors: a stable ``code``, a message for a person, a hint on what to do, and the field at fault.

    ``field`` is a JSON Pointer (RFC 6901) into what was sent, or None.
    """

    code: ClassVar[str] = "ERROR"
    status: ClassVar[int] = 500
    """The HTTP status that says the same thing (RFC 9110)."""

    def __init__(self, message: str, *, hint: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class RefusedError(LineageError):
    """A body or record that is not taken; nothing of it is stored in the ledger."""

    code = "REFUSED"
    status = 400


class NotJSONError(RefusedError):
    """The bytes are not JSON as RFC 8259 and I-JSON have it: syntax, NaN, duplicate keys, nesting past the limit."""

    code = "NOT_JSON"
    status = 400


class InvalidEventError(RefusedError):
    """JSON that is no OpenLineage event or prediction record; ``field`` names what is wrong."""

    code = "INVALID_EVENT"
    status = 422


class TooLargeError(RefusedError):
    """A body past the limit, before or after decompression."""

    code = "TOO_LARGE"
    status = 413


class BusyError(LineageError):
    """Nothing is wrong with what was sent; sent again after ``retry_after`` seconds it will be taken."""

    code = "BUSY"
    status = 503

    def __init__(self, message: str, *, hint: str = "", retry_after: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class QueueFullError(BusyError):
    """More waits to be written than the write queue holds."""

    code = "QUEUE_FULL"


class LedgerUnavailableError(BusyError):
    """The ledger can't be written: disk full, read-only, failing."""

    code = "LEDGER_UNAVAILABLE"


class QuestionError(LineageError):
    """A question that has no answer."""

    code = "QUESTION"
    status = 400


class NotFoundError(QuestionError):
    """The subject was never seen; the message names what is nearest."""

    code = "NOT_FOUND"
    status = 404


class InvalidSubjectError(QuestionError):
    """The subject can't be what this question is about, or names nothing that could exist."""

    code = "INVALID_SUBJECT"


class BadInputError(QuestionError):
    """An argument is out of range or malformed."""

    code = "BAD_INPUT"


class BadCursorError(QuestionError):
    """A cursor that this question did not give."""

    code = "BAD_CURSOR"


class SnapshotGoneError(QuestionError):
    """The state that a strict cursor points into is no longer kept."""

    code = "SNAPSHOT_GONE"


class IndexAheadError(QuestionError):
    """A ledger index that does not exist yet, or an answer that was to reflect one which the graph does not yet."""

    code = "INDEX_AHEAD"


class TooCostlyError(QuestionError):
    """A query refused before execution because of what it could cost."""

    code = "TOO_COSTLY"


class QuestionTimeoutError(QuestionError):
    """The work was stopped because it took longer than allowed."""

    code = "TIMEOUT"
    status = 504


class UnavailableError(QuestionError):
    """What would answer is away."""

    code = "UNAVAILABLE"
    status = 503


class UnusableStoreError(UnavailableError):
    """The graph database answers and can't be used as it is: wrong password, another ledger's graph, somebody else's
    data, a version that is too old; the message says which, the hint what to do."""


class AccessError(LineageError):
    """The caller may not do this."""

    code = "FORBIDDEN"
    status = 403


class UnauthenticatedError(AccessError):
    """No key, or one that is not known."""

    code = "UNAUTHENTICATED"
    status = 401


class ForbiddenError(AccessError):
    """A key that is known, and not enough."""

    code = "FORBIDDEN"
    status = 403


class ProofError(LineageError):
    """A Merkle proof, leaf or checkpoint that does not show what it claims."""

    code = "INVALID_PROOF"


class DataFolderError(LineageError):
    """The data folder can't be used as it is: locked by another process, of another kind, or damaged."""

    code = "DATA_FOLDER"
