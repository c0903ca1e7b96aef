"""Small worlds that touch here and there, in one ledger: what one thing depends on is then only a part of it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.reference_fold.worlds import NARROW, world

_DATASETS = "abcd"
_JOBS = tuple(f"j{number}" for number in range(6))


def sparse(random: Random) -> list[bytes]:
    """The events of two to six worlds, whose datasets and jobs are drawn from one pool, in any order, each once."""
    pool, jobs = random.choice([4, 8, 14]), random.choice([3, 6, 10])
    usual = random.choice([*NARROW, "mixed", "mixed", "mixed"])
    records: list[bytes] = []
    for number in range(random.choice([2, 4, 6])):
        mix = NARROW[usual if random.random() < 0.7 else random.choice(list(NARROW))]
        names = {name: f"ds{random.randrange(pool)}" for name in _DATASETS}
        names |= {name: f"job{random.randrange(jobs)}" for name in _JOBS}
        records += [json.dumps(_moved(event, names, number)).encode() for event in world(random, mix)]
    records = list(dict.fromkeys(records))
    random.shuffle(records)
    if random.random() < 0.4:
        records.sort(key=lambda record: str(json.loads(record)["eventTime"]))
    return records


def _moved(value: Any, names: dict[str, str], number: int) -> Any:
    """An event of a small world, with other names and with runs of its own."""
    if isinstance(value, list):
        return [_moved(each, names, number) for each in value]
    if isinstance(value, str):
        return value.replace("00000000-0000-4000", f"{number:08d}-0000-4000")
    if not isinstance(value, dict):
        return value
    moved = {key: _moved(each, names, number) for key, each in value.items()}
    if "namespace" in moved and isinstance(moved.get("name"), str):
        folder, slash, rest = moved["name"].partition("/")
        moved["name"] = names.get(folder, folder) + slash + rest
    return moved
