"""Records keep their exact bytes, however a file holds them."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.cli.recordfile import read_records
from lineage.errors import BadInputError

EVENTS = st.dictionaries(
    st.text(max_size=5),
    st.one_of(st.integers(), st.text(max_size=8), st.lists(st.booleans(), max_size=3)),
    min_size=1,
    max_size=4,
)


def read(path: Path) -> list[bytes]:
    return [record.data for record in read_records(path, lambda count: None)]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(events=st.lists(EVENTS, min_size=1, max_size=6), indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_every_layout_gives_the_same_records(
    tmp_path: Path, events: list[dict[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    texts = [json.dumps(event, indent=indent, ensure_ascii=ascii_only) for event in events]
    expected = [text.encode(errors="surrogatepass") for text in texts]
    in_array = (" [\n" + " ,".join(texts) + "] ").encode(errors="surrogatepass")
    after_each_other = "\n".join(texts).encode(errors="surrogatepass") + b"\n"
    for name, data in (("array.json", in_array), ("many.ndjson", after_each_other)):
        assert read(written(tmp_path / name, data)) == expected
        assert read(written(tmp_path / f"{name}.gz", gzip.compress(data))) == expected


def test_numbers_and_escapes_keep_their_spelling(tmp_path: Path) -> None:
    data = b'[{"a":1.0e2,"b":"\\u00e9"},\n {"a" : 1E+2}]'
    assert read(written(tmp_path / "f", data)) == [b'{"a":1.0e2,"b":"\\u00e9"}', b'{"a" : 1E+2}']


def test_lines_are_counted_from_one_and_blank_ones_skipped(tmp_path: Path) -> None:
    file = written(tmp_path / "f", b'\n{"a":1}\n\n  \n{"a":2}\r\n')
    assert [(r.place, r.data) for r in read_records(file, lambda count: None)] == [(2, b'{"a":1}'), (5, b'{"a":2}')]


def test_a_broken_line_is_handed_on_and_its_neighbours_too(tmp_path: Path) -> None:
    assert read(written(tmp_path / "f", b'{"a":1}\n{"a":\n{"a":3}')) == [b'{"a":1}', b'{"a":', b'{"a":3}']
    assert read(written(tmp_path / "g", b'{"a":\n{"a":3}')) == [b'{"a":', b'{"a":3}']


@pytest.mark.parametrize("data", [b"", b"\n \n", b"[]", b" [ ] "])
def test_nothing_gives_nothing(tmp_path: Path, data: bytes) -> None:
    assert read(written(tmp_path / "f", data)) == []


@pytest.mark.parametrize("data", [b"[1,", b"[1 2]", b"[1] 2", b"[" * 100_000, b"\xff\xfe", b"["])
def test_no_json_is_handed_on_as_it_stands(tmp_path: Path, data: bytes) -> None:
    assert b"".join(read(written(tmp_path / "f", data))) == data.strip()


def test_a_byte_order_mark_is_no_part_of_the_record(tmp_path: Path) -> None:
    assert read(written(tmp_path / "f", b'\xef\xbb\xbf{"a":1}\n')) == [b'{"a":1}']


def test_a_broken_gzip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no whole gzip"):
        read(written(tmp_path / "f.gz", gzip.compress(b'{"a":1}\n' * 1000)[:-12]))


def test_progress_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path / "f.gz", gzip.compress(b'{"a":1}\n' * 50_000))
    counted: list[int] = []
    assert len(list(read_records(file, counted.append))) == 50_000
    assert sum(counted) == file.stat().st_size


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"a":1}\n{"a":2}\n')))
    assert read(Path("-")) == [b'{"a":1}', b'{"a":2}']
