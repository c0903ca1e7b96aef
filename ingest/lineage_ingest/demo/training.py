"""Train two kinds of model on the same data, and the better one again, with other parameters."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lineage_ingest.demo.csvfile import CSVFile
from lineage_ingest.demo.preparation import FEATURES, LABEL, TrainingData, path_of
from lineage_ingest.demo.source import SEED
from lineage_ingest.emit import Feature, Model, ModelCard, Role, Run


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of model: how it is made from parameters, and how much each feature weighs in it once it is trained."""

    name: str
    estimator: str
    make: Callable[..., Any]
    weigh: Callable[[Any], Any]
    explainability: str
    parameters: Mapping[str, Any]
    better_parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained, and its area under the ROC curve on the test data."""

    recipe: Recipe
    model: Model
    roc_auc: float


LOGISTIC = Recipe(
    name="progression-logistic",
    estimator="LogisticRegression",
    make=lambda **parameters: make_pipeline(StandardScaler(), LogisticRegression(**parameters)),
    weigh=lambda fitted: np.abs(fitted[-1].coef_[0]),
    explainability="absolute standardised coefficient",
    parameters={"C": 0.05, "max_iter": 500},
    better_parameters={"C": 0.5, "max_iter": 500},
)
FOREST = Recipe(
    name="progression-forest",
    estimator="RandomForestClassifier",
    make=lambda **parameters: RandomForestClassifier(random_state=SEED, **parameters),
    weigh=lambda fitted: fitted.feature_importances_,
    explainability="mean decrease in impurity",
    parameters={"n_estimators": 40, "max_depth": 4},
    better_parameters={"n_estimators": 80, "min_samples_leaf": 4},
)


def train(run: Run, recipe: Recipe, data: TrainingData, folder: Path, *, version: str = "1") -> Trained:
    """Train by ``recipe`` as ``run``, and write the model; version 1 with its parameters, any other with its better
    ones."""
    parameters = recipe.parameters if version == "1" else recipe.better_parameters
    run.parameters(parameters)
    run.environment(packages=("scikit-learn", "numpy", "lineage-graph"), seed=SEED)
    run.reads(path_of(data.train), role=Role.TRAIN)
    test = run.reads(path_of(data.test), role=Role.TEST)
    with run:
        fitted = recipe.make(**parameters).fit(*_load(path_of(data.train)))
        features, labels = _load(path_of(data.test))
        scores = fitted.predict_proba(features)[:, 1]
        roc_auc = float(roc_auc_score(labels, scores))
        accuracy = float(accuracy_score(labels, scores > 0.5))
        run.metrics({"roc_auc": roc_auc, "accuracy": accuracy}, split="TEST", dataset=test)
        path = folder / recipe.name / version / "model.pkl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(fitted))
        described = Model(
            run.job.namespace,
            recipe.name,
            path=path,
            version=version,
            owners=("team:ml",),
            card=_card(recipe, parameters, fitted),
        )
        run.writes(described, mode="OVERWRITE")
    return Trained(recipe, described, roc_auc)


def _load(path: Path) -> tuple[Any, Any]:
    content = CSVFile.read(path)
    return content.matrix(FEATURES), content.matrix([LABEL])[:, 0]


def _card(recipe: Recipe, parameters: Mapping[str, Any], fitted: Any) -> ModelCard:
    weights = [round(float(weight), 6) for weight in recipe.weigh(fitted)]
    return ModelCard(
        framework="scikit-learn",
        framework_version=sklearn.__version__,
        estimator=recipe.estimator,
        task="classification",
        parameters=parameters,
        features=tuple(Feature(name, weight) for name, weight in zip(FEATURES, weights, strict=True)),
        explainability=recipe.explainability,
    )
