"""A real Neo4j Community server as a process of its own, on a port of loopback, for tests that start, stop and harm it.

    with Neo4jServer(tmp_path / "neo4j") as server, server.driver() as driver:
        driver.execute_query("CREATE (:Dataset {name: 'orders'})")
        server.kill()
        server.start()

A server ends with the process that started it, however that ends. Needs ``java``, and ``mvn`` for the first time.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import neo4j

from tests.free_port import free_port
from tests.neo4j_jars import JarsError, Release, alone, class_archive, jars, wanted
from tests.neo4j_process import answers_bolt, launch
from tests.neo4j_tls import certify

__all__ = ["JarsError", "Neo4jServer", "NotStartedError", "jars"]

LONGEST_START = 180.0
LONGEST_STOP = 60.0
_SETTINGS = {
    "server.http.enabled": "false",
    "server.https.enabled": "false",
    "server.memory.pagecache.size": "128m",
    "dbms.usage_report.enabled": "false",
    "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
}


class NotStartedError(Exception):
    """The server ended, or did not answer, instead of starting; says what it logged."""


class Neo4jServer:
    """Neo4j on the folder ``home``, which is made if need be; starts in a ``with``, whose end kills it.

    ``settings`` are Neo4j's, and beat those given here. ``password``, of the user ``neo4j``, turns authentication on.
    ``read_only`` makes all databases so. ``tls`` asks for TLS, with a certificate of its own. ``file_size_limit`` is in
    bytes (see ``limit_file_size``), ``heap`` is the JVM's. The JVM is one that is there soon, and compiles no further
    than that takes; with ``measured``, one as operators have it. While it is stopped, all may be changed but ``home``,
    ``password`` and ``release``. ``port`` stays the same once the server has started.
    """

    def __init__(
        self,
        home: Path,
        *,
        settings: Mapping[str, str] | None = None,
        password: str | None = None,
        read_only: bool = False,
        tls: bool = False,
        file_size_limit: int | None = None,
        heap: str = "512m",
        release: Release | None = None,
        measured: bool = False,
    ) -> None:
        self.home = home
        self.release = release or wanted()
        self.settings = dict(settings or {})
        self.password = password
        self.read_only = read_only
        self.tls = tls
        self.heap = heap
        self.measured = measured
        self.port = free_port()
        self._file_size_limit = file_size_limit
        self._process: subprocess.Popen[bytes] | None = None
        self._has_started = False

    @property
    def uri(self) -> str:
        """``bolt://127.0.0.1:PORT``; with TLS, a driver needs ``bolt+s`` or ``bolt+ssc`` instead."""
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """The certificate that the server shows with ``tls``: made when it starts, for localhost and 127.0.0.1."""
        return self.home / "bolt" / "public.crt"

    @property
    def auth(self) -> tuple[str, str] | None:
        """What the driver takes as ``auth``."""
        return None if self.password is None else ("neo4j", self.password)

    @property
    def pid(self) -> int:
        """Of the process, which must be there."""
        if self._process is None:
            raise NotStartedError("The server is not running.")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether there is a process, be it paused."""
        return self._process is not None and self._process.poll() is None

    def driver(self, **config: Any) -> neo4j.Driver:
        """A driver for this server, which trusts its certificate; to be closed by the caller."""
        uri = self.uri.replace("bolt", "bolt+ssc") if self.tls else self.uri
        return neo4j.GraphDatabase.driver(uri, **{"auth": self.auth, **config})

    def log(self) -> str:
        """What the server has told its operators since the home was made: ``neo4j.log`` and its console."""
        return "".join(self._logs())

    def debug_log(self) -> str:
        """``debug.log``: stack traces, recovery, why a database stopped."""
        return self._read("debug.log")

    def start(self) -> Neo4jServer:
        """Start it on its home and port, and wait until it answers a Bolt handshake. Raises NotStartedError, JarsError.

        The first start of all makes the archive of loaded classes, which takes as long as three starts.
        """
        archive = None if self.measured else _made_class_archive(self.release)
        self._start([f"-XX:SharedArchiveFile={archive}"] if archive is not None and archive.exists() else [])
        return self

    def stop(self) -> int:
        """Ask it to stop (SIGTERM), which checkpoints; the exit code, 0 if all went well."""
        if self._process is None:
            return 0
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        try:
            return self._ended(LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"Neo4j had not stopped after {LONGEST_STOP} s.\n{self.log()[-4000:]}") from None

    def kill(self) -> None:
        """End it on the spot (SIGKILL); it may be paused, or not be there."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._ended(LONGEST_STOP)

    def restart(self) -> None:
        """Stop, and start on the same home and port."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, and the kernel takes new ones, but nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after ``pause`` (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def limit_file_size(self, limit: int | None) -> None:
        """Let no file of the server, running or started later, grow beyond ``limit`` bytes; None takes the limit away.

        A write beyond it fails (RLIMIT_FSIZE, "File too large"), one to the server's logs too, and what follows is what
        follows on a full disk. Neo4j 5.26 answers TransactionLogError to the transaction that finds no room, and then
        TransactionStartFailed to all, reads too, room or no room, until it is started again. End it with ``kill``:
        once there is room, ``stop`` may write the rest of the transaction that failed, and then the database does not
        come up again (5 of 6 times with half a transaction in the log, 0 of 5 after ``kill``). While a disk is really
        full, ``stop`` may hang.
        """
        self._file_size_limit = limit
        if self.running:
            hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard if limit is None else limit, hard))

    def __enter__(self) -> Neo4jServer:
        return self if self.running else self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _logs(self) -> tuple[str, str]:
        return self._read("neo4j.log"), self._read("console.log")

    def _read(self, name: str) -> str:
        path = self.home / "logs" / name
        return path.read_text(errors="replace") if path.exists() else ""

    def _start(self, jvm: list[str]) -> None:
        if self.running:
            raise NotStartedError("The server is running already.")
        for folder in ("conf", "data", "logs"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        for _ in range(3):
            try:
                self._start_on_port(jvm)
                break
            except NotStartedError as error:
                if self._has_started or "Address already in use" not in str(error):
                    raise
                self.port = free_port()
        if self.password is not None and not self._has_started:
            self._set_password(self.password)
        self._has_started = True

    def _start_on_port(self, jvm: list[str]) -> None:
        if self.tls:
            certify(self.certificate.parent)
        before = [len(log) for log in self._logs()]
        self._process = launch(self._command(jvm), self.home / "logs" / "console.log")
        self.limit_file_size(self._file_size_limit)
        until = time.monotonic() + LONGEST_START
        while not self._answers(before[0]):
            if not self.running or time.monotonic() > until:
                self.kill()
                said = "".join(log[start:] for log, start in zip(self._logs(), before, strict=True))
                raise NotStartedError(f"Neo4j did not start on port {self.port}.\n{said[-8000:]}")
            time.sleep(0.03)

    def _command(self, jvm: list[str]) -> list[str]:
        soon = [] if self.measured else ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        java = [self.release.java(), f"-Xms{self.heap}", f"-Xmx{self.heap}", *soon, *jvm]
        main = ["-cp", str(jars(self.release) / "lib" / "*"), self.release.main]
        home = [f"--home-dir={self.home.resolve()}", f"--config-dir={self.home.resolve() / 'conf'}"]
        told = [part for name, value in self._all_settings().items() for part in ("-c", f"{name}={value}")]
        return [*java, *main, *home, *told]

    def _all_settings(self) -> dict[str, str]:
        told = dict(_SETTINGS)
        told["server.bolt.listen_address"] = f"127.0.0.1:{self.port}"
        told["server.bolt.advertised_address"] = f"127.0.0.1:{self.port}"
        told["dbms.security.auth_enabled"] = "false" if self.password is None else "true"
        told["server.databases.default_to_read_only"] = "true" if self.read_only else "false"
        if self.tls:
            told["server.bolt.tls_level"] = "REQUIRED"
            told["dbms.ssl.policy.bolt.enabled"] = "true"
            told["dbms.ssl.policy.bolt.base_directory"] = str(self.certificate.parent.resolve())
            told["dbms.ssl.policy.bolt.private_key"] = "private.key"
            told["dbms.ssl.policy.bolt.public_certificate"] = self.certificate.name
            told["dbms.ssl.policy.bolt.client_auth"] = "NONE"
        return {**told, **self.settings}

    def _answers(self, logged: int) -> bool:
        """Whether this server, and no other that has got its port, answers a Bolt handshake."""
        return "Bolt enabled on" in self._logs()[0][logged:] and answers_bolt(self.port, tls=self.tls)

    def _set_password(self, password: str) -> None:
        with self.driver(auth=("neo4j", "neo4j")) as driver:
            query = "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password"
            driver.execute_query(query, password=password, database_="system")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _ended(self, patience: float) -> int:
        assert self._process is not None
        code = self._process.wait(patience)
        self._process = None
        return code


def _made_class_archive(release: Release) -> Path:
    """The archive of loaded classes, made by a server that is started for it; a lack of it is no error."""
    archive = class_archive(release)
    if archive.exists():
        return archive
    with alone(archive):
        if not archive.exists():
            _make_class_archive(release, archive)
    return archive


def _make_class_archive(release: Release, archive: Path) -> None:
    part = archive.with_suffix(".part")
    part.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as home:
        server = Neo4jServer(Path(home), release=release)
        server._start([f"-XX:ArchiveClassesAtExit={part}"])
        with server.driver() as driver:
            driver.execute_query("UNWIND [1, 2] AS key MERGE (a:Node {key: key})-[:FEEDS]->(b) RETURN count(b)")
        server.stop()
    if part.exists():
        part.rename(archive)
