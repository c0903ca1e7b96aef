"""References to what a question is about: a content hash is the same however it is spelled."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.answer import View
from lineage.questions.resolution import resolve
from lineage.questions.subjects import ContentRef, VersionRef


@pytest.mark.parametrize("spelled", ["raw-10", "RAW-10", "sha256:raw-10", "SHA256:Raw-10"])
def test_a_content_hash_is_found_in_any_case_and_with_its_algorithm(pipeline: Any, spelled: str) -> None:
    view: View = pipeline.world.view()
    expected = resolve(view, ContentRef("raw-10"))
    assert len(expected) == 1
    assert resolve(view, ContentRef(spelled)) == expected
    assert resolve(view, ContentRef(spelled, algorithm="SHA256", scope="full")) == expected
    assert resolve(view, VersionRef("db", "raw", digest=spelled)) == expected


def test_only_what_facts_write_in_one_case_is_so_spelled() -> None:
    told = ContentRef("AbC", "SHA256", "sample", "Rows")
    assert (told.digest, told.algorithm, told.scope, told.method) == ("abc", "sha256", "SAMPLE", "Rows")
    version = VersionRef("Db", "Raw", version="V1")
    assert (version.namespace, version.name, version.version, version.digest) == ("Db", "Raw", "V1", None)
