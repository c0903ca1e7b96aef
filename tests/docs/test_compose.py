"""docker-compose.yml and what make does around it, as far as that can be known without a container engine."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from neo4j import Query
from neo4j.exceptions import ClientError

from lineage.settings import describe

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PASSWORD = Path(".secrets/neo4j_password")
AUTH = Path(".secrets/neo4j_auth")


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    """The file held against the Compose specification's JSON schema, which the checker has with it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_is_valid_by_the_compose_specification() -> None:
    done = checked(FILE)
    assert done.returncode == 0, done.stdout


def test_the_check_finds_what_is_not_in_the_specification(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace("depends_on:", "depends:"), encoding="utf-8")
    assert checked(wrong).returncode == 1


def variables() -> Iterator[tuple[str, str, str]]:
    """Every environment variable of every service: the service, the variable, the value."""
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            yield name, variable, str(value)


def test_a_password_comes_from_a_file_that_make_makes() -> None:
    assert {name: secret["file"] for name, secret in COMPOSE["secrets"].items()} == {
        "neo4j_password": str(PASSWORD),
        "neo4j_auth": str(AUTH),
    }
    secret = [found for found in variables() if re.search("PASSWORD|AUTH|SECRET|KEY", found[1])]
    assert {name for name, _, _ in secret} == {"lineage", "neo4j"}
    for name, variable, value in secret:
        assert variable.endswith("_FILE")
        assert value in [f"/run/secrets/{given}" for given in SERVICES[name]["secrets"]]


def test_only_this_machine_reaches_what_it_opens() -> None:
    ports = [port for service in SERVICES.values() for port in service["ports"]]
    assert sorted(ports) == [f"127.0.0.1:{number}:{number}" for number in (7474, 7687, 8000)]


def test_both_have_a_health_check_come_back_and_are_given_time_to_stop() -> None:
    assert re.search(r"^HEALTHCHECK .* CMD \[", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert SERVICES["neo4j"]["healthcheck"]["test"][-1] == "http://127.0.0.1:7474/"
    for service in SERVICES.values():
        assert service["restart"] == "unless-stopped"
        assert service["stop_grace_period"] in ("30s", "2m")


def test_the_data_of_both_are_in_volumes_of_their_own() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service["volumes"]]
    assert mounted == ["data:/data", "neo4j-data:/data", "neo4j-logs:/logs"]
    assert [volume.partition(":")[0] for volume in mounted] == list(COMPOSE["volumes"])


def test_images_have_tags_and_ours_is_built_here() -> None:
    assert SERVICES["neo4j"]["image"] == "neo4j:5.26-community"
    ours = {name: SERVICES["lineage"][name] for name in ("build", "image", "pull_policy")}
    assert ours == {"build": ".", "image": "lineage-graph:local", "pull_policy": "build"}


def test_lineage_starts_whether_or_not_neo4j_is_well() -> None:
    assert SERVICES["lineage"]["depends_on"] == {"neo4j": {"condition": "service_started"}}


def test_what_lineage_is_told_are_settings_that_there_are() -> None:
    known = {setting.environment for setting in describe()}
    assert [variable for name, variable, _ in variables() if name == "lineage" and variable not in known] == []


def test_neo4j_has_a_heap_and_a_page_cache_that_can_be_set() -> None:
    told = {variable.removeprefix("NEO4J_"): value for name, variable, value in variables() if name == "neo4j"}
    heap = {told[f"server_memory_heap_{bound}__size"] for bound in ("initial", "max")}
    assert heap == {"${NEO4J_HEAP:-1G}"}
    assert told["server_memory_pagecache_size"] == "${NEO4J_PAGECACHE:-512M}"


def test_neo4j_takes_its_settings_and_stops_what_is_over_time(neo4j_machine: None, tmp_path: Path) -> None:
    """The image makes settings of variables: ``__`` stands for ``_``, and ``_`` for a point."""
    from tests.neo4j_server import Neo4jServer

    told = {variable.removeprefix("NEO4J_"): value for name, variable, value in variables() if name == "neo4j"}
    del told["AUTH_FILE"]
    settings = {
        variable.replace("__", " ").replace("_", ".").replace(" ", "_"): re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value)
        for variable, value in told.items()
    }
    with Neo4jServer(tmp_path, settings=settings) as server, server.driver() as driver:
        begun = time.monotonic()
        with pytest.raises(ClientError, match=r"timed out|terminated"), driver.session() as session:
            session.run(Query("UNWIND range(1, 1000000000) AS n RETURN count(n % 7)", timeout=0.2)).consume()
        assert time.monotonic() - begun < 1.5


@pytest.fixture
def make(tmp_path: Path, require: Callable[..., None]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs make in an empty folder. ``docker compose`` only writes there how it was called, and ends with $CODE."""
    require("make")
    stand_in = tmp_path / "compose"
    stand_in.write_text('#!/bin/sh\necho "$*" >> called\n[ "$1" = version ] || exit "$CODE"\n')
    stand_in.chmod(0o755)

    def run(*targets: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "-f", str(ROOT / "Makefile"), "COMPOSE=./compose", *targets]
        told = {**os.environ, "CODE": str(code), **environment}
        return subprocess.run(command, cwd=tmp_path, env=told, umask=0o077, capture_output=True, text=True, timeout=60)

    return run


def called(folder: Path) -> list[str]:
    """How ``docker compose`` was called."""
    return (folder / "called").read_text(encoding="utf-8").splitlines()


def test_the_password_is_random_made_once_and_in_the_form_that_each_side_takes(tmp_path: Path, make: Any) -> None:
    assert make(str(AUTH)).returncode == 0
    password, auth = (tmp_path / PASSWORD).read_text(), (tmp_path / AUTH).read_text()
    assert re.fullmatch(r"[0-9a-f]{48}\n", password)
    assert auth == f"neo4j/{password}"
    assert make(str(AUTH)).returncode == 0
    assert ((tmp_path / PASSWORD).read_text(), (tmp_path / AUTH).read_text()) == (password, auth)
    (tmp_path / PASSWORD).unlink()
    assert make(str(AUTH)).returncode == 0
    assert (tmp_path / PASSWORD).read_text() != password


def test_on_the_host_its_owner_alone_gets_at_the_password_and_in_a_container_every_user(
    tmp_path: Path, make: Any
) -> None:
    make(str(AUTH))
    modes = [stat.S_IMODE((tmp_path / path).stat().st_mode) for path in (PASSWORD.parent, PASSWORD, AUTH)]
    assert modes == [0o700, 0o644, 0o644]
    assert sorted(path.name for path in (tmp_path / PASSWORD.parent).iterdir()) == ["neo4j_auth", "neo4j_password"]


def test_without_a_source_of_randomness_no_password_is_made(tmp_path: Path, make: Any) -> None:
    fake = tmp_path / "bin" / "od"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    assert make("up", PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}").returncode != 0
    assert not (tmp_path / PASSWORD).exists()
    assert not (tmp_path / "called").exists()


def test_git_leaves_the_password_out(require: Callable[..., None]) -> None:
    require("git")
    if not (ROOT / ".git").exists():
        pytest.skip("git: this is no checkout")
    done = subprocess.run(["git", "check-ignore", "--quiet", str(PASSWORD)], cwd=ROOT, timeout=60)
    assert done.returncode == 0


def test_make_up_makes_the_password_waits_and_says_where_all_is(tmp_path: Path, make: Any) -> None:
    done = make("up")
    assert done.returncode == 0, done.stderr
    assert called(tmp_path) == ["version", "up --detach --wait"]
    for told in ("http://127.0.0.1:8000", "http://127.0.0.1:7474", "lineage keys new NAME", str(PASSWORD)):
        assert told in done.stdout
    assert (tmp_path / PASSWORD).read_text().strip() not in done.stdout + done.stderr


def test_make_up_says_what_to_look_at_when_not_all_is_well(make: Any) -> None:
    done = make("up", code=1)
    assert done.returncode != 0
    assert "logs" in done.stderr
    assert "http" not in done.stdout


def test_make_down_keeps_the_data(tmp_path: Path, make: Any) -> None:
    assert make("down").returncode == 0
    assert called(tmp_path) == ["down"]
