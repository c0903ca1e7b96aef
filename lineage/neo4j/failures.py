"""The driver's errors in our words: what is wrong in a sentence, and what to do.

The codes are those of Neo4j's status codes (Operations manual, "Neo4j status codes").
"""

from __future__ import annotations

from neo4j.exceptions import AuthError, ConfigurationError, Neo4jError

from lineage.errors import LineageError, UnavailableError, UnusableStoreError

TIMED_OUT = frozenset(
    {
        "Neo.ClientError.Transaction.TransactionTimedOut",
        "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
    }
)
"""A query was stopped because it took longer than it was given."""

BEYOND = frozenset({"Neo.TransientError.Transaction.BookmarkTimeout", "Neo.ClientError.Transaction.InvalidBookmark"})
"""The database does not come to what was written before: it was restored from a backup, perhaps."""

DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"

_OF_THE_STATEMENT = ("Neo.ClientError.Statement.", "Neo.DatabaseError.Statement.", "Neo.ClientError.Schema.")
"""Asked again it would be refused again."""

_READ_ONLY = frozenset(
    {
        "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
        "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase",
        "Neo.ClientError.Database.ReadOnly",
        "Neo.ClientError.Cluster.NotALeader",
    }
)
_NO_DATABASE = "Neo.ClientError.Database.DatabaseNotFound"
_FORBIDDEN = "Neo.ClientError.Security.Forbidden"
_TOO_OFTEN = "Neo.ClientError.Security.AuthenticationRateLimit"
_EXPIRED = "Neo.ClientError.Security.CredentialsExpired"


def as_ours(error: BaseException, uri: str) -> LineageError:
    """``error``, which the driver raised while asking ``uri``, as an error of this project: an UnavailableError, save
    where the server refuses what was asked."""
    if isinstance(error, Neo4jError):
        return _refused(error, uri)
    if isinstance(error, ConfigurationError) and "certificate" in str(error).lower():
        return _untrusted(uri)
    if "CERTIFICATE_VERIFY_FAILED" in _chain(error):
        return _untrusted(uri)
    if isinstance(error, TimeoutError):
        return not_answering(uri, "it took too long")
    return not_answering(uri, _reason(error))


def not_answering(uri: str, reason: str) -> UnavailableError:
    """The server can't be reached, or says nothing."""
    return UnavailableError(
        f"Neo4j at {uri} does not answer: {reason}.",
        hint="Events are taken all the same, and the graph follows once it is back.",
    )


def _refused(error: Neo4jError, uri: str) -> LineageError:
    code = error.code or ""
    if code.startswith(_OF_THE_STATEMENT):
        return LineageError(f"Neo4j at {uri} refuses what was asked: {error.message} ({code}).")
    if code == _EXPIRED:
        return UnusableStoreError(
            f"Neo4j at {uri} asks for a new password before it is used.",
            hint="Set one: ALTER CURRENT USER SET PASSWORD FROM '…' TO '…'.",
        )
    if isinstance(error, AuthError) or code == _TOO_OFTEN:
        return UnusableStoreError(
            f"Neo4j at {uri} refuses the user name or the password.",
            hint="Say the right ones in LINEAGE_NEO4J_USER and LINEAGE_NEO4J_PASSWORD, or in the password file.",
        )
    if code == _FORBIDDEN:
        return UnusableStoreError(
            f"Neo4j at {uri} does not let this user do what is needed: {error.message}",
            hint="The user must read and write the database, and make constraints and indexes (role architect).",
        )
    if code == _NO_DATABASE:
        return UnusableStoreError(
            f"Neo4j at {uri} has no such database: {error.message}",
            hint="Say which one in LINEAGE_NEO4J_DATABASE; Community has one, neo4j.",
        )
    if code in _READ_ONLY:
        return UnavailableError(
            f"Neo4j at {uri} takes no writes: {error.message}",
            hint="Events are taken all the same, and the graph follows once it may be written again.",
        )
    return UnavailableError(f"Neo4j at {uri} could not do it: {error.message} ({code}).")


def _untrusted(uri: str) -> UnusableStoreError:
    return UnusableStoreError(
        f"The certificate of Neo4j at {uri} is not trusted.",
        hint="Name the authority's file in SSL_CERT_FILE, or use the scheme bolt+ssc or neo4j+ssc to trust any.",
    )


def _chain(error: BaseException | None) -> str:
    told = []
    while error is not None:
        told.append(str(error))
        error = error.__cause__ or error.__context__
    return " ".join(told)


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0].rstrip(".: ") if text else type(error).__name__
