"""A data folder with a made world is opened by a server as one that it left itself."""

from __future__ import annotations

from pathlib import Path

from world import Shape
from worlds import copied, prepared

from lineage.app import open_folder
from lineage.settings import Settings

SHAPE = Shape(200)


def test_a_prepared_world_stands_when_it_is_opened_to_be_written(tmp_path: Path) -> None:
    path = prepared(SHAPE, tmp_path)
    counted = []
    for number in range(2):
        with open_folder(Settings(data=copied(path, tmp_path / str(number)))) as folder:
            assert folder.projector is not None
            if number:
                folder.projector.start()
                assert folder.projector.wait_for(1, 10)
                folder.projector.stop()
            with folder.store.reader() as graph:
                counted.append(graph.count())
    assert counted[0] == counted[1]
    assert counted[0]["DATASET"] > SHAPE.datasets
    made = path.stat().st_ino
    assert prepared(SHAPE, tmp_path).stat().st_ino == made
