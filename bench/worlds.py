"""Data folders that hold a made world, kept from one benchmark to the next.

The ledger has one event, and all that is made from it says so (a graph of no event that holds anything would be taken
for one that was not finished): the world's rows stand in the graph beside it as if they had always been there. So a
server that opens the folder builds nothing anew, and what it is told then is projected into the same graph.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from figures import progress
from world import SECOND, Shape, World, make_world
from world_changes import write_world
from world_names import Names, rollout_id

from lineage.app import Folder, open_folder
from lineage.ledger import Envelope, Submission
from lineage.predictions import Prediction
from lineage.settings import Settings

_SOURCES = ("world.py", "world_changes.py", "world_names.py", "worlds.py")
_FIRST_INDEX = 1 << 40
"""Ledger index of the first prediction: one that no entry of the benchmark has."""
_EVENT = b"""{"eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.com/bench",
 "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
 "job": {"namespace": "bench", "name": "worlds"}}"""
_PREDICTIONS = 20
"""Of each rollout."""
_PREDICTIONS_AT_ONCE, _EVENTS_AT_ONCE = 10_000, 100


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


def fill(folder: Folder, events: Sequence[bytes]) -> None:
    """Append ``events`` to the ledger, each an entry of its own."""
    envelope = Envelope(transport="bench")
    for at in range(0, len(events), _EVENTS_AT_ONCE):
        folder.ledger.append([Submission("lineage", (event,), envelope) for event in events[at : at + _EVENTS_AT_ONCE]])


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
        fill(folder, [_EVENT])
        folder.projector.catch_up()
        write_world(world, folder.store)
        reached = folder.store.watermark()
        for batch in _batches(world):
            folder.predictions.apply(batch, reached)


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
