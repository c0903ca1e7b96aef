"""The benchmark of Neo4j measures what it says, from a server that it starts itself."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import bench_neo4j
import pytest
from bench_neo4j import BARE, STREAM, Sizes, main, measure
from figures import Options, Report, read_figures
from neo4j.exceptions import ServiceUnavailable
from neo4j_answers import BARE as BARE_QUERY
from neo4j_answers import Answers, in_turn
from neo4j_bare import statements
from neo4j_lag import Watch
from neo4j_peer import connected, lack, neo4j_server
from world import Shape, make_world
from world_changes import world_changes

TINY = Sizes(4, 8, Shape(200), 1, 1.0, Answers(Shape(300, days=1), sizes=(10, 60), times=1, seeds=10))


def numbered(what: str) -> str:
    """A row's name with N for each number."""
    return re.sub(r"[\d,]*\d", "N", what)


def test_a_run_gives_every_row_of_the_table(neo4j_uri: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    report = Report("neo4j", "Title", Options(quick=True, json=file, worlds=tmp_path))
    measure(report, neo4j_uri, TINY)
    report.end()
    section = read_figures(file)["sections"]["neo4j"]
    assert all(figure["found"] > 0 for figure in section["figures"] if "behind" not in figure["what"])
    found = {(numbered(figure["what"]), numbered(figure["floor_is"]), figure["goal"]) for figure in section["figures"]}
    embedded, steady = "embedded", "at N events/s over HTTP"
    operation, hits = "operation Impact, first N of N hits of either radius", "everything downstream, N nodes"
    assert found == {
        *((f"{name}: projected", BARE, "≥ 0.6") for name in (STREAM, "a made world")),
        *((f"{name}: projected, beside the embedded store", embedded, "") for name in (STREAM, "a made world")),
        ("acknowledged over HTTP at most", "", ""),
        ("projected meanwhile", "acknowledged", ""),
        (f"graph behind the acknowledgement {steady}, pN", "", ""),
        (f"graph behind the acknowledgement {steady}, pN", "", "< 2 s"),
        (f"acknowledgement {steady}, pN", "", ""),
        (hits, BARE_QUERY, "≤ 1.3"),
        (f"{hits}, beside the embedded store", embedded, ""),
        (f"{hits}, in a graph that has a weak edge", BARE_QUERY, ""),
        ("downstream of N seeds, N nodes", "one seed, N nodes", "≤ 2"),
        (operation, embedded, ""),
    }
    (curve,) = section["curves"]
    assert {name: len(line) for name, line in curve["lines"].items()} == {
        "Lineage on Neo4j": 2,
        BARE_QUERY: 2,
        "embedded store": 2,
    }


def test_a_server_is_there_while_it_is_measured(neo4j_machine: None, tmp_path: Path) -> None:
    with neo4j_server(tmp_path) as uri, connected(uri) as driver:
        assert driver.execute_query("MATCH (n) RETURN count(n)").records[0][0] == 0
    with connected(uri) as driver, pytest.raises(ServiceUnavailable):
        driver.verify_connectivity()


def test_what_the_machine_lacks_is_named_and_no_figure_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file = tmp_path / "figures.json"
    main(Options(quick=True, json=file, worlds=tmp_path), bench_neo4j.QUICK)
    assert "no `java` and no `mvn` on the PATH" in capsys.readouterr().err
    assert not file.exists()
    (tmp_path / "java").touch(mode=0o755)
    assert lack() == "There is no `mvn` on the PATH: nothing was measured."


def test_the_graph_is_behind_until_the_watermark_has_passed_the_entry() -> None:
    watch = Watch("bolt://nowhere", at=[1.0, 2.0, 5.0], seen=[3, 4, 9])
    assert watch.lag(3, since=1.5) == 0.5
    assert watch.lag(4, since=1.5) == 3.5
    assert watch.lag(2, since=1.5) == 0.0
    with pytest.raises(RuntimeError, match="did not come to entry 9"):
        watch.lag(9, since=1.5)


def test_the_floor_writes_all_rows_of_a_change_list() -> None:
    for changes in world_changes(make_world(Shape(200))):
        told = statements(changes)
        assert sum(len(each.rows) for each in told) == len(changes.nodes) + len(changes.edges) + len(changes.names)
        assert len({each.query for each in told}) == len(told)


def test_calls_take_turns_and_the_first_of_each_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr("neo4j_answers.time", SimpleNamespace(perf_counter=lambda: 10.0 / (1 + len(called))))
    taken = in_turn([lambda: called.append("a"), lambda: called.append("b")], times=1)
    assert called == ["a", "b"] * 2
    assert [round(each) for each in taken] == [round((10 / 4 - 10 / 3) * 1e3), round((10 / 5 - 10 / 4) * 1e3)]
