"""The jars are downloaded once, whoever wants them, and whatever became of the one who began; by a Maven of our own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.neo4j_jars import LTS, NEWEST, JarsError, class_archive, jars

MAVEN = """#!/bin/sh
echo called >> ../calls
test -f ../broken && echo "[ERROR] no route to the repository" && exit 1
grep -q neo4j pom.xml && mkdir lib && sleep 0.3 && echo jar > lib/neo4j.jar
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    maven = tmp_path / "bin" / "mvn"
    maven.write_text(MAVEN)
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{maven.parent}:/usr/bin:/bin")
    monkeypatch.setenv("LINEAGE_TEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def calls(cache: Path) -> int:
    return len((cache / "calls").read_text().splitlines())


def test_processes_that_want_the_jars_at_once_download_them_once(cache: Path) -> None:
    program = "from tests.neo4j_jars import jars; assert (jars() / 'lib' / 'neo4j.jar').read_text() == 'jar\\n'"
    processes = [subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert jars() == cache / f"neo4j-{LTS.version}"
    assert calls(cache) == 1


def test_each_release_has_jars_of_its_own(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lts = jars()
    monkeypatch.setenv("LINEAGE_TEST_NEO4J", "newest")
    assert jars() == cache / f"neo4j-{NEWEST.version}" == jars(NEWEST) != lts
    assert calls(cache) == 2


def test_a_download_that_was_broken_off_begins_anew(cache: Path) -> None:
    part = cache / f"neo4j-{LTS.version}.part"
    (part / "lib").mkdir(parents=True)
    (part / "lib" / "half.jar").touch()
    assert [path.name for path in (jars() / "lib").iterdir()] == ["neo4j.jar"]
    assert not part.exists()


def test_a_failed_download_says_what_maven_said_and_is_tried_again(cache: Path) -> None:
    cache.mkdir()
    (cache / "broken").touch()
    with pytest.raises(JarsError, match="no route to the repository"):
        jars()
    (cache / "broken").unlink()
    assert (jars() / "lib" / "neo4j.jar").exists()
    assert calls(cache) == 2


def test_each_java_has_its_own_archive_of_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    monkeypatch.setenv("LINEAGE_TEST_CACHE", str(tmp_path))
    (tmp_path / f"neo4j-{LTS.version}").mkdir()
    for version in ("17", "21"):
        java = tmp_path / version / "bin" / "java"
        java.parent.mkdir(parents=True)
        java.touch(0o755)
        (java.parents[1] / "release").write_text(f"JAVA_VERSION={version}")
        monkeypatch.setenv("PATH", str(java.parent))
        names.add(class_archive(LTS).name)
    assert len(names) == 2
