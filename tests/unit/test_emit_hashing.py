"""Content hashes of files, directories and tables."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_ingest.emit import ContentMovingError, HashingError, hash_csv, hash_file, hash_path, hash_table, hash_tree
from lineage_ingest.emit import digest as digest_module
from lineage_ingest.emit import table as table_module
from lineage_ingest.emit.digest import FileState
from lineage_ingest.emit.tree import MAGIC, TreeEntry, encode_tree

ENTRIES = st.lists(
    st.builds(
        TreeEntry,
        st.sampled_from([b"f", b"l"]),
        st.binary(min_size=1, max_size=6),
        st.integers(0, 2**40),
        st.binary(min_size=32, max_size=32),
    ),
    unique_by=lambda entry: entry.path,
    max_size=6,
)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=5).filter(
    lambda name: name not in (".", "..")
)
FILES = st.dictionaries(st.tuples(NAMES) | st.tuples(NAMES, NAMES), st.binary(max_size=20), max_size=4).filter(
    lambda files: not any(path[:1] in files for path in files if len(path) == 2)
)
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(allow_nan=False)
)


def write_tree(root: Path, files: dict[tuple[str, ...], bytes]) -> Path:
    for path, content in files.items():
        target = root.joinpath(*path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return root


def decode_tree(encoded: bytes) -> list[TreeEntry]:
    rest = encoded.removeprefix(MAGIC)
    entries = []
    while rest:
        kind, length, rest = rest[:1], int.from_bytes(rest[1:9]), rest[9:]
        path, rest = rest[:length], rest[length:]
        entries.append(TreeEntry(kind, path, int.from_bytes(rest[:8]), rest[8:40]))
        rest = rest[40:]
    return entries


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", bytes(300_000)])
def test_file_hash_is_the_sha256_of_its_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data"
    path.write_bytes(content)
    hashed = hash_file(path)
    assert (hashed.digest, hashed.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (hashed.algorithm, hashed.scope, hashed.method, hashed.rows) == ("sha256", "FULL", "file", None)


def test_what_can_not_be_hashed_is_said_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HashingError, match="no regular file"):
        hash_file(tmp_path / "pipe")
    with pytest.raises(HashingError, match="No such file"):
        hash_path(tmp_path / "absent")
    with pytest.raises(HashingError, match="no regular file"):
        hash_tree(tmp_path)


class Writer:
    """Rewrites a file each time that it is looked at, for so many looks."""

    def __init__(self, path: Path, times: int) -> None:
        self.path, self.times, self.looks = path, times, 0

    def __call__(self, status: os.stat_result) -> FileState:
        self.looks += 1
        state = FileState(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if self.looks <= self.times:
            self.path.write_bytes(b"x" * (10 + self.looks))
        return state


def test_file_that_changes_once_meanwhile_is_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"before")
    monkeypatch.setattr(digest_module.FileState, "of", Writer(path, 1))
    assert hash_file(path).digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_file_that_never_rests_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"before")
    monkeypatch.setattr(digest_module.FileState, "of", Writer(path, 1_000))
    with pytest.raises(ContentMovingError, match="changed"):
        hash_file(path)
    with pytest.raises(ContentMovingError, match="changed"):
        hash_tree(tmp_path)


@settings(deadline=None, max_examples=60)
@given(ENTRIES)
def test_tree_encoding_can_be_read_back_so_no_two_trees_share_one(entries: list[TreeEntry]) -> None:
    assert decode_tree(b"".join(encode_tree(entries))) == sorted(entries, key=lambda entry: entry.path)


@settings(deadline=None, max_examples=60)
@given(FILES, FILES)
def test_directories_hash_alike_exactly_when_their_files_are_alike(
    one: dict[tuple[str, ...], bytes], other: dict[tuple[str, ...], bytes]
) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        hashes = [hash_tree(write_tree(Path(first), one)), hash_tree(write_tree(Path(second), other))]
    assert (hashes[0] == hashes[1]) == (one == other)


@settings(deadline=None, max_examples=60)
@given(FILES)
def test_order_of_creation_does_not_change_a_tree_hash(files: dict[tuple[str, ...], bytes]) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        backwards = dict(reversed(files.items()))
        assert hash_tree(write_tree(Path(first), files)) == hash_tree(write_tree(Path(second), backwards))


def test_order_of_listing_does_not_change_a_tree_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {("b", "x"): b"1", ("a", "y"): b"2", ("c",): b"3", ("d",): b"4"})
    expected, walk = hash_tree(tmp_path), os.walk
    monkeypatch.setattr(
        os, "walk", lambda *args, **options: reversed([(a, b, c[::-1]) for a, b, c in walk(*args, **options)])
    )
    assert hash_tree(tmp_path) == expected


def test_times_permissions_and_empty_directories_leave_no_trace(tmp_path: Path) -> None:
    write_tree(tmp_path, {("run.sh",): b"echo"})
    before = hash_tree(tmp_path)
    (tmp_path / "run.sh").chmod(0o755)
    os.utime(tmp_path / "run.sh", (1, 1))
    (tmp_path / "empty" / "below").mkdir(parents=True)
    assert hash_tree(tmp_path) == before


def test_names_of_one_look_in_two_unicode_forms_are_two_names(tmp_path: Path) -> None:
    composed = write_tree(tmp_path / "nfc", {("caf\u00e9",): b""})
    decomposed = write_tree(tmp_path / "nfd", {("cafe\u0301",): b""})
    assert hash_tree(composed) != hash_tree(decomposed)


def test_name_that_is_no_utf8_is_hashed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"1")
    assert hash_tree(tmp_path).bytes == 1


def test_link_to_a_file_counts_as_the_file(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"weights")
    linked, copied = tmp_path / "linked", write_tree(tmp_path / "copied", {("model",): b"weights"})
    linked.mkdir()
    (linked / "model").symlink_to("../blob")
    assert hash_tree(linked) == hash_tree(copied)


def test_loops_end_and_dangling_links_count_by_their_target(tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", {("a", "x"): b"1"})
    tree = tmp_path / "tree"
    (tree / "a" / "up").symlink_to("..")
    (tree / "gone").symlink_to("nowhere")
    before = hash_tree(tree)
    assert before.bytes == 1
    (tree / "gone").unlink()
    (tree / "gone").symlink_to("elsewhere")
    assert hash_tree(tree) != before


def test_link_out_of_the_tree_to_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree" / "out").symlink_to("../outside")
    with pytest.raises(HashingError, match="outside of"):
        hash_tree(tmp_path / "tree")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=8), st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_does_not_change_a_table_hash(
    rows: list[tuple[object, object]], random: object
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    expected = hash_table(["a", "b"], rows)
    assert hash_table(["b", "a"], [(b, a) for a, b in shuffled]) == expected
    assert expected.rows == len(rows)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=3), max_size=5), st.lists(st.text(max_size=3), max_size=5))
def test_tables_hash_alike_exactly_when_they_hold_the_same_rows(one: list[str], other: list[str]) -> None:
    same = hash_table(["a"], [[x] for x in one]) == hash_table(["a"], [[x] for x in other])
    assert same == (sorted(one) == sorted(other))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 30), max_size=40))
def test_table_that_does_not_fit_in_memory_hashes_the_same(numbers: list[int]) -> None:
    rows = [[number] for number in numbers]
    expected = hash_table(["n"], rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_module, "ROWS_IN_MEMORY", 3)
        assert hash_table(["n"], rows) == expected


SAME = [
    (1, 1.0),
    (1, Decimal("1.00")),
    (0, -0.0),
    (0.5, Decimal("0.50")),
    (np.float64(2.5), 2.5),
    (np.int32(7), 7),
    (
        datetime(2026, 5, 1, 12, tzinfo=UTC),
        datetime(2026, 5, 1, 14, tzinfo=timezone(timedelta(hours=2))),
    ),
]
DIFFERENT = [
    (1, "1"),
    (1, True),
    (0, None),
    ("", None),
    ("a", b"a"),
    (0.1, Decimal("0.1")),
    (date(2026, 5, 1), datetime(2026, 5, 1)),
    (datetime(2026, 5, 1), datetime(2026, 5, 1, tzinfo=UTC)),
    (float("inf"), float("-inf")),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_values_that_are_equal_in_meaning_hash_alike(one: object, other: object) -> None:
    assert hash_table(["v"], [[one]]) == hash_table(["v"], [[other]])


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_values_of_different_meaning_hash_differently(one: object, other: object) -> None:
    assert hash_table(["v"], [[one]]) != hash_table(["v"], [[other]])


def test_value_that_moves_to_another_column_changes_the_hash() -> None:
    assert hash_table(["a", "b"], [["x", ""]]) != hash_table(["a", "b"], [["", "x"]])


def test_table_that_is_none_is_refused_with_the_row_named() -> None:
    with pytest.raises(HashingError, match="share a name"):
        hash_table(["a", "a"], [])
    with pytest.raises(HashingError, match="Row 1 has 1 values"):
        hash_table(["a", "b"], [[1, 2], [1]])
    with pytest.raises(HashingError, match="Row 0 can't be hashed: object has no canonical form"):
        hash_table(["a"], [[object()]])
    with pytest.raises(HashingError, match="longdouble"):
        hash_table(["a"], [[np.longdouble(1)]])


def test_csv_is_hashed_by_its_rows(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("id,name\n1,ann\n2,bob\n")
    (tmp_path / "other.csv").write_text('name,id\r\n"bob",2\r\nann,1\r\n')
    assert hash_csv(tmp_path / "one.csv") == hash_csv(tmp_path / "other.csv")
    assert hash_csv(tmp_path / "one.csv") == hash_table(["id", "name"], [["1", "ann"], ["2", "bob"]])
    with pytest.raises(HashingError, match="can't be read as CSV"):
        hash_csv(tmp_path / "absent.csv")
