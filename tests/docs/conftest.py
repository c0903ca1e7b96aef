"""Runs what the documents show: files are written, commands are run, servers are started, printed text is compared.

What a fenced block is for stands in its info string, after the language:

- ``run``: a shell block that is run; ``exit=N`` after it says with which code it ends.
- ``server``: a shell block that is left running; the page goes on once the server answers.
- ``file=NAME``: the content of a file beside.
- ``output``: what the ``run`` block before it printed, whole; :func:`normal` says what may differ.
- ``sketch``: not run, as it needs what is not here; the words around it say what.

``<!-- after: PAGE -->`` has the blocks of another page run before. All of a page happens in one folder of its
own, which the page calls ``/home/you/flats``. ``LINEAGE_DOCS=write pytest tests/docs`` writes what is printed now into
the pages.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import httpx
import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DEFAULT_URL = "http://127.0.0.1:8000"
SECONDS = 60

HOME = "/home/you/flats"
WRITES = os.environ.get("LINEAGE_DOCS") == "write"

_DIFFERS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b"), "<hash>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8}(?:-[0-9a-f]{4}){0,3}\b"), "<key>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?"), "<time>"),
    (re.compile(r"\bas of ledger entry \d+"), "as of ledger entry <index>"),
    (re.compile(r"\b(?:REFU|Q09M|Sk9C|UlVO|VkVS)[A-Za-z0-9_-]{20,}"), "<id>"),
    (re.compile(r"\b\d+ lines|\"lines\": \d+"), "<lines>"),
    (re.compile(r"[ \t]+"), " "),
)

_FENCE = re.compile(r"^(```+)([^\n`]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_AFTER = re.compile(r"<!-- after: (\S+) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block, and on which line of which page it stands."""

    language: str
    flags: tuple[str, ...]
    text: str
    place: str

    def flag(self, name: str) -> str | None:
        """The value of ``name=value``."""
        return next((flag.partition("=")[2] for flag in self.flags if flag.startswith(f"{name}=")), None)


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, *flags = shlex.split(match.group(2)) or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(language, tuple(flags), match.group(3), f"{page.relative_to(ROOT)}:{line}"))
    return found


def normal(text: str) -> list[str]:
    """The lines of a printed text without what differs from time to time: ids, hashes, times, the lines of a dump,
    widths of columns, and the order of rows that stand equal."""
    for pattern, name in _DIFFERS:
        text = pattern.sub(name, text)
    return sorted(line.strip() for line in text.splitlines() if line.strip())


@dataclass
class Reader:
    """Does what a page says, in ``folder``; ``environment`` is that of all commands."""

    folder: Path
    url: str
    environment: dict[str, str]
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def read(self, page: Path) -> None:
        """Do all that ``page`` says, after what it builds on."""
        for other in _AFTER.findall(page.read_text(encoding="utf-8")):
            self.read((page.parent / other).resolve())
        printed: str | None = None
        for block in blocks_of(page):
            if (name := block.flag("file")) is not None:
                (self.folder / name).write_text(self._here(block.text), encoding="utf-8")
            elif "server" in block.flags:
                self._serve(block)
            elif "run" in block.flags:
                printed = self._run(block)
            elif "output" in block.flags:
                self._compare(page, block, printed)

    def _here(self, text: str) -> str:
        return text.replace(DEFAULT_URL, self.url)

    def _run(self, block: Block) -> str:
        command = ["bash", "-euo", "pipefail", "-c", self._here(block.text)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=SECONDS
        )
        expected = int(block.flag("exit") or 0)
        assert done.returncode == expected, f"{block.place} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout.replace(self.url, DEFAULT_URL).replace(str(self.folder), HOME)

    def _serve(self, block: Block) -> None:
        command = ["bash", "-c", f"exec {block.text.strip()}"]
        with (self.folder / "server.log").open("wb") as log:
            self.servers.append(
                subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
            )
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.servers[-1].poll() is None:
            try:
                if httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail(f"{block.place}: the server did not start: {(self.folder / 'server.log').read_text()}")

    def _compare(self, page: Path, block: Block, printed: str | None) -> None:
        assert printed is not None, f"{block.place}: nothing was run before"
        if WRITES:
            told = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
            head = f"```{' '.join((block.language, *block.flags))}\n"
            text = page.read_text(encoding="utf-8")
            page.write_text(text.replace(f"{head}{block.text}```", f"{head}{told}```", 1), encoding="utf-8")
        else:
            assert normal(printed) == normal(block.text), f"{block.place} differs from what was printed:\n{printed}"

    def close(self) -> None:
        """Stop the servers."""
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        for server in self.servers:
            server.wait(SECONDS)


def environment_of(port: int) -> dict[str, str]:
    """The environment of a reader whose default server is on ``port``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LINEAGE_", "OPENLINEAGE_"))}
    url = f"http://127.0.0.1:{port}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "LINEAGE_PORT": str(port), "LINEAGE_URL": url, "PYTHONWARNINGS": "error"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def reader(tmp_path: Path, require: Callable[..., None]) -> Iterator[Reader]:
    """Who does what a page says, and stops afterwards what it started."""
    require("loopback")
    port = free_port()
    folder = tmp_path / Path(HOME).name
    folder.mkdir()
    made = Reader(folder, f"http://127.0.0.1:{port}", environment_of(port))
    yield made
    made.close()


@pytest.fixture(scope="session")
def pages() -> list[Path]:
    """Every document that is written by hand."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.fixture
def blocks() -> Callable[[Path], list[Block]]:
    """:func:`blocks_of`."""
    return blocks_of


@pytest.fixture
def normalised() -> Callable[[str], list[str]]:
    """:func:`normal`."""
    return normal


@pytest.fixture(scope="session")
def readme_script() -> Iterator[ModuleType]:
    """``docs/readme.py`` as a module."""
    sys.path.insert(0, str(DOCS))
    try:
        import readme

        yield readme
    finally:
        sys.path.remove(str(DOCS))
