"""One server for all that is hostile, which goes on after each of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lineage.app import open_folder
from lineage.settings import Settings
from tests.integration.hostile.answers import (
    IMPACT,
    dataset,
    run_event,
    run_id,
    told_outputs,
)
from tests.integration.server_process import ServerProcess

MIB = 1 << 20
PEAK_BYTES = 700 * MIB
"""What the process may have had in memory at once: 100 MB of libraries, bodies, and what they are decoded to."""


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all of it; at the end nothing was lost on the way, and it has stayed small."""
    data = tmp_path_factory.mktemp("hostile") / "data"
    with ServerProcess(data) as server:
        yield server
        server.ask(IMPACT, {"of": {"dataset": {"namespace": "db", "name": "none"}}})
        assert server.metric("lineage_projection_skipped") == 0
        assert server.metric("lineage_projection_lag_entries") == 0
        assert server.metric("lineage_inflight_bytes") == 0
        assert server.peak_bytes() < PEAK_BYTES
        assert server.stop() == 0
        assert "Traceback" not in server.logged()
    with open_folder(Settings(data=data), read_only=True) as folder:
        report = folder.check()
    assert report.sound, report.faults


@pytest.fixture
def server(running: ServerProcess, request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    """The server, which after each test still takes an event and shows it."""
    yield running
    name = f"after {request.node.name}"
    assert running.post("/api/v1/lineage", run_event(outputs=[dataset(name)])).status_code in (200, 201)
    assert told_outputs(running, {"run": {"runId": run_id(name)}}) == [name]
