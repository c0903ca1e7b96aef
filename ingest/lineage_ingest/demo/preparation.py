"""From raw files to training data: clean each source, join them into features, split into train and test.

Each step is one run that tells, column by column, where its output comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lineage_ingest.demo.csvfile import CSVFile, Row
from lineage_ingest.demo.source import KEY, OUTCOME, SEED, Sources
from lineage_ingest.emit import ColumnSource, Dataset, Run

LABEL = "fast_progression"
FAST_PROGRESSION = 140.0
"""The label is whether the measure of progression after a year is above this, its median."""
FEATURES = (
    "age",
    "sex",
    "bmi",
    "blood_pressure",
    "ldl",
    "hdl",
    "cholesterol_ratio",
    "log_triglycerides",
    "glucose",
    "pulse_load",
)
TEST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The split: what models learn from, and what they are measured on."""

    train: Dataset
    test: Dataset


def prepare(pipeline: Run, sources: Sources, folder: Path) -> TrainingData:
    """Run all steps as children of ``pipeline``, writing into ``folder``."""
    patients = clean(pipeline, "clean-patients", sources.patients, folder / "clean" / "patients.csv")
    labs = clean(pipeline, "clean-labs", sources.labs, folder / "clean" / "labs.csv")
    features = build_features(pipeline, patients, labs, folder / "features" / "features.csv")
    return split(pipeline, features, folder / "split")


def clean(pipeline: Run, job: str, raw: Dataset, path: Path) -> Dataset:
    """Keep one row a patient, and only complete ones."""
    run = pipeline.child(job, description="Drops rows sent twice and rows with missing values.")
    source = run.reads(path_of(raw))
    with run:
        content = CSVFile.read(path_of(raw))
        distinct = {row[KEY]: row for row in content.rows}
        complete = CSVFile(content.columns, tuple(distinct.values())).where(lambda row: all(row.values()))
        complete.write(path)
        return run.writes(
            _describe(path, complete),
            mode="OVERWRITE",
            columns={name: [_copied(source, name)] for name in content.columns},
            conditions=[ColumnSource(source, name, "INDIRECT", "FILTER") for name in content.columns],
        )


def build_features(pipeline: Run, patients: Dataset, labs: Dataset, path: Path) -> Dataset:
    """Join both sources by patient, and derive the label and one feature."""
    run = pipeline.child("build-features", description="Joins patients with their laboratory results.")
    clinic, laboratory = run.reads(path_of(patients)), run.reads(path_of(labs))
    with run:
        results = {row[KEY]: row for row in CSVFile.read(path_of(labs)).rows}
        people = CSVFile.read(path_of(patients)).rows
        rows = tuple(_features_of(row | results[row[KEY]]) for row in people if row[KEY] in results)
        joined = CSVFile((KEY, *FEATURES, LABEL), rows)
        joined.write(path)
        columns = {name: [_copied(clinic, name)] for name in (KEY, "age", "sex", "bmi", "blood_pressure")}
        columns |= {name: [_copied(laboratory, name)] for name in FEATURES[4:9]}
        columns["pulse_load"] = [_computed(clinic, "bmi"), _computed(clinic, "blood_pressure")]
        columns[LABEL] = [_computed(clinic, OUTCOME)]
        return run.writes(
            _describe(path, joined),
            mode="OVERWRITE",
            columns=columns,
            conditions=[ColumnSource(side, KEY, "INDIRECT", "JOIN") for side in (clinic, laboratory)],
        )


def split(pipeline: Run, features: Dataset, folder: Path) -> TrainingData:
    """Put a quarter of the patients aside for testing."""
    run = pipeline.child("split", description="Splits patients into train and test.")
    run.parameters({"test_share": TEST_SHARE, "seed": SEED})
    source = run.reads(path_of(features))
    with run:
        content = CSVFile.read(path_of(features))
        order = np.random.default_rng(SEED).permutation(len(content.rows))
        tested = {content.rows[number][KEY] for number in order[: int(len(order) * TEST_SHARE)]}
        parts = {
            "train": content.where(lambda row: row[KEY] not in tested),
            "test": content.where(lambda row: row[KEY] in tested),
        }
        columns = {name: [_copied(source, name)] for name in content.columns}
        written = {}
        for name, part in parts.items():
            path = folder / f"{name}.csv"
            part.write(path)
            written[name] = run.writes(_describe(path, part), mode="OVERWRITE", columns=columns)
        return TrainingData(written["train"], written["test"])


def path_of(dataset: Dataset) -> Path:
    """Where a dataset of the demo lies: all of them are files."""
    if dataset.path is None:
        raise ValueError(dataset.name)
    return dataset.path


def _features_of(joined: Row) -> Row:
    row = {name: joined[name] for name in (KEY, *FEATURES[:9])}
    row["pulse_load"] = f"{float(joined['bmi']) * float(joined['blood_pressure']) / 100:.4f}"
    row[LABEL] = str(int(float(joined[OUTCOME]) > FAST_PROGRESSION))
    return row


def _describe(path: Path, content: CSVFile) -> Dataset:
    schema = {name: "string" if name == KEY else "double" for name in content.columns}
    return Dataset.file(path, kind="FILE", owners=("team:ml",), schema=schema)


def _copied(dataset: Dataset, column: str) -> ColumnSource:
    return ColumnSource(dataset, column, "DIRECT", "IDENTITY")


def _computed(dataset: Dataset, column: str) -> ColumnSource:
    return ColumnSource(dataset, column, "DIRECT", "TRANSFORMATION")
