"""The demo from the first raw file to the last prediction, against any server that speaks the contract (sections
1–3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from lineage_ingest.demo.preparation import TrainingData, path_of, prepare
from lineage_ingest.demo.serving import Served, Service
from lineage_ingest.demo.source import Sources, change_one_value, deliver_sources
from lineage_ingest.demo.training import FOREST, LOGISTIC, Trained, train
from lineage_ingest.emit import Emitter

NAMESPACE = "clinic"
DEPLOYMENT = "progression-scoring"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A raw file, and the dataset that it is."""

    path: Path
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the questions about the demo start from. ``rollouts`` are in the order in which they served."""

    namespace: str
    deployment: str
    models: tuple[str, ...]
    champion: str
    rollouts: tuple[Served, ...]
    source: SourceFile
    events: int


def run_pipeline(
    url: str,
    folder: Path,
    report: Report,
    *,
    emitter: Emitter | None = None,
    network: httpx.BaseTransport | None = None,
) -> DemoResult:
    """Run the whole pipeline in ``folder`` and tell the server at ``url``, with a line to ``report`` for each step.

    Deterministic, save for times and runIds. ``emitter`` and ``network`` replace those that reach ``url``. Raises
    EmitError when lineage can't be told: here that is what it is all about.
    """
    with emitter or Emitter(url, namespace=NAMESPACE, owners=["team:ml"], code=Path(__file__), strict=True) as telling:
        report("Two raw files arrive: patients from the clinic, results from the laboratory.")
        sources = deliver_sources(telling, folder / "raw")
        data, trained = _train_all(telling, sources, folder, report)
        champion = max(trained, key=lambda each: each.roc_auc)
        service = Service(telling, telling.deployment(DEPLOYMENT, environment="production"), data, network)
        rollouts = _serve_twice(service, champion, folder, report)
    return DemoResult(
        namespace=telling.namespace,
        deployment=DEPLOYMENT,
        models=tuple(each.model.name for each in trained),
        champion=champion.model.name,
        rollouts=rollouts,
        source=SourceFile(path_of(sources.labs), sources.labs.namespace, sources.labs.name),
        events=telling.counts.sent,
    )


def change_source(result: DemoResult) -> None:
    """Change one value in one of the raw files on disk; nobody is told."""
    change_one_value(result.source.path)


def _train_all(
    emitter: Emitter, sources: Sources, folder: Path, report: Report
) -> tuple[TrainingData, tuple[Trained, ...]]:
    with emitter.run("progression-pipeline", description="From raw files to trained models.") as pipeline:
        report("Both are cleaned, joined into features, and split into train and test.")
        data = prepare(pipeline, sources, folder)
        trained = []
        for recipe in (LOGISTIC, FOREST):
            run = pipeline.child(f"train-{recipe.name}", description=f"Trains a {recipe.estimator}.")
            trained.append(train(run, recipe, data, folder / "models"))
            report(f"{recipe.name} 1 is trained: area under the ROC curve {trained[-1].roc_auc:.3f} on the test data.")
    return data, tuple(trained)


def _serve_twice(service: Service, champion: Trained, folder: Path, report: Report) -> tuple[Served, ...]:
    model = champion.model
    first = service.begin(model, approved_by="ada@clinic.example")
    before = service.answer(first, model)
    report(f"{model.name} {model.version} went live and answered {before.predictions} requests.")
    run = service.emitter.run(f"train-{model.name}", description=f"Trains a {champion.recipe.estimator}.")
    better = train(run, champion.recipe, service.data, folder / "models", version="2").model
    first.stop()
    second = service.begin(better, approved_by="grace@clinic.example")
    after = service.answer(second, better)
    report(
        f"{better.name} {better.version}, with other parameters, took over and answered {after.predictions} requests."
    )
    return before, after
