"""Who may come in: API keys, and no web page of somebody else's.

Every address but ``/healthz`` and ``/readyz`` needs a key, where keys are asked for at all. A page in a browser on the
same machine may reach a server on loopback too, hence two rules for all requests (``docs/adr/0010``): an ``Origin``
must be the host that was asked, and a server that asks for no key answers under its own names only (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from lineage.access import ANONYMOUS, KeyRing, Sender
from lineage.errors import ForbiddenError, LineageError, UnauthenticatedError
from lineage_ingest.intake.answers import Headers, problem, send_answer

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
SENDER = "lineage.sender"
"""Where in the ASGI scope the sender stands; its value is a :class:`lineage.access.Sender`."""

_CHALLENGE = ((b"www-authenticate", b'Bearer realm="lineage"'),)
_BROWSER_HINT = (
    "A browser sends no key by itself: let a proxy or an extension add the header `Authorization: Bearer <key>`, "
    "or ask with `lineage`, curl or a GraphQL client."
)
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def sender_of(scope: Scope) -> Sender:
    """The sender that the guard found; anonymous without a guard."""
    sender = scope.get(SENDER, ANONYMOUS)
    return sender if isinstance(sender, Sender) else ANONYMOUS


class Guard:
    """ASGI middleware around the whole server.

    ``loopback`` says whether the server listens on loopback only, ``insecure`` whether it may do without keys when not.
    Once a key was made, keys are asked for everywhere. ``allowed_hosts`` are names that the server goes by besides
    localhost; ``refused`` is told the code of each refusal, ``turned_away`` the request and the error.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: KeyRing,
        *,
        loopback: bool,
        insecure: bool = False,
        allowed_hosts: Collection[str] = (),
        refused: Callable[[str], None] = lambda code: None,
        turned_away: Callable[[Scope, LineageError], None] = lambda scope, error: None,
    ) -> None:
        self._app = app
        self._keys = keys
        self._keys_needed = not loopback and not insecure
        self._any_host = not loopback and not allowed_hosts
        self._hosts = _LOOPBACK_NAMES.union(host.lower() for host in allowed_hosts)
        self._refused = refused
        self._turned_away = turned_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its sender in the scope, or refuse it (ASGI)."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in OPEN_PATHS:
            try:
                scope[SENDER] = self._admit(scope)
            except LineageError as error:
                self._refused(error.code)
                self._turned_away(scope, error)
                await _refuse(scope, receive, send, error)
                return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> Sender:
        host, origin, authorization = "", None, None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1").lower()
            elif name == b"origin":
                origin = value.decode("latin-1").lower()
            elif name == b"authorization":
                authorization = value.decode("latin-1")
        if origin is not None and not _is_same(origin, host):
            raise ForbiddenError(
                f"Pages of {origin[:200]!r} may not use this server.", hint="Ask it from its own pages, or no browser."
            )
        if self._keys_needed or self._keys.in_use():
            return self._keys.authenticate(authorization)
        if not self._any_host and _name_of(host) not in self._hosts:
            raise ForbiddenError(
                f"This server does not go by the name {_name_of(host)[:200]!r}.",
                hint="Ask for localhost, set LINEAGE_ALLOWED_HOSTS, or make an API key.",
            )
        return ANONYMOUS


async def _refuse(scope: Scope, receive: Receive, send: Send, error: LineageError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    challenge: Headers = ()
    if isinstance(error, UnauthenticatedError):
        challenge = _CHALLENGE
        if _is_browser(scope):
            error = UnauthenticatedError(error.message, hint=_BROWSER_HINT)
    await send_answer(send, problem(error, headers=challenge))


def _is_browser(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _is_same(origin: str, host: str) -> bool:
    scheme, separator, authority = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and authority == host


@lru_cache(maxsize=256)
def _name_of(host: str) -> str:
    """The name or address in a ``Host`` header, without its port; empty when it is malformed."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return str(ipaddress.ip_address(name)) if ":" in name else name
    except ValueError:
        return ""
