"""The answer to a training data question for people: models, how they were trained, datasets, what is not sure."""

from __future__ import annotations

import json
from typing import Any

from lineage.cli.screen import Screen
from lineage.cli.show_answer import (
    Data,
    file_name,
    moment,
    short_hash,
    show_left_out,
    show_rest,
    show_score,
    show_standing,
)
from lineage.cli.show_which import Which

_CERTAINTIES = {
    "EXACT": "This is what served.",
    "CANDIDATES": "What served is not settled: these are the candidates.",
}


def show_training(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``trainingData`` of the operation TrainingData."""
    for model in answer["models"]:
        _show_model(screen, model)
    if not answer["models"]:
        screen.line("No model is known that served.")
    elif answer["certainty"] != "EXACT" or any(model["servedBy"] for model in answer["models"]):
        screen.line()
        screen.line(_CERTAINTIES.get(answer["certainty"], str(answer["certainty"])))
    if answer["datasets"]["totalCount"] or answer["models"]:
        _show_datasets(screen, answer["datasets"], len(answer["models"]))
    show_left_out(screen, answer)
    _show_gaps(screen, answer)
    show_standing(screen, answer)


def _show_model(screen: Screen, model: Data) -> None:
    version = model["version"]
    screen.heading(f"Model {_name(version)}{_said_version(version)}")
    pairs: list[tuple[str, Any]] = [("content", short_hash(each, True)) for each in version["contentHashes"]]
    pairs += [("served by", _served(run)) for run in model["servedBy"]]
    trained = model["trainedBy"]
    if trained is None:
        pairs.append(("trained by", "a run that nobody told of"))
    else:
        pairs.append(("trained by", f"{trained['job']['name']}, run {trained['runId']}"))
        pairs.append(("commit", trained["codeVersion"] or "not told"))
        pairs.append(("parameters", _written(trained["parameters"])))
        pairs.append(("metrics", _written(trained["metrics"])))
    screen.pairs(pairs)


def _show_datasets(screen: Screen, page: Data, models: int) -> None:
    screen.heading("Trained on" if models < 2 else f"Any of these {models} was trained on")
    which = Which(hit["version"] for hit in page["nodes"])
    rows = [
        (
            hit["role"],
            hit["distance"],
            f"{_name(hit['version'])}{_said_version(hit['version']) or _said_writer(hit['version'], which)}",
            ", ".join(short_hash(each, not screen.terminal) for each in hit["version"]["contentHashes"]) or "none told",
            (hit["binding"] or "").lower(),
            hit["evidence"].lower(),
        )
        for hit in page["nodes"]
    ]
    columns = ("role", "distance", "dataset", "content", "binding", "evidence")
    screen.dense(columns, rows, right=("distance",), usual=("declared",))
    show_rest(screen, len(rows), page["totalCount"])


def _show_gaps(screen: Screen, answer: Data) -> None:
    gaps = answer["gaps"]
    show_score(screen, answer)
    if not gaps["nodes"]:
        screen.line("  No gaps.")
        return
    screen.pairs((gap["kind"], gap["message"]) for gap in gaps["nodes"])
    show_rest(screen, len(gaps["nodes"]), gaps["totalCount"])


def _name(version: Data) -> str:
    return file_name(version["dataset"]["name"] if version["dataset"] else None)


def _said_version(version: Data) -> str:
    return f" version {version['version']}" if version["version"] is not None else ""


def _said_writer(version: Data, which: Which) -> str:
    """Of a version without a content hash, which would stand beside it, its run."""
    writer = "" if version["contentHashes"] else which.of(version)
    return f" by run {writer}" if writer else ""


def _served(run: Data) -> str:
    start, end = moment(run["startedAt"]), moment(run["endedAt"])
    return f"rollout {run['runId']}, " + (f"from {start} to {end} UTC" if end else f"since {start} UTC")


def _written(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{name}={_one(each)}" for name, each in value.items())
        case list():
            return ", ".join(_metric(each) for each in value)
        case _:
            return "" if value is None else _one(value)


def _metric(told: Any) -> str:
    if not isinstance(told, dict) or "name" not in told:
        return _one(told)
    split = f" ({told['split']})" if told.get("split") else ""
    value = told.get("value")
    return f"{told['name']}={value:.4g}{split}" if isinstance(value, float) else f"{told['name']}={_one(value)}{split}"


def _one(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
