"""API keys: who may send and ask, and under which name.

A token is ``lineage_`` and 48 characters of base64url: 32 random bytes and their CRC-32, so that a mistyped key is told
from an unknown one and leaked keys can be searched for. Only HMAC-SHA-256 of it, under a secret of this key ring, is
stored, in one JSON file that is replaced whole; a server soon sees keys that are made or revoked beside it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lineage.errors import BadInputError, DataFolderError, NotFoundError, UnauthenticatedError

TOKEN_PREFIX = "lineage_"  # noqa: S105 - the public mark of every token, no secret
_RANDOM_BYTES = 32
_MAX_NAME = 100
_FILE_FORMAT = 1
_HINT = (
    "Send `Authorization: Bearer <key>`. `lineage keys new NAME --data FOLDER` makes one, on the server's machine and "
    "with the folder that it serves."
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request: the name of the API key, or None where none was asked for."""

    name: str | None = None


ANONYMOUS = Sender()


@dataclass(frozen=True, slots=True)
class Key:
    """One API key, without its token. ``created`` and ``revoked`` are UTC microseconds since the epoch."""

    id: str
    name: str
    digest: str
    created: int
    revoked: int | None = None


@dataclass(frozen=True, slots=True)
class _Ring:
    secret: bytes
    keys: tuple[Key, ...]


class KeyRing:
    """The API keys of one data folder, in the file at ``path``, which is made with the first key.

    Several keys may bear one name, so that a sender's key can be changed without a pause. What another process changes
    is seen within ``look_every`` seconds. May be used from any thread.
    """

    def __init__(self, path: Path, *, look_every: float = 0.25) -> None:
        self._path = path
        self._look_every = look_every
        self._looked = float("-inf")
        self._stamp: tuple[int, int, int] | None = None
        self._ring = _Ring(b"", ())

    def new(self, name: str) -> str:
        """Make a key and return its token, which is shown this once and can't be had again.

        Raises BadInputError when the name is empty, longer than 100 characters or not printable.
        """
        if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or name != name.strip():
            raise BadInputError(f"{name!r} can't name a key.", hint="1 to 100 printable characters.", field="name")
        token = _token(secrets.token_bytes(_RANDOM_BYTES))
        with self._locked():
            ring = self._load()
            secret = ring.secret or secrets.token_bytes(32)
            digest = _digest(secret, token)
            key = Key(id=digest[:8], name=name, digest=digest, created=time.time_ns() // 1000)
            self._store(_Ring(secret, (*ring.keys, key)))
        return token

    def list(self) -> tuple[Key, ...]:
        """All keys, the revoked too, in the order in which they were made."""
        return self._load().keys

    def revoke(self, key: str) -> tuple[Key, ...]:
        """Revoke the key with this id, or all keys with this name; return those that this call revoked.

        Raises NotFoundError when no key that is in force has this id or name.
        """
        with self._locked():
            ring = self._load()
            hit = [k for k in ring.keys if k.revoked is None and key in (k.id, k.name)]
            if not hit:
                raise NotFoundError(f"No key in force has the id or name {key!r}.", hint="See `lineage keys list`.")
            now = time.time_ns() // 1000
            gone = {k.id: replace(k, revoked=now) for k in hit}
            self._store(_Ring(ring.secret, tuple(gone.get(k.id, k) for k in ring.keys)))
        return tuple(gone.values())

    def in_use(self) -> bool:
        """Whether a key was ever made: revoking the last one locks a server, it does not open it."""
        return bool(self._current().keys)

    def authenticate(self, authorization: str | None) -> Sender:
        """The sender that an ``Authorization`` header names. Raises UnauthenticatedError."""
        token = _bearer(authorization)
        ring = self._current()
        digest = _digest(ring.secret, token)
        found: Key | None = None
        for key in ring.keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        if found is None:
            raise UnauthenticatedError("This API key is not known here.", hint=_HINT)
        if found.revoked is not None:
            raise UnauthenticatedError(f"This API key ({found.id}) was revoked.", hint=_HINT)
        return Sender(found.name)

    def _current(self) -> _Ring:
        """As :meth:`_load`, for each request: a look at the file would cost as much as the rest of the check."""
        now = time.monotonic()
        if now - self._looked >= self._look_every:
            self._load()
            self._looked = now
        return self._ring

    def _load(self) -> _Ring:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._ring, self._stamp = _Ring(b"", ()), None
            return self._ring
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            self._ring = _read(self._path)
            self._stamp = stamp
        return self._ring

    def _store(self, ring: _Ring) -> None:
        fresh = self._path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_written(ring))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._looked = float("-inf")
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _token(random: bytes) -> str:
    checked = random + zlib.crc32(random).to_bytes(4, "big")
    return TOKEN_PREFIX + base64.urlsafe_b64encode(checked).decode("ascii")


def _digest(secret: bytes, token: str) -> str:
    return hmac.digest(secret, token.encode("ascii"), hashlib.sha256).hex()


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise UnauthenticatedError("This server asks for an API key.", hint=_HINT)
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        # Not repeated here: what stands where a scheme is due may be the key itself.
        raise UnauthenticatedError("The only authorization scheme that is taken is Bearer.", hint=_HINT)
    token = token.strip()
    if not _is_whole(token):
        raise UnauthenticatedError("This is no API key, or not the whole of one.", hint=_HINT)
    return token


def _is_whole(token: str) -> bool:
    if not token.startswith(TOKEN_PREFIX) or not token.isascii():
        return False
    try:
        checked = base64.b64decode(token[len(TOKEN_PREFIX) :], altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    random, crc = checked[:_RANDOM_BYTES], checked[_RANDOM_BYTES:]
    return len(random) == _RANDOM_BYTES and crc == zlib.crc32(random).to_bytes(4, "big")


def _read(path: Path) -> _Ring:
    try:
        held: dict[str, Any] = json.loads(path.read_bytes())
        if held["format"] != _FILE_FORMAT:
            raise ValueError(f"format {held['format']!r}")
        return _Ring(base64.b64decode(held["secret"]), tuple(Key(**key) for key in held["keys"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFolderError(f"The key file {path} can't be read: {error}.") from error


def _written(ring: _Ring) -> bytes:
    keys = [
        {"id": k.id, "name": k.name, "digest": k.digest, "created": k.created, "revoked": k.revoked} for k in ring.keys
    ]
    held = {"format": _FILE_FORMAT, "secret": base64.b64encode(ring.secret).decode("ascii"), "keys": keys}
    return json.dumps(held, indent=1).encode()
