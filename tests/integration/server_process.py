"""The real server as a process of its own, on a free port of loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

READY = "Lineage is ready at "


class ServerProcess:
    """``python -m lineage.app`` on the data folder ``data``; ready when made. Use it in a ``with``."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.log = data.with_name(data.name + ".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lineage.app"],
                env=environment(data, settings),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith(READY):
            self.process.wait()
            raise AssertionError(f"The server did not start: {line}{self.logged()}")
        self.url = line.removeprefix(READY).strip()
        self.client = httpx.Client(base_url=self.url, timeout=30, verify=False)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def post(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        """POST bytes as JSON, unless ``headers`` (with ``_`` for ``-``) say otherwise."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, content=content, headers={"content-type": "application/json", **told})

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer to a GraphQL query."""
        answer = self.client.post("/graphql", json={"query": query, "variables": variables})
        told: dict[str, Any] = answer.json()
        return told

    def metric(self, name: str) -> float:
        """One value of ``/metrics``; ``name`` with its labels."""
        for line in self.client.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"No metric {name}.")

    def peak_bytes(self) -> int:
        """The most memory that the server has had resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))

    def logged(self) -> str:
        """What the servers on this folder have logged."""
        return self.log.read_text()

    def stop(self) -> int:
        """Ask it to stop (SIGTERM); the exit code."""
        self.process.terminate()
        return self._end()

    def kill(self) -> None:
        """End it on the spot (SIGKILL)."""
        self.process.kill()
        self._end()

    def _end(self) -> int:
        self.client.close()
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def environment(data: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with these settings of the server, and no other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINEAGE_")}
    told = {f"LINEAGE_{name.upper()}": value for name, value in settings.items()}
    return {**kept, "LINEAGE_DATA": str(data), "LINEAGE_PORT": "0", **told}
