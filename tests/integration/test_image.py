"""The container image without a container engine: what the Dockerfile says is read from it and done in a folder.

Its build commands make a clean virtual environment there, from the files that they copy and from the package index; its
entry point, health check and environment are then used as an engine would. Not done: the base image, the user's
creation, and all that a kernel does for a container.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
import yaml

from tests.free_port import free_port
from tests.integration.dockerfile import Instruction, instructions, let_through, the

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "run-with-docker.md"
SECONDS = 60
EVENT = json.dumps(
    {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-21T10:00:00Z",
        "producer": "https://example.com/pipeline",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "01a1fe9d-b226-739e-8a68-bdd666ea891e"},
        "job": {"namespace": "flats", "name": "clean"},
        "inputs": [{"namespace": "file", "name": "/raw.csv"}],
        "outputs": [{"namespace": "file", "name": "/clean.csv"}],
    }
)

pytestmark = pytest.mark.timeout(1200)


@dataclass
class Image:
    """What the Dockerfile makes, below ``root`` instead of ``/``."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """A text in which the folders of the image are those below ``root``."""
        return re.sub(r"(?<![\w.])(?=/(?:src|opt|data|run)\b)", str(self.root), text)

    def build(self, stage: list[Instruction]) -> None:
        """Do what the first stage says, with this process's Python in place of the base image's."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PYTHONPATH")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        folder = self.root
        for each in stage:
            if each.name == "WORKDIR":
                folder = Path(self.here(each.value))
                folder.mkdir(parents=True)
            elif each.name == "COPY":
                copy(each.words(), folder)
            elif each.name == "RUN":
                done = subprocess.run(
                    ["sh", "-c", self.here(each.value)],
                    cwd=folder,
                    env=kept | {"PATH": path},
                    capture_output=True,
                    text=True,
                )
                assert done.returncode == 0, f"RUN {each.value}\n{done.stdout}{done.stderr}"

    @property
    def url(self) -> str:
        """Where a server of this image answers."""
        return f"http://127.0.0.1:{self.environment['LINEAGE_PORT']}"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as ``docker exec`` would."""
        told = [self.here(word) for word in command]
        return subprocess.run(told, env=self.environment, capture_output=True, text=True, timeout=SECONDS)

    def send(self) -> httpx.Response:
        """Send an event to a server of this image, with a new key."""
        key = self.run("lineage", "keys", "new", "pipeline").stdout.strip()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        url = f"{self.url}/api/v1/lineage"
        return httpx.post(url, content=EVENT, headers=headers, timeout=SECONDS, trust_env=False)


def copy(words: list[str], folder: Path) -> None:
    """COPY from the build context: a file into a folder, or the content of a folder."""
    *sources, target = words
    for source in sources:
        if (ROOT / source).is_file():
            shutil.copy(ROOT / source, folder / target)
        else:
            shutil.copytree(ROOT / source, folder / target, ignore=left_out)


def left_out(folder: str, names: list[str]) -> list[str]:
    """What ``.dockerignore`` has left out of a folder."""
    return [name for name in names if not let_through((Path(folder) / name).relative_to(ROOT).as_posix())]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, require: Callable[..., None]) -> Image:
    """The image, built; the store is SQLite, as there is no Neo4j beside it."""
    require("loopback", "index")
    made = Image(tmp_path_factory.mktemp("image"))
    _, build, final = instructions()
    made.build(build)
    (made.root / "data").mkdir()
    for word in shlex.split(the(final, "ENV").value):
        name, _, value = word.partition("=")
        made.environment[name] = made.here(value).replace("$PATH", "/usr/local/bin:/usr/bin:/bin")
    made.environment |= {"LINEAGE_PORT": str(free_port()), "LINEAGE_STORE": "sqlite"}
    return made


@dataclass
class Container:
    """A server that runs from the image, and what it wrote on its way."""

    image: Image
    process: subprocess.Popen[bytes]
    log: Path

    def healthy(self) -> bool:
        """What the image's health check says."""
        check = the(instructions()[-1], "HEALTHCHECK")
        assert "CMD [" in check.value
        return self.image.run(*check.words()).returncode == 0

    def stop(self) -> int:
        """What an engine does to stop it; the exit code as an engine tells it."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(SECONDS)
        return 128 - code if code < 0 else code


@contextmanager
def started(image: Image, place: Path) -> Iterator[Container]:
    """The image's entry point at work, in an empty folder in ``place``; healthy when given."""
    final = instructions()[-1]
    command = the(final, "ENTRYPOINT").words() + the(final, "CMD").words()
    folder, log = place / "cwd", place / "server.log"
    folder.mkdir()
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=image.environment, cwd=folder, stdout=out, stderr=out)
    made = Container(image, process, log)
    try:
        deadline = time.monotonic() + SECONDS
        while not made.healthy():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
        yield made
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def container(image: Image, tmp_path: Path) -> Iterator[Container]:
    """A server that runs from the image."""
    with started(image, tmp_path) as made:
        yield made


def files(folder: Path) -> set[Path]:
    """All files below a folder but compiled code."""
    return {path for path in folder.rglob("*") if path.suffix != ".pyc"}


def test_the_image_serves_and_stops_when_told(image: Image, container: Container) -> None:
    before = files(image.root / "opt")
    assert httpx.get(f"{image.url}/healthz", trust_env=False).status_code == 200
    assert httpx.get(f"{image.url}/api/v1/ledger/entries", trust_env=False).status_code == 401
    assert image.send().is_success
    assert container.stop() in (0, 128 + signal.SIGTERM)
    assert not container.healthy()
    assert "Traceback" not in container.log.read_text()
    assert list((container.log.parent / "cwd").iterdir()) == []
    assert files(image.root / "opt") == before


def test_with_the_environment_that_compose_gives_it_takes_events_while_neo4j_is_away(
    image: Image, tmp_path: Path
) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    told = {name: image.here(value) for name, value in compose["services"]["lineage"]["environment"].items()}
    told["LINEAGE_NEO4J_URI"] = told["LINEAGE_NEO4J_URI"].replace("neo4j:7687", f"127.0.0.1:{free_port()}")
    told["LINEAGE_DATA"] = image.here("/data/beside-neo4j")
    secret = Path(told["LINEAGE_NEO4J_PASSWORD_FILE"])
    secret.parent.mkdir(parents=True)
    secret.write_text("0123456789abcdef\n", encoding="utf-8")
    beside = replace(image, environment=image.environment | told)
    with started(beside, tmp_path) as container:
        assert beside.send().is_success
        assert "Neo4j at bolt://127.0.0.1:" in httpx.get(f"{image.url}/readyz", trust_env=False).text
        assert container.stop() in (0, 128 + signal.SIGTERM)
    assert "Traceback" not in container.log.read_text()


def test_the_environment_has_what_the_constraints_say_and_no_pip(image: Image) -> None:
    names = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()), sep='\\n')"
    installed = {same(line) for line in image.run("python", "-c", names).stdout.split()}
    constraints = {same(line) for line in (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").split()}
    assert [line.partition("==")[0] for line in installed - constraints] == ["lineage-graph"]
    (install,) = [each.value for each in instructions()[1] if " install " in each.value]
    assert "--constraint constraints.txt" in install


def same(requirement: str) -> str:
    """A requirement by the name that all spellings of it share."""
    return re.sub(r"[-_.]+(?=.*==)", "-", requirement).lower()


def test_what_the_page_does_in_the_container_works_and_its_backup_is_whole(image: Image, container: Container) -> None:
    assert image.send().is_success
    before = image.run("lineage", "fsck", "--json").stdout
    restored = image.root / "src" / "restored"
    restored.mkdir()
    lines = re.findall(r"^docker compose (exec|cp) (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for verb, told in lines:
        service, *words = shlex.split(told)
        if verb == "cp":
            shutil.copy(image.here(service.removeprefix("lineage:")), restored / words[0])
        else:
            done = image.run(*words)
            assert (service, done.returncode) == ("lineage", 0), f"{told}\n{done.stdout}{done.stderr}"
    assert {verb for verb, _ in lines} == {"exec", "cp"}
    assert [path.name for path in restored.iterdir()] == ["ledger.sqlite"]
    image.run("lineage", "rebuild", "--data", "/src/restored")
    assert image.run("lineage", "fsck", "--json", "--data", "/src/restored").stdout == before != ""


def test_what_is_copied_is_there_and_nothing_else_gets_into_the_build() -> None:
    sources = [source for each in instructions()[1] if each.name == "COPY" for source in each.words()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists() or not let_through(source)] == []
    entered = {path.name for path in ROOT.iterdir() if let_through(path.name)}
    assert entered | {".ci"} == {source.split("/")[0] for source in sources}
    for path in (".secrets/neo4j_password", ".git/config", ".ci/run", "lineage/__pycache__/model.cpython-311.pyc"):
        assert not let_through(path), path


def test_the_last_stage_takes_only_what_was_built_and_runs_as_a_user_with_a_fixed_number() -> None:
    before, build, final = instructions()
    assert re.fullmatch(r"BASE=[a-z]+:\d[\w.-]+", the(before, "ARG").value)
    assert [stage[0].value for stage in (build, final)] == ["${BASE} AS build", "${BASE}"]
    (copied,) = [each.words() for each in final if each.name == "COPY"]
    assert copied == ["--from=build", "/opt/lineage", "/opt/lineage"]
    number = the(final, "USER").value.split(":")
    made = the(final, "RUN").value
    assert number == [re.findall(f"--{of} ([1-9]\\d*)", made)[0] for of in ("uid", "gid")]
    assert re.search(r"install -d -o lineage -g lineage -m 750 /data\b", made)
    assert the(final, "VOLUME").value == "/data"
