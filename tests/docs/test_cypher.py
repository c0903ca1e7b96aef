"""The queries of "Ask the graph in Cypher", run on a real Neo4j that the fold has filled: they answer what the page
shows and what the project's own questions answer on the reference store, by plans that enumerate no paths.

``LINEAGE_DOCS=write`` writes what the queries answer now into the page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from neo4j.time import DateTime

from lineage.answer import Kind, View, name_of
from lineage.memory import MemoryStore
from lineage.model import Binding, NameScope, Run, Version
from lineage.neo4j import Address, Neo4jStore
from lineage.neo4j.properties import name_value_key
from lineage.predictions.sqlite import PredictionIndex
from lineage.questions.provenance import provenance
from lineage.questions.resolution import resolve
from lineage.questions.subjects import CodeRef, ContentRef, DatasetRef, JobRef, ServedWindow, VersionRef
from lineage.questions.training_data import training_data
from lineage.store import EdgeFilter
from tests.docs.cypher_page import ALL, PAGE, QUERIES, Shop, documented
from tests.docs.cypher_shop import crowd, shop
from tests.neo4j_fixtures import wipe
from tests.neo4j_server import Neo4jServer

WRITES = os.environ.get("LINEAGE_DOCS") == "write"
STATE, TAGGED = "As of when?", "Which tagged datasets reach a deployment?"
SCANNING = {STATE, TAGGED}
"""What the page says begins without an index."""
SEEKS = {"NodeUniqueIndexSeek", "NodeIndexSeek", "NodeIndexSeekByRange", "Argument"}
CHURN = ("models", "churn")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(micros: int | None) -> datetime | None:
    """The moment."""
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


@pytest.fixture(scope="module")
def asked(neo4j_server: Neo4jServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop, filled once: no test here writes."""
    if not neo4j_server.running:
        neo4j_server.start()
    neo4j_server.resume()
    changes, entries = shop()
    reference, predictions = MemoryStore(), PredictionIndex(tmp_path_factory.mktemp("shop") / "predictions.sqlite")
    with neo4j_server.driver() as driver, driver.session() as session, closing(predictions):
        wipe(driver)
        with closing(Neo4jStore(Address(neo4j_server.uri), ledger="shop")) as filled:
            filled.apply(changes, entries)
            filled.apply(crowd(), entries)
        session.run("CALL db.prepareForReplanning(60)").consume()
        reference.apply(changes, entries)
        with reference.reader() as reader:
            yield Shop(session, View(reader, predictions))


# -- the page


def test_the_page_has_ten_queries_and_one_of_the_state() -> None:
    assert len(QUERIES) == 11
    assert PAGE.read_text(encoding="utf-8").count("```cypher") == len(QUERIES)


@pytest.mark.parametrize("title", QUERIES)
def test_a_query_answers_what_the_page_shows(asked: Shop, title: str) -> None:
    query = QUERIES[title]
    told = _table(asked.ask(title))
    if WRITES:
        text = PAGE.read_text(encoding="utf-8")
        start = text.index("```text\n", text.index(query.text)) + len("```text\n")
        PAGE.write_text(text[:start] + told + text[start + len(query.answer) :], encoding="utf-8")
    else:
        assert told == query.answer


@pytest.mark.parametrize("title", QUERIES)
def test_a_query_begins_at_an_index_and_enumerates_no_paths(asked: Shop, title: str) -> None:
    query = QUERIES[title]
    operators = asked.plan(query.text, **asked.parameters(query))
    expansions = {each for each in operators if each.startswith("VarLengthExpand")}
    assert expansions == ({"VarLengthExpand(Pruning,BFS,All)"} if "*1.." in query.text else set())
    begins = {each for each in operators if "Seek" in each or "Scan" in each}
    assert begins <= SEEKS | ({"NodeByLabelScan"} if title in SCANNING else set())


@pytest.mark.parametrize(
    ("length", "rest", "prunes"),
    [
        ("*1..", "RETURN t.key, min(length(p))", True),
        ("*1..", "RETURN collect(DISTINCT t)", True),
        ("*1..", "WHERE all(x IN r WHERE x.certain IS NULL) RETURN collect(DISTINCT t)", True),
        ("*1..", "RETURN p", False),
        ("*1..", "RETURN t.key, length(p)", False),
        ("*1..", "RETURN DISTINCT t.key, r", False),
        ("*2..", "RETURN collect(DISTINCT t)", False),
    ],
)
def test_the_planner_prunes_where_the_page_says_so(asked: Shop, length: str, rest: str, prunes: bool) -> None:
    operators = asked.plan(f"MATCH p = (:Lineage {{key: 'k'}})-[r:READ_BY|WROTE{length}]->(t) {rest}")
    assert ("VarLengthExpand(Pruning,BFS,All)" in operators, "VarLengthExpand(All)" in operators) == (
        prunes,
        not prunes,
    )


@pytest.mark.parametrize(("found", "prunes"), [("EXISTS {{ {} }}", False), ("shortestPath({}) IS NOT NULL", True)])
def test_whether_one_leads_to_another_is_a_shortest_path(asked: Shop, found: str, prunes: bool) -> None:
    ends = "MATCH (a:Lineage {key: 'a'}), (b:Lineage {key: 'b'})"
    operators = asked.plan(f"{ends} RETURN {found.format('(a)-[:READ_BY|WROTE*1..]->(b)')}")
    assert ("VarLengthExpand(Into)" not in operators) == prunes


def test_the_page_names_what_stands_beside_the_graph(asked: Shop) -> None:
    found = asked.session.run(
        "MATCH (n) WHERE NOT n:Lineage UNWIND keys(n) AS key RETURN labels(n)[0], collect(DISTINCT key)"
    )
    assert {label: set(keys) for label, keys in found.values()} == {
        label: documented(label) for label in ("LineageName", "LineageAlias", "LineageState")
    }


def test_the_page_names_every_index_by_which_a_query_may_begin(asked: Shop) -> None:
    page = PAGE.read_text(encoding="utf-8").partition("**Begin at an index.**")[2].partition("\n- ")[0]
    found = asked.session.run(
        "SHOW INDEXES YIELD type, labelsOrTypes, properties WHERE type = 'RANGE' RETURN labelsOrTypes[0], properties[0]"
    )
    named = set(re.findall(r"`:(\w+)\((\w+)\)`", page))
    ours = {("LineageState", "gate"), ("Lineage", "long"), ("LineageAlias", "long")}
    assert named == {tuple(row) for row in found.values()} - ours


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, DateTime):
        return value.to_native().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list):
        return ", ".join(map(_cell, value)) or "[]"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


# -- the answers


def test_what_came_of_bytes_is_the_actual_radius_of_their_impact(asked: Shop) -> None:
    _, actual = asked.hits(ContentRef("1b1b1b1b"))
    rows = asked.ask("What came of these bytes?")
    assert {row["kind"]: (row["count"], set(row["names"])) for row in rows} == {
        kind.value: (len(found), {name_of(hit.node) for hit in found})
        for kind in (Kind.RUN, Kind.ROLLOUT, Kind.VERSION)
        if (found := [hit for hit in actual if hit.kind is kind])
    }
    assert len(rows) == 3


@pytest.mark.parametrize(("name", "runs"), [("customers", 2), ("features", 1), ("report", None), ("holdout", None)])
def test_models_of_a_dataset_are_those_of_its_impact_but_for_tests(asked: Shop, name: str, runs: int | None) -> None:
    _, actual = asked.hits(DatasetRef("shop", name))
    models = [(hit.node, hit.distance) for hit in actual if isinstance(hit.node, Version) and hit.node.is_model]
    found = {
        (*row["version"], row["runs"]) for row in asked.ask("Which models were trained on this dataset?", name=name)
    }
    assert found == {("1", runs), ("2", runs)} - {("1", None), ("2", None)}
    if name == "holdout":
        assert [model.declared for model, _ in models] == [("1",), ("2",)], "which was read to test"
    else:
        assert found == {(*model.declared, distance) for model, distance in models}


def test_rollouts_of_a_model_version_are_those_of_the_deployments_training_data(asked: Shop) -> None:
    window = ServedWindow(JobRef("jobs", "churn-api"), 0, 2**60)
    models = training_data(asked.view, window).models
    for model in models:
        rows = asked.ask("Which rollouts served this model version?", version=model.version.declared[0])
        assert [(row["rollout"], row["since"], row["until"], row["others"]) for row in rows] == [
            (run.run_id, time_of(run.started_at), time_of(run.ended_at), []) for run in model.served_by
        ]
    assert [len(model.served_by) for model in models] == [1, 1]


def test_what_a_model_was_trained_on_is_its_training_data(asked: Shop) -> None:
    hits = training_data(asked.view, VersionRef(*CHURN, version="2")).datasets.page(asked.view, 0, ALL)
    rows = asked.ask("What was this model version trained on?")
    assert sorted((row["distance"], row["name"], row["content"], row["role"]) for row in rows) == sorted(
        (hit.distance, hit.version.name, _digests(hit.version), [hit.role.value] * (hit.distance == 1)) for hit in hits
    )
    assert len(rows) == 10


@pytest.mark.parametrize("digest", ["6a6a6a6a", "3d3d3d3d"])
def test_who_wrote_bytes_is_the_run_of_their_version(asked: Shop, digest: str) -> None:
    (version,) = resolve(asked.view, ContentRef(digest))
    assert isinstance(version, Version)
    (run,) = asked.view.graph.fetch([version.run]) if version.run else [None]
    (row,) = asked.ask("Who wrote these bytes?", key=name_value_key(NameScope.DIGEST, digest))
    told = (run.job.name, run.run_id, run.commit, ["team:data"]) if isinstance(run, Run) else (None,) * 4
    assert (row["job"], row["run"], row["commit"], row["owners"]) == told
    assert (run is None) == (digest == "3d3d3d3d")


def test_what_a_commit_produced_is_what_its_runs_wrote(asked: Shop) -> None:
    runs = {thing.key for thing in resolve(asked.view, CodeRef("c0ffee1")) if isinstance(thing, Run)}
    _, actual = asked.hits(CodeRef("c0ffee1"))
    written = [hit.node for hit in actual if isinstance(hit.node, Version) and hit.node.run in runs]
    rows = asked.ask("What did this commit produce?")
    assert [(row["name"], row["content"]) for row in rows] == [
        (version.name, _digests(version))
        for version in sorted(written, key=lambda version: (version.written_at, version.name))
    ]
    assert [row["name"] for row in rows] == ["features", "labels", "churn"]


def test_reads_concluded_from_times_are_those_of_the_provenance(asked: Shop) -> None:
    links = provenance(asked.view, VersionRef(*CHURN, version="2")).links.page(asked.view, 0, ALL)
    concluded = [link for link in links if link.binding is Binding.TIME]
    rows = asked.ask("What of this model's history is only concluded from times?")
    assert [(row["name"], row["job"]) for row in rows] == [(name_of(x.source), name_of(x.target)) for x in concluded]
    assert [row["name"] for row in rows] == ["customers", "customers"]


def test_what_failed_runs_may_have_written_is_uncertain_and_has_readers(asked: Shop) -> None:
    (version,) = resolve(asked.view, VersionRef("shop", "orders", version="half"))
    assert isinstance(version, Version)
    assert not version.certain
    (row,) = asked.ask("What may failed runs have written?")
    assert (row["name"], row["written"]) == (version.name, time_of(version.written_at))
    assert (row["job"], row["state"], row["error"], row["readBy"]) == ("clean", "FAIL", "disk full", ["adhoc"])
    assert asked.ask("What may failed runs have written?", since=datetime(2026, 5, 2, tzinfo=UTC)) == []


def test_a_tag_reaches_the_deployments_that_an_impact_finds_wired_now(asked: Shop) -> None:
    potential, _ = asked.hits(DatasetRef("shop", "customers"), EdgeFilter(fresh_only=True))
    reached = [(name_of(hit.node), hit.distance) for hit in potential if hit.kind is Kind.DEPLOYMENT]
    for tag in ("pii", "pii=strict", "crm"):
        rows = asked.ask(TAGGED, tag=tag)
        assert [(row["deployment"], row["jobs"]) for row in rows] == reached == [("churn-api", 3)]
    assert asked.ask(TAGGED, tag="pi") == []
    assert {name_of(hit.node) for hit in asked.hits(DatasetRef("shop", "customers"))[0]} >= {"segment-api"}, "is stale"


def test_whom_to_tell_are_the_owners_of_what_is_wired_downstream_now(asked: Shop) -> None:
    potential, _ = asked.hits(DatasetRef("shop", "customers"), EdgeFilter(fresh_only=True))
    told = {
        (owner, f"{hit.kind.value.lower()} {name_of(hit.node)}")
        for hit in potential
        for owner in [each.name for each in hit.owners] or ["nobody"]
    }
    rows = asked.ask("Whom to tell about this dataset?")
    assert {(row["owner"], thing) for row in rows for thing in row["of"]} == told
    assert [row["owner"] for row in rows] == ["nobody", "team:data", "team:ml", "team:web"]


def test_the_state_is_that_of_the_ledger(asked: Shop) -> None:
    assert asked.ask(STATE) == [{"ledger": "shop", "entries": shop()[1]}]


def _digests(version: Version) -> list[str]:
    return [f"{digest.algorithm}:{digest.digest}" for digest in version.digests]
