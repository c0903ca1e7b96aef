"""Answers as networkx graphs, GraphML, DOT and PROV-JSON."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import networkx
import pytest

from lineage.answer import thing_id
from lineage.exports.dot import to_dot
from lineage.exports.graphml import to_graphml
from lineage.exports.networkx import to_networkx
from lineage.exports.prov import to_prov
from lineage.model import Evidence, Owner
from lineage.questions.impact import impact
from lineage.questions.path import path
from lineage.questions.provenance import provenance
from lineage.questions.subjects import DatasetRef, JobRef, PredictionRef, VersionRef
from lineage.questions.training_data import training_data

CHURN = VersionRef("db", "churn")


def id_of(pipeline: Any, key: bytes) -> str:
    return thing_id(pipeline.world.changes.nodes[key])


def test_networkx_graph_has_every_node_and_link(pipeline: Any) -> None:
    view = pipeline.world.view()
    answer = provenance(view, CHURN)
    graph = to_networkx(view, answer)
    assert graph.number_of_nodes() == answer.nodes.total + answer.subjects.total
    assert graph.number_of_edges() == answer.links.total
    raw, churn = id_of(pipeline, pipeline.raw1), id_of(pipeline, pipeline.churn1)
    assert networkx.has_path(graph, raw, churn)
    assert (graph.nodes[raw]["kind"], graph.nodes[raw]["distance"]) == ("VERSION", 3)
    assert (
        graph.edges[id_of(pipeline, pipeline.features1), id_of(pipeline, pipeline.train_run), "READ_BY"]["role"]
        == "TRAIN"
    )


def test_each_graphic_answer_can_be_exported(pipeline: Any) -> None:
    pipeline.world.predicted("p", 120)
    view = pipeline.world.view()
    raw = DatasetRef("db", "raw")
    sizes = {
        "training": to_networkx(view, training_data(view, PredictionRef(JobRef("jobs", "api"), "p"))),
        "impact": to_networkx(view, impact(view, raw)),
        "path": to_networkx(view, path(view, raw, DatasetRef("db", "churn"))),
    }
    assert {name: (len(graph), graph.number_of_edges()) for name, graph in sizes.items()} == {
        "training": (9, 8),
        "impact": (18, 16),
        "path": (14, 12),
    }


def test_graphml_is_read_back_whole(pipeline: Any) -> None:
    pipeline.world.dataset("raw", description="x")
    odd = pipeline.world.dataset('<"odd">\x00\x1b&')
    pipeline.world.feed(odd, pipeline.world.flow(pipeline.world.job("clean"), "clean"))
    view = pipeline.world.view()
    answer = impact(view, DatasetRef("db", '<"odd">\x00\x1b&'))
    graph = networkx.read_graphml(io.BytesIO(to_graphml(view, answer).encode()), force_multigraph=True)
    assert len(graph) == len(to_networkx(view, answer))
    assert graph.nodes[id_of(pipeline, odd)]["label"] == '<"odd">\ufffd\ufffd&'


def test_dot_quotes_what_it_is_given(world: Any) -> None:
    source, target = world.dataset('a"; evil [\\'), world.dataset("b\nc")
    flow = world.flow(world.job("j"), "b\nc")
    world.feed(source, flow, evidence=Evidence.INFERRED)
    world.feed(flow, target)
    view = world.view()
    text = to_dot(view, provenance(view, DatasetRef("db", "b\nc")))
    assert text.startswith("digraph lineage {\n")
    assert text.endswith("}\n")
    assert '[label="a\\"; evil [\\\\", shape=cylinder]' in text
    assert '[label="b\\nc", shape=cylinder]' in text
    assert text.count("style=dashed") == 1
    string = r'"(?:[^"\\]|\\.)*"'
    lines = text.splitlines()[2:-1]
    assert all(re.fullmatch(rf"  {string}(?: -> {string})? \[label={string}(?:, \w+=\w+)?\];", line) for line in lines)


class TestProv:
    @pytest.fixture
    def document(self, pipeline: Any) -> dict[str, Any]:
        pipeline.world.job("train", owners=(Owner("ann b"),))
        view = pipeline.world.view()
        document = to_prov(view, provenance(view, CHURN))
        again: dict[str, Any] = json.loads(json.dumps(document))
        return again

    def test_versions_are_entities_and_runs_activities(self, pipeline: Any, document: dict[str, Any]) -> None:
        assert f"lineage:{id_of(pipeline, pipeline.raw1)}" in document["entity"]
        run = document["activity"][f"lineage:{id_of(pipeline, pipeline.train_run)}"]
        assert (run["prov:startTime"], run["lineage:commit"]) == ("1970-01-01T00:00:00.000039Z", "abc")

    def test_relations_point_back_as_prov_has_them(self, pipeline: Any, document: dict[str, Any]) -> None:
        train, features = (f"lineage:{id_of(pipeline, key)}" for key in (pipeline.train_run, pipeline.features1))
        used = [each for each in document["used"].values() if each["prov:entity"] == features]
        assert [each["prov:activity"] for each in used] == [train]
        assert used[0]["prov:role"] == {"$": "lineage:TRAIN", "type": "prov:QUALIFIED_NAME"}
        made = [each["prov:entity"] for each in document["wasGeneratedBy"].values() if each["prov:activity"] == train]
        assert made == [f"lineage:{id_of(pipeline, pipeline.churn1)}"]

    def test_jobs_are_plans_and_owners_agents(self, pipeline: Any, document: dict[str, Any]) -> None:
        train = f"lineage:{id_of(pipeline, pipeline.train_run)}"
        (link,) = [each for each in document["wasAssociatedWith"].values() if each["prov:activity"] == train]
        assert document["agent"][link["prov:agent"]] == {"prov:label": "ann b"}
        assert {"$": "prov:Plan", "type": "prov:QUALIFIED_NAME"} in document["entity"][link["prov:plan"]]["prov:type"]

    def test_every_name_is_declared_and_every_end_is_there(self, document: dict[str, Any]) -> None:
        assert document["prefix"] == {"lineage": "urn:lineage-graph:"}
        members = {name: section for section in ("entity", "activity", "agent") for name in document[section]}
        assert not document["entity"].keys() & document["activity"].keys()
        assert all(re.fullmatch(r"lineage:[A-Za-z][A-Za-z0-9_-]*", name) for name in members)
        for section in ("used", "wasGeneratedBy", "wasAssociatedWith"):
            for name, told in document[section].items():
                assert name.startswith("_:")
                ends = {key: value for key, value in told.items() if key.startswith("prov:") and key != "prov:role"}
                assert set(ends.values()) <= members.keys()
                assert members[told["prov:activity"]] == "activity"


def test_prov_of_a_logical_answer_has_jobs_as_activities(pipeline: Any) -> None:
    view = pipeline.world.view()
    document = to_prov(view, impact(view, DatasetRef("db", "raw")))
    assert not document["entity"].keys() & document["activity"].keys()
    assert len(document["activity"]) == 8


def test_each_edge_of_a_graphml_document_has_an_id_of_its_own(pipeline: Any) -> None:
    view = pipeline.world.view()
    ids = re.findall(r'<edge [^>]*\bid="([^"]*)"', to_graphml(view, provenance(view, CHURN)))
    assert len(ids) > 3
    assert len(set(ids)) == len(ids)
