"""The emitters live in a light install: they load nothing of the server, of the graph or of science."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("lineage", "fastapi", "pydantic", "numpy", "sklearn", "apsw", "orjson", "msgspec", "strawberry", "uvicorn")


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return {name.partition(".")[0] for name in output.split()}


@pytest.mark.parametrize(
    "statement", ["import lineage_ingest.emit", "from lineage_ingest import Emitter, emit_dataset"]
)
def test_emitters_load_nothing_heavy(statement: str) -> None:
    loaded = loaded_by(statement)
    assert "openlineage" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_package_alone_loads_no_emitter() -> None:
    assert "openlineage" not in loaded_by("import lineage_ingest")


def test_package_offers_only_names_that_exist() -> None:
    import lineage_ingest
    from lineage_ingest import emit

    assert all(getattr(lineage_ingest, name) is getattr(emit, name) for name in lineage_ingest._EMITTERS)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lineage_ingest.no_such_name
