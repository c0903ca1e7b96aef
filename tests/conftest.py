"""What a machine lacks is said by name: ``require("java")`` skips, and with ``LINEAGE_REQUIRE`` it fails instead.

``LINEAGE_REQUIRE=all`` turns every skip into a failure, whoever skips and why; ``LINEAGE_REQUIRE=java,git`` only those
of ``require`` with these names. Where all is required, Hypothesis gives the same examples each time, so that a run that
fails does so because of a change; elsewhere it looks for new ones.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("LINEAGE_FOLD_APART", "false")  # servers that are processes of their own do it, and some tests

pytest_plugins = ["tests.neo4j_fixtures"]

ROOT = Path(__file__).parents[1]
SHARED = ROOT / ".." / "shared"


def _program(name: str) -> Callable[[], str | None]:
    return lambda: None if shutil.which(name) else f"there is no `{name}` on the PATH"


def _shared() -> str | None:
    return None if (SHARED / "data").is_dir() else "the folder ../shared/data is not beside this checkout"


def _loopback() -> str | None:
    try:
        socket.create_server(("127.0.0.1", 0)).close()
    except OSError as error:
        return f"no port can be opened on 127.0.0.1: {error.strerror}"
    return None


def _index() -> str | None:
    asked = subprocess.run([sys.executable, "-m", "pip", "index", "versions", "pip"], capture_output=True, text=True)
    return f"pip does not reach its package index: {asked.stderr.strip()[-200:]}" if asked.returncode else None


CAPABILITIES: dict[str, Callable[[], str | None]] = {
    "git": _program("git"),
    "index": _index,
    "java": _program("java"),
    "make": _program("make"),
    "maven": _program("mvn"),
    "loopback": _loopback,
    "shared": _shared,
}
"""By name, what says why the machine lacks it, or None if it is there."""


def required() -> frozenset[str]:
    """What ``LINEAGE_REQUIRE`` names."""
    return frozenset(name for name in os.environ.get("LINEAGE_REQUIRE", "").replace(",", " ").split() if name)


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis tries constants of the modules that are loaded: all of them, whichever tests this process runs."""
    if "all" not in required():
        return
    settings.register_profile("same", derandomize=True)
    settings.load_profile("same")
    for package in ("lineage", "lineage_graphql", "lineage_ingest"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


@pytest.fixture(scope="session")
def require() -> Callable[..., None]:
    """Call it with names of CAPABILITIES: the test goes on only if the machine has all of them."""

    def check(*names: str) -> None:
        for name in names:
            lack = CAPABILITIES[name]()
            if lack is not None and required() & {name, "all"}:
                pytest.fail(f"{name} is required: {lack}.", pytrace=False)
            if lack is not None:
                pytest.skip(f"{name}: {lack}")

    return check


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """Where all is required, a skipped test has failed."""
    report = yield
    return _refused(report, item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> object:
    """As above, for a file that skips itself whole."""
    report = yield
    return _refused(report, collector.nodeid)


def _refused(report: object, place: str) -> object:
    assert isinstance(report, pytest.TestReport | pytest.CollectReport)
    if report.skipped and "all" in required() and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{place} was skipped, and LINEAGE_REQUIRE=all: {reason}"
    return report
