"""Data folders that hold a made world, kept from one benchmark to the next.

The ledger is empty, and all that is made from it says so (watermark 0, facts sealed): the world's rows stand in the
graph beside it as if they had always been there. So a server that opens the folder builds nothing anew, and what it is
told then is projected into the same graph.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from figures import progress
from world import SECOND, Shape, World, make_world
from world_changes import write_world
from world_names import Names, rollout_id

from lineage.app import open_folder
from lineage.predictions import Prediction
from lineage.settings import Settings

_SOURCES = ("world.py", "world_changes.py", "world_names.py", "worlds.py")
_FIRST_INDEX = 1 << 40
"""Ledger index of the first prediction: one that no entry of the benchmark has."""
_PREDICTIONS = 20
"""Of each rollout."""
_PREDICTIONS_AT_ONCE = 10_000


def prepared(shape: Shape, worlds: Path) -> Path:
    """The data folder with the world of ``shape``, made if it is not in ``worlds`` yet, or not for this release. Not to
    be written into."""
    path = worlds / f"{shape.datasets}-{_version(shape)}"
    if not _stands(path):
        begun = time.monotonic()
        progress(f"making a world of {shape.datasets:,} datasets")
        unready = path.with_suffix(".unready")
        shutil.rmtree(unready, ignore_errors=True)
        _make(make_world(shape), unready)
        shutil.rmtree(path, ignore_errors=True)
        unready.rename(path)
        progress(f"made in {time.monotonic() - begun:.0f} s")
    return path


def copied(prepared: Path, to: Path) -> Path:
    """A data folder of one's own with the same content."""
    subprocess.run(["cp", "--recursive", "--reflink=auto", str(prepared), str(to)], check=True)
    return to


def _stands(path: Path) -> bool:
    """Whether the world is in the folder as a server would find it: another release's it would build anew."""
    if not path.exists():
        return False
    with open_folder(Settings(data=path)) as folder:
        assert folder.projector is not None
        folder.projector.catch_up()
        with folder.store.reader() as graph:
            return graph.count()["DATASET"] > 0


def _version(shape: Shape) -> str:
    """Changes with what is written into the folder."""
    told = sha256(repr(shape).encode())
    for name in _SOURCES:
        told.update(Path(__file__).with_name(name).read_bytes())
    return told.hexdigest()[:12]


def _make(world: World, path: Path) -> None:
    with open_folder(Settings(data=path)) as folder:
        assert folder.projector is not None
        folder.projector.catch_up()
        write_world(world, folder.store)
        for batch in _batches(world):
            folder.predictions.apply(batch, 0)


def _batches(world: World) -> Iterator[list[Prediction]]:
    names, batch = Names(world), list[Prediction]()
    for index, rollout in enumerate(world.rollouts(), _FIRST_INDEX):
        deployment, run = names.deployment(rollout.model), rollout_id(rollout)
        for number in range(_PREDICTIONS):
            at = rollout.start + (number + 1) * SECOND
            identity = f"{rollout.model}-{rollout.nth}-{number}"
            batch.append(Prediction(index, number, deployment, identity, at, run_id=run))
        if len(batch) >= _PREDICTIONS_AT_ONCE:
            yield batch
            batch = []
    yield batch
