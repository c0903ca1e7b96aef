"""The two raw sources, as a clinic and a laboratory would deliver them: scikit-learn's diabetes data, split by columns.

442 patients of Efron et al., "Least Angle Regression" (2004). The files have what real deliveries have: rows sent
twice and values that are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes

from lineage_ingest.demo.csvfile import CSVFile, Row
from lineage_ingest.emit import Dataset, Emitter

KEY = "patient_id"
SEED = 20_260_501

PATIENT_COLUMNS = {"age": "age", "sex": "sex", "bmi": "bmi", "blood_pressure": "bp"}
LAB_COLUMNS = {
    "total_cholesterol": "s1",
    "ldl": "s2",
    "hdl": "s3",
    "cholesterol_ratio": "s4",
    "log_triglycerides": "s5",
    "glucose": "s6",
}
OUTCOME = "progression"

_SENT_TWICE = 7
_MISSING = 9


@dataclass(frozen=True, slots=True)
class Sources:
    """The raw files as datasets."""

    patients: Dataset
    labs: Dataset


def deliver_sources(emitter: Emitter, folder: Path) -> Sources:
    """Write both raw files into ``folder``, and tell the state that each has on arrival."""
    data = load_diabetes(scaled=False)
    position = {name: index for index, name in enumerate(data.feature_names)}
    rng = np.random.default_rng(SEED)

    def rows(columns: dict[str, str], outcome: bool) -> list[Row]:
        made = []
        for number, (values, target) in enumerate(zip(data.data, data.target, strict=True)):
            row = {KEY: f"P{number:04d}"}
            row |= {name: f"{values[position[source]]:g}" for name, source in columns.items()}
            made.append(row | ({OUTCOME: f"{target:g}"} if outcome else {}))
        return made

    patients = _deliver(rng, rows(PATIENT_COLUMNS, True), folder / "patients.csv", missing="bmi")
    labs = _deliver(rng, rows(LAB_COLUMNS, False), folder / "labs.csv", missing="glucose")
    return Sources(
        patients=emitter.emit_dataset(_describe(patients, "team:clinic")),
        labs=emitter.emit_dataset(_describe(labs, "team:laboratory")),
    )


def change_one_value(path: Path) -> None:
    """Correct one value of the raw laboratory file, in place: the glucose of the first patient who has one."""
    content = CSVFile.read(path)
    first = next(row for row in content.rows if row["glucose"])
    first["glucose"] = f"{float(first['glucose']) + 1:g}"
    content.write(path)


def _deliver(rng: np.random.Generator, rows: list[Row], path: Path, *, missing: str) -> Path:
    for number in rng.choice(len(rows), _MISSING, replace=False):
        rows[number][missing] = ""
    again = [rows[number] for number in rng.choice(len(rows), _SENT_TWICE, replace=False)]
    CSVFile(tuple(rows[0]), (*rows, *again)).write(path)
    return path


def _describe(path: Path, owner: str) -> Dataset:
    columns = CSVFile.read(path).columns
    schema = {name: "string" if name == KEY else "double" for name in columns}
    return Dataset.file(path, kind="FILE", owners=(owner,), schema=schema)
