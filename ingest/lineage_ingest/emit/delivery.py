"""How events leave: through openlineage-python's client, and without ever breaking or holding up the pipeline they
tell of.

An event that the server can't take now is kept and sent again before the next one, or at the end; the order in which
events arrive means nothing to the server. Redirects that would lose the event (a POST that becomes a GET) are errors.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import attr
from openlineage.client import OpenLineageClient
from openlineage.client.constants import DEFAULT_PRODUCER
from openlineage.client.event_v2 import DatasetEvent, RunEvent
from openlineage.client.facet_v2 import BaseFacet
from openlineage.client.transport import Config, Transport
from openlineage.client.transport.http import HttpConfig, HttpTransport

from lineage_ingest.emit.errors import DeliveryError
from lineage_ingest.emit.facet import PRODUCER

log = logging.getLogger(__name__)

KEPT_EVENTS = 1_000
"""Events kept while the server is away; past that the oldest is dropped."""
PAUSE = 30.0
"""Seconds for which an unreachable server is left alone, so that a pipeline waits for it once and not at each event."""

Event = RunEvent | DatasetEvent


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """Events sent, refused or dropped for good, kept to be sent again; and problems in describing what a run did."""

    sent: int
    lost: int
    kept: int
    problems: int


def http_transport(url: str, *, api_key: str | None = None, timeout: float = 5.0, retries: int = 5) -> HttpTransport:
    """OpenLineage's HTTP transport for a server at ``url``; ``timeout`` in seconds, ``retries`` after 500, 502–504 and
    connection errors, 0.3 s, 0.6 s, 1.2 s, … apart. Raises ValueError for what is no URL."""
    config: dict[str, Any] = {"url": url.rstrip("/") + "/", "timeout": timeout}
    config["retry"] = {"total": retries, "read": retries, "connect": retries}
    if api_key:
        config["auth"] = {"type": "api_key", "apiKey": api_key}
    transport = HttpTransport(HttpConfig.from_dict(config))
    transport.session.hooks["response"].append(_refuse_lossy_redirect)
    return transport


def _refuse_lossy_redirect(response: Any, *_: object, **__: object) -> None:
    if response.status_code in (301, 302, 303):
        target = response.headers.get("Location")
        msg = f"{response.url} redirects to {target}, and the event would be lost on the way; use that address instead."
        raise DeliveryError(msg)


class ListTransport(Transport):
    """Keeps events in a list, for tests and notebooks."""

    kind = "list"
    config_class = Config

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Any) -> None:
        """Keep the event."""
        self.events.append(event)


class Delivery:
    """Sends events; thread-safe. With ``strict`` every problem is raised, without it is logged and counted."""

    def __init__(self, transport: Transport | None = None, *, strict: bool = False, pause: float = PAUSE) -> None:
        self._client = OpenLineageClient(transport=transport)
        self._strict = strict
        self._pause = pause
        self._lock = threading.Lock()
        self._kept: deque[Event] = deque()
        self._away_until = 0.0
        self._sent = self._lost = self._problems = 0

    @property
    def counts(self) -> DeliveryCounts:
        """How it went so far."""
        with self._lock:
            return DeliveryCounts(self._sent, self._lost, len(self._kept), self._problems)

    def send(self, event: Event) -> None:
        """Send an event, or keep it if the server is away. Raises DeliveryError, only if strict."""
        _sign(event)
        with self._lock:
            self._kept.append(event)
            if len(self._kept) > KEPT_EVENTS:
                self._drop(self._kept.popleft(), "too many events wait for the server")
            if time.monotonic() >= self._away_until:
                self._send_kept()

    def flush(self) -> bool:
        """Try what is kept once more, at once; whether nothing is left. Raises DeliveryError, only if strict."""
        with self._lock:
            self._send_kept()
            return not self._kept

    def close(self) -> None:
        """Flush, say what was lost, and release the connection."""
        try:
            self.flush()
        finally:
            with self._lock:
                while self._kept:
                    self._drop(self._kept.popleft(), "the server did not answer")
            self._client.close()

    def problem(self, error: Exception, what: str) -> None:
        """Raise ``error`` if strict; else count it and log ``what`` could not be told."""
        if self._strict:
            raise error
        with self._lock:
            self._problems += 1
        log.warning("Lineage is incomplete: %s: %s", what, error)

    def _send_kept(self) -> None:
        while self._kept:
            try:
                self._client.emit(self._kept[0])
            except Exception as error:
                if self._strict:
                    self._drop(self._kept.popleft(), str(error))
                    msg = f"The event was not delivered: {error}"
                    raise DeliveryError(msg) from error
                if _is_away(error):
                    self._away_until = time.monotonic() + self._pause
                    log.warning("The lineage server is away (%s); %d events are kept.", error, len(self._kept))
                    return
                self._drop(self._kept.popleft(), str(error))
            else:
                self._kept.popleft()
                self._sent += 1

    def _drop(self, event: Event, why: str) -> None:
        self._lost += 1
        what = event.job.name if isinstance(event, RunEvent) else event.dataset.name
        log.error("An event about %s is lost: %s", what, why)


def _is_away(error: Exception) -> bool:
    # What requests and the system raise for networks is an OSError; an answer of 4xx will not change.
    status = getattr(getattr(error, "response", None), "status_code", None)
    return isinstance(error, OSError) and (status is None or status >= 500)


def transport_from_environment() -> HttpTransport | None:
    """For ``OPENLINEAGE_URL`` and ``OPENLINEAGE_API_KEY``; None where there is no such URL, or more is configured.

    None leaves it to openlineage-python, which reads ``OPENLINEAGE_CONFIG``, ``openlineage.yml`` and
    ``OPENLINEAGE__…``.
    """
    url = os.environ.get("OPENLINEAGE_URL")
    more = any(
        name in os.environ for name in ("OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT", "OPENLINEAGE__TRANSPORT__TYPE")
    )
    if not url or more or os.environ.get("OPENLINEAGE_ENDPOINT"):
        return None
    return http_transport(url, api_key=os.environ.get("OPENLINEAGE_API_KEY"))


def _sign(told: Any) -> None:
    # The client's set_producer is global, and would sign what other emitters of the same process send.
    if isinstance(told, Event):
        told.producer = PRODUCER
    if isinstance(told, BaseFacet):
        if told._producer == DEFAULT_PRODUCER:
            told._producer = PRODUCER
    elif isinstance(told, Mapping):
        for item in told.values():
            _sign(item)
    elif isinstance(told, list):
        for item in told:
            _sign(item)
    elif attr.has(type(told)):
        for field in attr.fields(type(told)):
            _sign(getattr(told, field.name))
