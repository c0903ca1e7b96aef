"""Generated events in the shapes that ML emitters send: training runs, rollouts, prediction records."""

from __future__ import annotations

import random

from ledger_words import (
    CLIENT,
    JSON,
    OURS,
    custom,
    event,
    event_type,
    facet,
    fields,
    hexadecimal,
    parent,
    run_id,
    when,
    word,
)


def training(draw: random.Random) -> JSON:
    """A training run with parameters, metrics, environment, content hashes and a model."""
    names = [word(draw) for _ in range(draw.randint(3, 10))]

    def digest() -> JSON:
        one = {"algorithm": "sha256", "digest": hexadecimal(draw, 64), "scope": "FULL", "method": "file"}
        return custom(OURS, digests=[one | {"bytes": draw.randint(100, 10**8), "rows": draw.randint(10, 10**6)}])

    def dataset(name: str, members: JSON) -> JSON:
        return {"namespace": "file", "name": f"/data/{name}.parquet", "facets": members | {
            "schema": facet(CLIENT, "SchemaDatasetFacet", fields=fields(draw, ["int64", "float64", "object"], names)),
            "lineageGraph_contentHash": digest(),
        }}  # fmt: skip

    parameters = [
        {"key": key, "name": key, "value": str(draw.randint(1, 500))}
        for key in ("n_estimators", "max_depth", "learning_rate", "min_samples_leaf", "random_state", "max_iter")
    ]
    splits = ["train", "validation", "test"]
    metrics = [
        {"name": name, "value": draw.random(), "split": draw.choice(splits)}
        for name in ("accuracy", "f1", "roc_auc", "log_loss", "rmse", "mae", "r2", "precision", "recall")
    ]
    packages = {"scikit-learn": "1.7.2", "numpy": "2.3.4", "pandas": "2.3.3", "scipy": "1.16.3", "joblib": "1.5.2"}
    run = {
        "executionParameters": facet(CLIENT, "ExecutionParametersRunFacet", parameters=parameters),
        "lineageGraph_metrics": custom(OURS, metrics=metrics),
        "lineageGraph_environment": custom(OURS, python="3.12.3", packages=packages, seed=draw.randint(0, 99),
                                           hardware="x86_64"),
        "nominalTime": facet(CLIENT, "NominalTimeRunFacet", nominalStartTime=when(draw), nominalEndTime=when(draw)),
        "parent": parent(CLIENT, draw, word(draw)),
    }  # fmt: skip
    commit = hexadecimal(draw, 40)
    place = f"https://github.com/{word(draw, 1)}/{word(draw)}"
    job = {
        "jobType": facet(CLIENT, "JobTypeJobFacet", processingType="BATCH", integration="LINEAGE", jobType="TRAINING"),
        "sourceCodeLocation": facet(CLIENT, "SourceCodeLocationJobFacet", type="git", url=f"{place}/train.py",
                                    repoUrl=place, path="train.py", version=commit, branch="main"),
    }  # fmt: skip
    card = {
        "framework": "scikit-learn",
        "frameworkVersion": "1.7.2",
        "estimator": "RandomForestClassifier",
        "task": "classification",
        "features": [{"name": name, "importance": draw.random()} for name in names],
    }
    kind = facet(CLIENT, "DatasetTypeDatasetFacet", datasetType="MODEL", subType="")
    model = {"namespace": "models", "name": word(draw), "facets": {
        "datasetType": kind, "lineageGraph_model": custom(OURS, **card), "lineageGraph_contentHash": digest(),
        "version": facet(CLIENT, "DatasetVersionDatasetFacet", datasetVersion=str(draw.randint(1, 40))),
    }}  # fmt: skip
    roles = draw.sample(["TRAIN", "VALIDATION", "TEST", "REFERENCE", "BASE_MODEL"], 2)
    return event(
        CLIENT, draw, eventType=event_type(draw), run={"runId": run_id(draw), "facets": run},
        job={"namespace": word(draw), "name": word(draw), "facets": job},
        inputs=[dataset(word(draw), {"lineageGraph_role": custom(OURS, role=role)}) for role in roles],
        outputs=[model | {"outputFacets": {}}],
    )  # fmt: skip


def rollout(draw: random.Random) -> JSON:
    """A rollout of a deployment that serves one or two models."""
    names = [{"namespace": "models", "name": word(draw)} for _ in range(draw.randint(1, 2))]
    traffic = [name | {"version": str(draw.randint(1, 40)), "percent": 100 // len(names)} for name in names]
    facets = {"lineageGraph_rollout": custom(OURS, environment="production", endpoint=f"https://api/{word(draw)}",
                                             traffic=traffic, approvedBy=word(draw, 1))}  # fmt: skip
    kind = {"datasetType": facet(CLIENT, "DatasetTypeDatasetFacet", datasetType="MODEL", subType="")}
    job_type = facet(CLIENT, "JobTypeJobFacet", processingType="SERVICE", integration="LINEAGE", jobType="DEPLOYMENT")
    return event(
        CLIENT, draw, eventType=event_type(draw), run={"runId": run_id(draw), "facets": facets},
        job={"namespace": "serving", "name": word(draw), "facets": {"jobType": job_type}},
        inputs=[name | {"facets": kind, "inputFacets": {}} for name in names],
        outputs=[{"namespace": "serving", "name": f"{word(draw)}/predictions", "facets": {}, "outputFacets": {}}],
    )  # fmt: skip


def prediction(draw: random.Random) -> JSON:
    """A prediction record."""
    record = {"id": draw.choice([run_id(draw), str(draw.randint(1, 10**9))]), "time": when(draw, "Z", 6),
              "deployment": {"namespace": "serving", "name": word(draw)}}  # fmt: skip
    if draw.random() < 0.8:
        record["run"] = run_id(draw)
    if draw.random() < 0.6:
        record["model"] = {"namespace": "models", "name": word(draw), "version": str(draw.randint(1, 40))}
    if draw.random() < 0.7:
        record |= {name: f"sha256:{hexadecimal(draw, 64)}" for name in ("inputHash", "outputHash")}
    return record
