"""What a person reads of an answer."""

from __future__ import annotations

import io
from typing import Any

from lineage.cli.screen import Screen
from lineage.cli.show_impact import show_impact
from lineage.cli.show_paths import show_path, show_provenance, show_search
from lineage.cli.show_training import show_training
from lineage.cli.show_which import Which

NO_GAPS = {"totalCount": 0, "nodes": []}
STANDING = {"complete": True, "cut": None, "ledgerIndex": 7, "behind": 0, "gaps": NO_GAPS, "score": 1.0}
NO_HITS = {"nodes": [], "totalCount": 0}


def impact(predictions: int) -> dict[str, Any]:
    told = {"count": predictions, "firstAt": None, "lastAt": None}
    return {**STANDING, "summary": [], "potential": NO_HITS, "actual": NO_HITS, "predictions": told}


def shown(show: Any, answer: dict[str, Any], terminal: bool = False) -> str:
    stream = io.StringIO()
    show(Screen(stream, terminal=terminal), answer)
    return stream.getvalue()


def test_an_impact_of_predictions_alone_does_not_say_that_nothing_is_affected() -> None:
    assert "the predictions below alone" in shown(show_impact, impact(3))
    assert "Nothing: no run read it" in shown(show_impact, impact(0))


def test_a_dataset_found_by_an_alias_says_which() -> None:
    hits: list[dict[str, Any]] = [
        {"id": name, "label": name, "kind": "DATASET", "namespace": "n", "name": name, "owners": []}
        for name in ("path", "orders")
    ]
    answer = {**STANDING, "hits": hits, "byAlias": [{"namespace": "hive", "name": "sales.orders"}, None]}
    told = shown(show_search, answer)
    assert "path (as sales.orders)" in told
    assert "orders (as" not in told


def gaps(*counts: tuple[str, int], total: int | None = None) -> dict[str, Any]:
    nodes = [{"kind": code, "message": f"{code} {at}.", "node": None} for code, count in counts for at in range(count)]
    return {"score": 0.5, "gaps": {"totalCount": total or len(nodes), "nodes": nodes}}


def version(id: str, **told: Any) -> dict[str, Any]:
    named: dict[str, Any] = {"version": None, "contentHashes": [], "writtenBy": None}
    return {"id": id, "label": "m @ 2026-11-21 15:21", "kind": "VERSION", "namespace": "n", "name": "m"} | named | told


def run_of(id: str, run_id: str) -> dict[str, Any]:
    return {
        "id": id,
        "label": "t @ 2026-11-21 15:21",
        "kind": "RUN",
        "namespace": "n",
        "name": "t",
        "runId": run_id,
    }


def hit(node: dict[str, Any], via: dict[str, Any] | None = None, distance: int = 1) -> dict[str, Any]:
    told = {"distance": distance, "consequence": "RETRAIN", "evidence": "DECLARED", "certain": True, "owners": []}
    return {"node": node, "via": via, **told}


def provenance(*nodes: dict[str, Any], links: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    pages = {
        name: {"totalCount": len(held), "nodes": list(held)}
        for name, held in (("nodes", [hit(node) for node in nodes]), ("links", links))
    }
    return {**STANDING, **pages}


def path(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {**STANDING, "potential": {"nodes": list(nodes), "links": []} if nodes else None, "actual": None}


RUNS = ("01a1feb2-c793-7d5c-b204-6ae70e7c34e0", "01a1feb2-c7e2-7985-87bc-dec999fbc762")


def test_impact_provenance_and_path_show_score_and_gaps() -> None:
    table = {"id": "d", "label": "d", "kind": "DATASET"}
    for show, answer in (
        (show_impact, impact(0)),
        (show_provenance, provenance(version("v"))),
        (show_path, path(table)),
    ):
        said = shown(show, answer | gaps(("CLOSE", 1), ("NO_PRODUCER", 2)))
        assert "Score 0.50: the share of versions and reads that carry no gap" in said
        assert "  CLOSE            CLOSE 0.\n  NO_PRODUCER (2)  NO_PRODUCER 0.\n" in said
        assert "                   NO_PRODUCER 1.\n" in said
        assert "more" not in said


def test_gaps_are_a_few_lines_with_some_of_each_code_and_the_number_of_the_rest() -> None:
    many = gaps(("CLOSE", 60), ("TIME_BINDING", 2), ("UNDIVIDED", 38), total=140)
    said = shown(show_impact, impact(0) | many)
    block = said.split("no gap\n")[1].splitlines()[:6]
    assert [line.split("  ")[1] for line in block[:5]] == ["CLOSE (60)", "", "TIME_BINDING (2)", "", "UNDIVIDED (38+)"]
    assert block[5].startswith("  … and 135 more")


def test_an_answer_that_holds_nothing_has_no_score_to_show() -> None:
    for show, answer in ((show_impact, impact(0)), (show_provenance, provenance()), (show_path, path())):
        assert "Score" not in shown(show, answer)


def test_versions_and_runs_of_one_minute_are_told_apart() -> None:
    digests = [{"digest": "0123456789abcdef"}]
    versions = [
        version("a", version="2", contentHashes=digests, writtenBy={"runId": RUNS[0]}),
        version("b", contentHashes=digests, writtenBy={"runId": RUNS[0]}),
        version("c", writtenBy={"runId": RUNS[0]}),
    ]
    runs = [run_of("d", RUNS[0]), run_of("e", RUNS[1])]
    page = {"nodes": [hit(node, via=versions[0]) for node in (*versions, *runs)], "totalCount": 5}
    answer = impact(0) | {"actual": page}
    told = [
        line.split("  m @ 2026-11-21 15:21 (2)")[0].split()[-1]
        for line in shown(show_impact, answer).splitlines()
        if "retrain" in line
    ]
    assert told == ["2", "01234567", "01a1feb2-c793", "01a1feb2-c793", "01a1feb2-c7e2"]
    for line in shown(show_impact, answer).splitlines():
        assert "retrain" not in line or "m @ 2026-11-21 15:21 (2)" in line
    for said in (shown(show_impact, answer, terminal=True), shown(show_provenance, provenance(*versions, *runs))):
        for mark in told:
            assert mark in said


def test_the_first_part_of_a_run_id_is_enough_where_no_other_shares_it() -> None:
    one, other = run_of("a", RUNS[0]), run_of("b", "ffffffff-c793-7d5c-b204-6ae70e7c34e0")
    which = Which([one, other, one])
    assert (which.of(one), which.of(other)) == ("01a1feb2", "ffffffff")


def test_what_is_wired_needs_no_marks() -> None:
    table = {"id": "d", "label": "d", "kind": "DATASET"}
    assert "which" not in shown(show_impact, impact(0) | {"potential": {"nodes": [hit(table)], "totalCount": 1}})


def test_training_data_of_one_minute_without_hash_or_version_is_told_apart_by_who_wrote_it() -> None:
    def data(run_id: str) -> dict[str, Any]:
        held: dict[str, Any] = {
            "version": None,
            "contentHashes": [],
            "writtenBy": {"runId": run_id},
            "dataset": {"name": "raw"},
        }
        return {"version": held, "role": "TRAIN", "distance": 1, "binding": "TIME", "evidence": "DECLARED"}

    page = {"nodes": [data(run_id) for run_id in RUNS], "totalCount": 2}
    said = shown(show_training, {**STANDING, "certainty": "EXACT", "models": [], "datasets": page})
    assert "raw by run 01a1feb2-c793" in said
    assert "raw by run 01a1feb2-c7e2" in said


def test_training_data_of_several_models_does_not_look_like_that_of_one() -> None:
    def said(*numbers: str) -> str:
        models = [
            {
                "version": {"version": number, "contentHashes": [], "dataset": {"name": "m"}},
                "servedBy": [],
                "trainedBy": None,
            }
            for number in numbers
        ]
        return shown(show_training, {**STANDING, "certainty": "EXACT", "models": models, "datasets": NO_HITS})

    assert "Any of these 2 was trained on" in said("1", "2")
    assert "Any of" not in said("1")


def test_provenance_shows_how_reads_found_what_they_read() -> None:
    links = tuple(
        {"source": {"id": source}, "target": {"id": "r"}, "kind": kind, "evidence": "DECLARED", "binding": binding}
        for source, kind, binding in (("v", "READ_BY", "HASH"), ("v", "READ_BY", "TIME"), ("r", "WROTE", None))
    )
    said = shown(show_provenance, provenance(version("v"), links=links))
    assert "binding" in said
    assert "hash, time" in said


def test_a_search_with_no_room_for_all_says_that_more_match() -> None:
    found = {"id": "i", "label": "b", "kind": "DATASET", "namespace": "n", "name": "b", "owners": []}
    answer = {**STANDING, "hits": [found], "byAlias": [None]}
    assert "more match" not in shown(show_search, answer)
    cut = answer | {"complete": False, "cut": {"reason": "NODES", "limit": 1}}
    assert "… more match: --first 2\n" in shown(show_search, cut)
    assert "INCOMPLETE: cut after 1 node, as" in shown(show_search, cut)
    assert "--first" not in shown(show_search, cut | {"cut": {"reason": "NODES", "limit": 1000}})


def test_a_path_that_goes_the_other_way_round_is_told() -> None:
    table = {"id": "d", "label": "d", "kind": "DATASET"}
    assert "other way round" in shown(show_path, path() | {"back": path(table)})
    assert "other way round" not in shown(show_path, path() | {"back": path()})
