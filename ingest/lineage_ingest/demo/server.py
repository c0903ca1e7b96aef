"""A server of the demo's own: ``lineage serve`` in a process beside, on a fresh folder and a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

LOOPBACK = "127.0.0.1"
READY_SECONDS = 30.0
STOP_SECONDS = 15.0

_LOOK_EVERY = 0.05


class DemoServerError(Exception):
    """The server did not come up; the message says where its log is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens; ``taken`` says that the port that was wanted is not free."""

    port: int
    taken: bool

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://{LOOPBACK}:{self.port}"


def find_place(wanted: int) -> Place:
    """``wanted`` if that port is free on loopback, or else any free one."""
    try:
        return Place(_bind(wanted), taken=False)
    except OSError:
        return Place(_bind(0), taken=True)


def fresh_folder(parent: Path) -> Path:
    """A new folder in ``parent``: ``1``, ``2`` and so on. What stands there stays."""
    parent.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(each.name) for each in parent.iterdir() if each.name.isdigit()), default=0)
    while True:
        folder = parent / str(number)
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


class DemoServer:
    """``lineage serve`` as a context manager: begun on entering, stopped in order on leaving."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.log = folder / "server.log"
        self._data = folder / "store"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "lineage.cli", "serve", "--host", LOOPBACK]
        command += ["--port", str(self.place.port), "--data", str(self._data)]
        # What is set for another server on this machine means nothing here.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LINEAGE_")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_until_ready(self) -> None:
        """Return once it answers. Raises DemoServerError when it ends before, or takes longer than READY_SECONDS."""
        deadline = time.monotonic() + READY_SECONDS
        with httpx.Client(base_url=self.place.url, timeout=2.0, trust_env=False) as client:
            while time.monotonic() < deadline and self._running():
                try:
                    if client.get("/readyz").status_code == httpx.codes.OK:
                        return
                except httpx.HTTPError:
                    pass  # not listening yet
                time.sleep(_LOOK_EVERY)
        told = self.log.read_text(errors="replace").strip().splitlines()
        raise DemoServerError(f"The demo's server did not start; {self.log} says why: {told[-1] if told else ''}")

    def wait(self) -> None:
        """Return when the server has ended by itself."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _running(self) -> bool:
        return self._process is not None and self._process.poll() is None


def _bind(port: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
        bound: int = probe.getsockname()[1]
        return bound
