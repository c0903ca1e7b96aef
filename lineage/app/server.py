"""The server as an ASGI application: guard, intake, GraphQL, documentation."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from lineage.app.context import graphql_context
from lineage.app.folder import Folder, open_folder
from lineage.app.probe import StoreProbe
from lineage.errors import LineageError, RefusedError
from lineage.ledger.writer import GroupCommit
from lineage.projector import Projector
from lineage.settings import Settings, read_settings
from lineage_graphql import Caps, answers_router, build_schema, graphql_router
from lineage_ingest.intake import (
    Answer,
    Guard,
    IntakeLimits,
    IntakeParts,
    Projected,
    TurnedAway,
    intake_router,
    no_address,
    openapi_paths,
    probe_folder,
    problem,
    wrong_method,
)

_HEAD_WAIT = {"neo4j": 0.5}
"""Seconds of a question's two, of stores that take more than one to find out that they are away."""
_ADDRESSES = {
    "graphql": "/graphql",
    "answers": "/api/v1/answers",
    "docs": "/docs",
    "openapi": "/openapi.json",
    "ready": "/readyz",
    "metrics": "/metrics",
    "events": "/api/v1/lineage",
}

_DOCS_PLACE = '<div id="swagger-ui">'
_DOCS_NOTE = (
    "Loading… The scripts of this page come from a public CDN (cdn.jsdelivr.net). Where a browser can't reach that, "
    f'<a href="{_ADDRESSES["openapi"]}">{_ADDRESSES["openapi"]}</a> says the same.'
)


def create_app(settings: Settings | None = None, *, adopt: bool = False) -> Server:
    """The server on the data folder of ``settings`` (by default of the environment), which it owns from now on until
    its lifespan ends. Raises as :func:`lineage.app.folder.open_folder` does, which says what ``adopt`` means, and
    BadInputError for an environment that is no settings."""
    settings = settings or read_settings()
    return Server(settings, open_folder(settings, adopt=adopt))


class Server:
    """ASGI. Its lifespan starts the projector, and at its end writes what waits, projects it and closes ``folder``.

    The caller guarantees that ``folder`` was opened to be written.
    """

    def __init__(self, settings: Settings, folder: Folder) -> None:
        self.folder = folder
        assert folder.projector is not None
        self.projector: Projector = folder.projector
        self._settings = settings
        self.writer = GroupCommit(
            folder.ledger,
            capacity_records=settings.queue_records,
            capacity_bytes=settings.queue_bytes,
            on_commit=self.projector.wake,
            hand_over=self.projector.hand_over,
        )
        self.projector.give_way(lambda: self.writer.waiting > 0)
        parts = self._parts()
        self._intake = intake_router(parts, self._pages())
        gauge = parts.metrics.gauge
        gauge("lineage_graph_store_up", "Whether the graph store answers.", StoreProbe(folder.store))
        gauge("lineage_projection_skipped", "Records that can't be projected.", lambda: self.projector.skipped)
        self._guarded = Guard(
            self._intake,
            folder.keys,
            loopback=settings.loopback,
            insecure=settings.insecure,
            allowed_hosts=settings.allowed_hosts,
            refused=parts.metrics.refused,
            turned_away=TurnedAway(folder.rejected.add),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan (ASGI)."""
        await self._guarded(scope, receive, send)

    def end_waits(self) -> None:
        """End the waits of the feed's readers, so that a server that stops need not sit them out."""
        self._intake.close()

    def close(self) -> None:
        """Write what waits, project it for as long as ``shutdown_timeout`` says, and close the folder."""
        self.end_waits()
        self.writer.close()
        try:
            self.projector.stop(self._settings.shutdown_timeout)
        finally:
            self.folder.close()

    def _parts(self) -> IntakeParts:
        settings, folder = self._settings, self.folder
        limits = IntakeLimits(
            event_bytes=settings.max_event_bytes,
            batch_bytes=settings.max_batch_bytes,
            batch_records=settings.max_batch_records,
            inflight_bytes=settings.max_inflight_bytes,
            body_timeout=settings.body_timeout,
            acknowledge_timeout=settings.acknowledge_timeout,
            feed_wait=settings.feed_wait,
            feed_limit=settings.feed_limit,
        )
        return IntakeParts(
            folder.ledger,
            self.writer,
            folder.rejected,
            limits=limits,
            probe=lambda: probe_folder(folder.path),
            queue_depth=lambda: self.writer.waiting,
            projected=self._projected,
        )

    def _projected(self) -> Projected:
        projector = self.projector
        return Projected(projector.behind(), projector.lag_seconds(), projector.trouble)

    def _pages(self) -> FastAPI:
        """All that is not the intake's."""
        pages = FastAPI(title="Lineage", version=_version(), docs_url=None, redoc_url=None, lifespan=self._lifespan)
        pages.add_exception_handler(HTTPException, _problem)
        wait = self._settings.read_wait
        head_wait = min(wait, _HEAD_WAIT.get(self._settings.store, wait))
        context = graphql_context(self.folder, Caps(read_wait=wait, head_wait=head_wait))
        schema = build_schema(context.caps)
        pages.include_router(graphql_router(context, schema), prefix=_ADDRESSES["graphql"])
        pages.include_router(answers_router(context, schema, _refused), prefix=_ADDRESSES["answers"])
        pages.add_api_route("/", _welcome, include_in_schema=False, response_class=Response)
        pages.add_api_route(_ADDRESSES["docs"], _docs, include_in_schema=False, response_class=Response)
        document = pages.openapi

        def openapi() -> dict[str, Any]:
            whole = document()
            whole["paths"] = {**openapi_paths(), **whole["paths"]}
            return whole

        pages.openapi = openapi  # type: ignore[method-assign]
        return pages

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self.projector.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.close)


async def _welcome(request: Request) -> Response:
    """Where everything is: JSON, or a page for browsers."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"name": "Lineage", "version": _version(), **_ADDRESSES})
    links = "".join(f'<li>{html.escape(what)}: <a href="{path}">{path}</a></li>' for what, path in _ADDRESSES.items())
    return HTMLResponse(f"<!doctype html><title>Lineage</title><h1>Lineage {_version()}</h1><ul>{links}</ul>")


async def _docs() -> Response:
    """The HTTP interface for browsers; what it says by itself stands there until its scripts are loaded."""
    page = get_swagger_ui_html(openapi_url=_ADDRESSES["openapi"], title="Lineage")
    return HTMLResponse(bytes(page.body).decode().replace(_DOCS_PLACE, _DOCS_PLACE + _DOCS_NOTE))


async def _problem(request: Request, error: Exception) -> Response:
    """What FastAPI refuses by itself, as all else is refused: an address that isn't there, or not for this method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        answer = no_address(request.url.path)
    elif error.status_code == 405:
        answer = wrong_method(request.method, (error.headers or {}).get("Allow", "another"))
    else:
        answer = problem(RefusedError(str(error.detail)), error.status_code)
    return _response(answer)


def _refused(error: LineageError) -> Response:
    return _response(problem(error))


def _response(answer: Answer) -> Response:
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers, answer.content_type.decode())


def _version() -> str:
    try:
        return version("lineage-graph")
    except PackageNotFoundError:
        return "0"
