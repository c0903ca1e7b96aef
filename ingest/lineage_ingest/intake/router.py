"""The intake's addresses: one look in a table, as a framework's routing would cost as much as the ledger.

A trailing slash is the same address, never a redirect: clients follow one without the body and think the event is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from lineage_ingest.intake.answers import send_answer, wrong_method
from lineage_ingest.intake.feed import Feed
from lineage_ingest.intake.intake import LINEAGE, LINEAGE_BATCH, PREDICTIONS, Intake
from lineage_ingest.intake.operations import FACETS_PATH, Operations

Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


class IntakeRouter:
    """ASGI: answers the intake's addresses, and leaves all others to ``otherwise``."""

    def __init__(self, intake: Intake, feed: Feed, operations: Operations, otherwise: ASGIApp) -> None:
        self._intake = intake
        self._feed = feed
        self._otherwise = otherwise
        self._one_facet = _reading(operations.facet)
        self.methods: Mapping[str, Mapping[str, Endpoint]] = {
            "/api/v1/lineage": {"POST": partial(intake.take, LINEAGE)},
            "/api/v1/lineage/batch": {"POST": partial(intake.take, LINEAGE_BATCH)},
            "/api/v1/predictions": {"POST": partial(intake.take, PREDICTIONS)},
            "/api/v1/ledger/entries": {"GET": feed},
            FACETS_PATH: _reading(operations.facets),
            "/healthz": _reading(operations.alive),
            "/readyz": _reading(operations.ready),
            "/metrics": _reading(operations.metrics),
        }
        self._table = {**self.methods, **{path + "/": methods for path, methods in self.methods.items()}}

    def close(self) -> None:
        """End the waits of the feed's readers, and let go of the threads. Call it when the server begins to stop."""
        self._feed.close()
        self._intake.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        methods = self._find(scope["path"]) if scope["type"] == "http" else None
        if methods is None:
            await self._otherwise(scope, receive, send)
            return
        endpoint = methods.get(scope["method"])
        if endpoint is None:
            await send_answer(send, wrong_method(scope["method"], ", ".join(methods)))
            return
        await endpoint(scope, receive, send)

    def _find(self, path: str) -> Mapping[str, Endpoint] | None:
        methods = self._table.get(path)
        if methods is None and path.startswith(FACETS_PATH + "/"):
            return self._one_facet
        return methods


def _reading(answer: Endpoint) -> Mapping[str, Endpoint]:
    """The methods of an address that is only read; the server leaves out the body for HEAD."""
    return {"GET": answer, "HEAD": answer}
