"""The questions as commands, over HTTP and on the files: the same answers, as JSON and for people."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineage.cli.operations import operation
from lineage.cli.program import run
from lineage_ingest.demo.pipeline import DemoResult, run_pipeline
from lineage_ingest.demo.server import DemoServer, find_place

Told = pytest.CaptureFixture[str]


@dataclass(frozen=True, slots=True)
class Clinic:
    """A running server to which the demo's pipeline told all that it did."""

    url: str
    data: Path
    result: DemoResult

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Both ways to name where to ask."""
        return ("--url", self.url), ("--data", str(self.data))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, require: Callable[..., None]) -> Iterator[Clinic]:
    require("loopback")
    folder = tmp_path_factory.mktemp("clinic")
    place = find_place(0)
    with DemoServer(place, folder) as server:
        server.wait_until_ready()
        result = run_pipeline(place.url, folder / "files", lambda step: None)
        yield Clinic(place.url, folder / "store", result)


def questions(result: DemoResult) -> dict[str, tuple[str, ...]]:
    model = (result.namespace, result.champion)
    deployment = (result.namespace, result.deployment)
    last = result.rollouts[-1]
    return {
        "Impact": ("impact", "dataset", result.source.namespace, result.source.name),
        "TrainingData": ("training-data", "--deployment", *deployment, "--prediction", last.prediction_id),
        "Provenance": ("provenance", "version", *model, "2"),
        "Path": ("path", result.source.name, last.run_id),
        "Search": ("search", result.champion),
        "Diff": ("diff", "version", *model, "1", "2"),
    }


def listed(words: list[str], capsys: Told, *radii: str) -> list[tuple[str, str, str]]:
    """(kind, namespace, name) of what an answer lists."""
    assert run([*words, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out).values()
    hits = [hit["node"] for radius in radii for hit in answer[radius]["nodes"]]
    return sorted((hit["kind"], hit["namespace"], hit["name"]) for hit in hits)


def test_filters_narrow_what_is_listed(clinic: Clinic, capsys: Told) -> None:
    words = [*questions(clinic.result)["Impact"], *clinic.places[0]]
    whole = listed(words, capsys, "potential", "actual")
    models = listed([*words, "--kind", "model", "--kind", "deployment"], capsys, "potential", "actual")
    assert models == [hit for hit in whole if hit[0] in ("MODEL", "DEPLOYMENT")]
    assert 0 < len(models) < len(whole)
    assert listed([*words, "--namespace", "elsewhere"], capsys, "potential", "actual") == []
    inside = listed([*words, "--namespace", clinic.result.namespace], capsys, "potential")
    assert inside == [hit for hit in listed(words, capsys, "potential") if hit[1] == clinic.result.namespace]
    upstream = [*questions(clinic.result)["Provenance"], *clinic.places[0], "--kind", "run"]
    assert {kind for kind, _, _ in listed(upstream, capsys, "nodes")} == {"RUN"}


@pytest.mark.parametrize("name", ["Impact", "TrainingData", "Provenance", "Path", "Search"])
def test_a_server_and_its_files_give_the_same_answer(clinic: Clinic, name: str, capsys: Told) -> None:
    words = questions(clinic.result)[name]
    answers = []
    for place in clinic.places:
        assert run([*words, "--json", *place]) == 0
        answers.append(json.loads(capsys.readouterr().out, object_hook=without_cursor))
    assert answers[0] == answers[1]
    (answer,) = answers[0].values()
    assert answer["ledgerIndex"] > 20
    assert name == "Search" or (0 < answer["score"] <= 1 and answer["gaps"]["totalCount"] >= 0)


def without_cursor(held: dict[str, Any]) -> dict[str, Any]:
    """A cursor is signed, and of use only where it was given."""
    return {name: value for name, value in held.items() if name != "endCursor"}


def test_json_is_the_data_of_the_graphql_answer(clinic: Clinic, capsys: Told) -> None:
    source = clinic.result.source
    variables = {"of": {"dataset": {"namespace": source.namespace, "name": source.name}}}
    asked = {"query": operation("Impact"), "variables": variables}
    told = httpx.post(f"{clinic.url}/graphql", json=asked, trust_env=False).json()
    assert run([*questions(clinic.result)["Impact"], "--json", "--url", clinic.url]) == 0
    assert json.loads(capsys.readouterr().out) == told["data"]


@pytest.mark.parametrize("place", [0, 1])
def test_training_data_names_model_run_commit_parameters_and_each_version_with_its_hash(
    clinic: Clinic, place: int, capsys: Told
) -> None:
    assert run([*questions(clinic.result)["TrainingData"], *clinic.places[place]]) == 0
    said = capsys.readouterr().out
    assert f"Model {clinic.result.champion} version 2" in said
    assert clinic.result.rollouts[-1].run_id in said
    for name in ("commit", "parameters", "roc_auc", "TRAIN", "TEST", "UPSTREAM", "NO_PRODUCER", "Score 0."):
        assert name in said
    assert said.count("sha256:") == 8
    assert "Complete, as of ledger entry" in said


def test_what_served_at_a_moment_is_what_served_a_prediction_then(clinic: Clinic, capsys: Told) -> None:
    deployment = (clinic.result.namespace, clinic.result.deployment)
    assert (
        run(["training-data", "--deployment", *deployment, "--at", "2099-01-01T00:00:00Z", "--json", *clinic.places[0]])
        == 0
    )
    (model,) = json.loads(capsys.readouterr().out)["trainingData"]["models"]
    assert [each["runId"] for each in model["servedBy"]] == [clinic.result.rollouts[-1].run_id]


def test_impact_shows_both_radii_with_consequence_and_via(clinic: Clinic, capsys: Told) -> None:
    assert run([*questions(clinic.result)["Impact"], *clinic.places[0]]) == 0
    said = capsys.readouterr().out
    potential, actual = said.split("Potential: ")[1].split("Actual: ")
    assert "redeploy     deployment  progression-scoring" in potential
    assert "via" in potential
    for consequence in ("rebuild", "retrain", "redeploy", "rescore"):
        assert consequence in actual
    assert "600 were made by what is affected" in actual
    rows = [line.split("  team:")[0] for line in actual.splitlines() if "  team:" in line]
    assert len(set(rows)) == len(rows) > 10


@pytest.mark.parametrize(
    "words",
    [
        ("impact", "column", "{source_namespace}", "{source}", "glucose"),
        ("impact", "job", "clinic", "clean-labs"),
        ("impact", "run", "{run}"),
        ("impact", "version", "{source_namespace}", "{source}"),
        ("provenance", "prediction", "clinic", "progression-scoring", "{prediction}"),
        ("provenance", "hash", "{hash}"),
        ("training-data", "--model", "clinic", "{champion}"),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_every_kind_of_subject_has_an_answer_for_people(clinic: Clinic, words: tuple[str, ...], capsys: Told) -> None:
    result = clinic.result
    names = {
        "source_namespace": result.source.namespace,
        "source": result.source.name,
        "run": result.rollouts[0].run_id,
        "prediction": result.rollouts[0].prediction_id,
        "champion": result.champion,
        "hash": model_hash(clinic),
    }
    assert run([*(word.format(**names) for word in words), *clinic.places[0]]) == 0
    said = capsys.readouterr().out
    assert "Score " in said or "No node; the predictions below alone." in said
    assert "Complete, as of ledger entry" in said


def model_hash(clinic: Clinic) -> str:
    (path,) = (clinic.data.parent / "files" / "models" / clinic.result.champion / "1").iterdir()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_path_goes_by_names(clinic: Clinic, capsys: Told) -> None:
    assert run(["path", "raw/labs.csv", clinic.result.deployment, *clinic.places[0]]) == 0
    wired, ran = capsys.readouterr().out.split("As run")
    for step in ("clean-labs", "build-features", "split", f"train-{clinic.result.champion}", clinic.result.deployment):
        assert step in wired
        assert step in ran
    assert "reads it by its hash" in ran


def test_a_path_against_the_flow_of_data_is_none(clinic: Clinic, capsys: Told) -> None:
    assert run(["path", clinic.result.deployment, "raw/labs.csv", *clinic.places[0]]) == 0
    said = capsys.readouterr().out
    assert (said.count("There is no path."), said.count("The other way round there is one")) == (2, 1)
    assert run(["path", clinic.result.deployment, "raw/labs.csv", "--json", *clinic.places[0]]) == 0
    assert "back" not in json.loads(capsys.readouterr().out)["path"]


def test_a_name_of_several_things_is_told_with_their_ids(clinic: Clinic, capsys: Told) -> None:
    assert run(["path", "labs.csv", clinic.result.deployment, *clinic.places[0]]) == 1
    assert "names several things: DATASET file /" in capsys.readouterr().err


def test_a_search_that_has_no_room_for_all_is_incomplete(clinic: Clinic, capsys: Told) -> None:
    assert run(["search", "labs", "--first", "1", *clinic.places[0]]) == 4
    assert "… more match: --first 2\n\nINCOMPLETE" in capsys.readouterr().out


def test_part_of_a_hash_is_told_to_be_too_little(clinic: Clinic, capsys: Told) -> None:
    assert run(["search", "0f3a9c", "--kind", "MODEL", *clinic.places[0]]) == 0
    assert "a commit, a runId or a content hash as a whole only" in capsys.readouterr().out
    assert run(["impact", "commit", "0f3a9c1", *clinic.places[0]]) == 3
    assert "Give the whole of it" in capsys.readouterr().err


# -- exit codes


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("impact", "dataset", "clinic", "no-such"), "no-such"),
        (("training-data", "--deployment", "clinic", "nobody", "--prediction", "1"), "nobody"),
        (("path", "no-such-thing", "nor-this"), "no-such-thing"),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_what_was_never_seen_exits_with_3(
    clinic: Clinic, words: tuple[str, ...], says: str, place: int, capsys: Told
) -> None:
    assert run([*words, *clinic.places[place]]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("lineage: ")
    assert says in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("impact", "dataset", "only-one-word"),
        ("impact", "planet", "mars"),
        ("impact", "dataset", "a", "b", "--since", "yesterday"),
        ("training-data",),
        ("training-data", "--deployment", "clinic", "x", "--at", "noon"),
        ("search",),
        ("no-such-command",),
        ("export", "--format", "dot"),
        ("export", "dataset", "a", "b", "--format", "openlineage"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(clinic: Clinic, words: tuple[str, ...], capsys: Told) -> None:
    place = clinic.places[0] if words[0] != "no-such-command" else ()
    assert run([*words, *place]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err


# -- the ways out


@pytest.mark.parametrize("form", ["graphml", "dot", "prov-json"])
@pytest.mark.parametrize("question", ["provenance", "impact"])
def test_a_graph_from_a_server_is_the_graph_from_its_files(
    clinic: Clinic, form: str, question: str, capsys: Told
) -> None:
    of = ("version", clinic.result.namespace, clinic.result.champion, "2")
    written = []
    for place in clinic.places:
        assert run(["export", *of, "--format", form, "--question", question, *place]) == 0
        written.append(capsys.readouterr().out)
    assert written[0] == written[1]
    assert ("features.csv" if question == "provenance" else "progression-scoring") in written[0]


def test_exported_events_fill_another_folder_with_the_same_graph(clinic: Clinic, tmp_path: Path) -> None:
    exported = [
        subprocess.run(
            [sys.executable, "-m", "lineage.cli", "export", "--format", "openlineage", *place],
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for place in clinic.places
    ]
    assert exported[0] == exported[1]
    assert len(exported[0].splitlines()) == clinic.result.events
    file, folder = tmp_path / "events.ndjson", tmp_path / "again"
    file.write_bytes(exported[0])
    assert run(["ingest", str(file), "--data", str(folder)]) == 0
    of = ("export", "dataset", "clinic", clinic.result.champion, "--format", "dot", "--data")
    graphs = [
        subprocess.run(
            [sys.executable, "-m", "lineage.cli", *of, str(data)], capture_output=True, check=True, timeout=60
        )
        for data in (clinic.data, folder)
    ]
    assert graphs[0].stdout == graphs[1].stdout != b""


def test_a_pipe_gets_plain_text_in_whole_lines(clinic: Clinic) -> None:
    for words in questions(clinic.result).values():
        done = subprocess.run(
            [sys.executable, "-m", "lineage.cli", *words, "--url", clinic.url],
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "40", "FORCE_COLOR": "", "TERM": "xterm-256color"},
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout
        assert all(line == line.rstrip() for line in done.stdout.splitlines())
        assert max(map(len, done.stdout.splitlines())) > 40


def test_a_reader_that_has_seen_enough_is_no_error(clinic: Clinic) -> None:
    words = [sys.executable, "-m", "lineage.cli", *questions(clinic.result)["Impact"], "--json", "--url", clinic.url]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
