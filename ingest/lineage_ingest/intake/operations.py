"""What operators and tools read: liveness, readiness, metrics, and the schemas of our facets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Receive, Scope, Send

from lineage.errors import NotFoundError
from lineage_ingest.intake.answers import Answer, json_answer, problem, send_answer
from lineage_ingest.intake.health import LedgerHealth

FACETS_PATH = "/api/v1/facets"
SCHEMA_JSON = b"application/schema+json"


@dataclass(frozen=True, slots=True)
class Projected:
    """How the projection stands: how many ledger entries it is ``behind``, how many ``seconds`` ago the oldest of them
    was received, and what it ``waits`` for, in a sentence; None when it goes on."""

    behind: int = 0
    seconds: float = 0.0
    waits: str | None = None


class Operations:
    """Answers about the server. ``projected`` says how the projection stands."""

    def __init__(
        self,
        health: LedgerHealth,
        registry: CollectorRegistry,
        projected: Callable[[], Projected],
        facet_schemas: dict[str, bytes],
    ) -> None:
        self._health = health
        self._registry = registry
        self._projected = projected
        self._schemas = facet_schemas

    async def alive(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``/healthz``: 200 as long as the event loop turns."""
        await send_answer(send, json_answer(200, {"status": "alive"}))

    async def ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``/readyz``: 200 when records can be taken, otherwise 503 and why; with the projection's lag, and what that
        waits for. Records are taken whatever the projection waits for."""
        await send_answer(send, await asyncio.to_thread(self._ready))

    def _ready(self) -> Answer:
        fault, projected = self._health.fault(), self._projected()
        behind, seconds, waits = projected.behind, round(projected.seconds, 3), projected.waits
        state = {
            "ready": fault is None,
            "ledger": {"writable": fault is None, "fault": fault},
            "projection": {"lag": behind, "behind": behind, "seconds": seconds, "waits": waits},
        }
        return json_answer(200 if fault is None else 503, state)

    async def metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``/metrics`` in Prometheus' text format."""
        text = await asyncio.to_thread(generate_latest, self._registry)
        await send_answer(send, Answer(200, text, CONTENT_TYPE_LATEST.encode("ascii")))

    async def facets(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``/api/v1/facets``: the names under which facet schemas are served."""
        await send_answer(send, json_answer(200, {"facets": sorted(self._schemas)}))

    async def facet(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``/api/v1/facets/{name}``: one JSON schema, by its file's name or its ``$id``."""
        name = scope["path"].partition(FACETS_PATH + "/")[2].removesuffix("/")
        schema = self._schemas.get(name)
        if schema is None:
            missing = NotFoundError(f"There is no facet schema {name[:200]!r}.", hint=f"{FACETS_PATH} lists them.")
            await send_answer(send, problem(missing))
        else:
            await send_answer(send, Answer(200, schema, SCHEMA_JSON))


def facet_schemas(folder: Traversable | None = None) -> dict[str, bytes]:
    """The JSON schemas in ``folder`` (our own facets by default), each under its file's stem and under its ``$id``."""
    folder = folder or files("lineage_ingest") / "facets"
    schemas: dict[str, bytes] = {}
    if folder.is_dir():
        for file in folder.iterdir():
            if file.name.endswith(".json"):
                text = file.read_bytes()
                schemas[file.name.removesuffix(".json")] = text
                schemas[str(json.loads(text).get("$id", file.name))] = text
    return schemas
