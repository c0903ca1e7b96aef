"""The prediction index of the past is one that was made of the first entries alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from lineage.model import Name
from lineage.predictions import Prediction, Served, Told
from lineage.predictions.schema import HOUR
from lineage.predictions.sqlite import PredictionIndex

DEPLOYMENTS = (Name("k8s", "a"), Name("k8s", "b"))
RUNS = (None, "run-1", "run-2")
TOLD = (Told(), Told(Name("models", "m")), Told(Name("models", "m"), "1"), Told(Name("models", "m"), "2"))
STEP = HOUR // 4


def record(random: Random, index: int, position: int) -> Prediction:
    told = random.choice(TOLD)
    return Prediction(
        index,
        position,
        random.choice(DEPLOYMENTS),
        f"p{random.randrange(8)}",
        random.randrange(12) * STEP + random.choice((0, 0, 1, -1)),
        random.choice(RUNS),
        told.model,
        told.version,
    )


@pytest.mark.parametrize("seed", range(12))
def test_what_came_later_counts_for_nothing(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    records = [record(random, index, position) for index in range(30) for position in range(random.randrange(4))]
    until = random.randrange(31)
    whole, then = PredictionIndex(tmp_path / "whole.sqlite"), PredictionIndex(tmp_path / "then.sqlite")
    whole.apply(records, 30)
    then.apply([record for record in records if record.index < until], until)
    bounds = sorted(random.randrange(-1, 13) * STEP + random.choice((0, 1)) for _ in range(2))
    with whole.reader(until=until) as past:
        for deployment in DEPLOYMENTS:
            for number in range(8):
                assert past.find(deployment, f"p{number}") == then.find(deployment, f"p{number}")
            for limit in (0, 1, 3, 100):
                assert past.samples(deployment, *bounds, limit) == then.samples(deployment, *bounds, limit)
            for run in RUNS:
                assert past.told(deployment, run) == then.told(deployment, run)
                assert past.told(deployment, run, *bounds) == then.told(deployment, run, *bounds)
                for told in TOLD:
                    for served in (Served(deployment, run, told), Served(deployment, run, told, *bounds)):
                        since = random.choice((None, bounds[0] + 1))
                        assert past.count([served], since=since) == then.count([served], since=since)
    whole.close()
    then.close()


def test_of_now_nothing_is_left_out(tmp_path: Path) -> None:
    random = Random(1)
    index = PredictionIndex(tmp_path / "predictions.sqlite")
    index.apply([record(random, number, 0) for number in range(50)], 50)
    with index.reader() as now, index.reader(until=50) as past:
        everything = [Served(deployment, run, told) for deployment in DEPLOYMENTS for run in RUNS for told in TOLD]
        assert now.count(everything) == past.count(everything)
        assert now.count(everything).count == 50
    index.close()
