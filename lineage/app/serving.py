"""uvicorn around the server: listening, ready, and the way down.

On SIGTERM or SIGINT it takes no more connections, answers what was sent, writes and projects what waits, and moves the
write-ahead logs into the files.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from lineage import garbage
from lineage.app.server import Server, create_app
from lineage.errors import BadInputError, LineageError
from lineage.settings import Settings

_BACKLOG = 2048
_SWITCH_SECONDS = 0.0005
"""How long the projection's thread may keep the interpreter from a request. With Python's default of 5 ms each
acknowledgement waited for it three times."""
_QUICK_SECONDS = 1.0
"""What is answered within this time after the signal is no wait of a feed's reader."""


def serve(settings: Settings, on_ready: Callable[[str], None] = lambda url: None, *, adopt: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; ``on_ready`` is told the URL once requests are answered. For ``adopt`` see
    :func:`lineage.app.folder.open_folder`.

    Raises BadInputError where the host is no address of this machine, LineageError where its port is taken or not
    permitted, and what :func:`lineage.app.server.create_app` raises.
    """
    with _listening(settings) as listener:
        app = create_app(settings, adopt=adopt)
        garbage.collect_seldom()
        sys.setswitchinterval(_SWITCH_SECONDS)
        config = uvicorn.Config(
            app,
            http="httptools",
            loop="uvloop",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=settings.keep_alive_timeout,
            timeout_graceful_shutdown=settings.shutdown_timeout,
        )
        try:
            _Uvicorn(config, app, lambda: on_ready(_url(settings.host, listener))).run(sockets=[listener])
        finally:
            app.close()


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which says when it is ready, ends long waits when it stops, and then returns."""

    def __init__(self, config: uvicorn.Config, app: Server, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ending = asyncio.create_task(self._end_waits())
        await super().shutdown(sockets)
        await ending

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _end_waits(self) -> None:
        running = set(self.server_state.tasks)
        if running:
            await asyncio.wait(running, timeout=_QUICK_SECONDS)
        self._app.end_waits()


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host.strip("[]"), settings.port))
        except socket.gaierror as error:
            raise BadInputError(f"{settings.host!r} is no address of this machine.", field="host") from error
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise BadInputError(f"{settings.host!r} is no address of this machine.", field="host") from error
            raise LineageError(
                f"Can't listen on {settings.host}, port {settings.port}: {error.strerror}.",
                hint="Choose another port; 0 takes a free one.",
                field="port",
            ) from error
        listener.listen(_BACKLOG)
        yield listener
    finally:
        listener.close()


def _url(host: str, listener: socket.socket) -> str:
    name = f"[{host.strip('[]')}]" if ":" in host else host or "localhost"
    return f"http://{name}:{listener.getsockname()[1]}"
