"""What is particular to the SQLite file: what it refuses, reads without owning, and how it packs."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.body import decode_node, encode_node
from lineage.errors import DataFolderError, UnavailableError
from lineage.keys import Base, dataset_key, store_key
from lineage.model import Changes, Dataset, Digest, Edge, EdgeKind, Flow, Gap, NameScope, Version
from lineage.sqlite import SQLiteStore
from lineage.sqlite.text import pack, unpack
from lineage.store import Direction, Level, Limits

ORDERS = Dataset(dataset_key("db", "orders"), "db", "orders")
UUID = "01890000-0000-7000-8000-00000000abcd"


def some() -> Changes:
    return Changes(nodes={ORDERS.key: ORDERS}, names={(NameScope.KEY, "0f" * 16, ORDERS.key): True})


def filled(path: Path) -> Path:
    store = SQLiteStore(path)
    store.apply(some(), 3)
    store.close()
    return path


def test_foreign_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "graph.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE node (mine)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DataFolderError):
        SQLiteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_file_that_is_no_database_is_refused(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "graph.sqlite"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(DataFolderError):
        SQLiteStore(path, read_only=read_only)


def test_damaged_page_is_said_to_be_damage(tmp_path: Path) -> None:
    path = filled(tmp_path / "graph.sqlite")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    store = SQLiteStore(path)
    with pytest.raises(DataFolderError), store.reader() as reader:
        reader.fetch([ORDERS.key])
    store.close()


def test_missing_folder_and_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError):
        SQLiteStore(tmp_path / "absent" / "graph.sqlite")
    with pytest.raises(DataFolderError):
        SQLiteStore(tmp_path / "graph.sqlite", read_only=True)


def test_read_only_store_reads_what_its_owner_writes(tmp_path: Path) -> None:
    owner = SQLiteStore(tmp_path / "graph.sqlite")
    owner.apply(some(), 3)
    guest = SQLiteStore(tmp_path / "graph.sqlite", read_only=True)
    with guest.reader() as reader:
        assert reader.fetch([ORDERS.key]) == [ORDERS]
    owner.apply(Changes(), 4)
    assert guest.watermark() == 4
    with pytest.raises(UnavailableError):
        guest.apply(Changes(), 5)
    guest.close()
    owner.close()


def test_read_only_opens_after_its_owner_is_gone(tmp_path: Path) -> None:
    guest = SQLiteStore(filled(tmp_path / "graph.sqlite"), read_only=True)
    assert guest.watermark() == 3
    guest.close()


def test_file_of_another_layout_is_emptied_but_not_by_a_reader(tmp_path: Path) -> None:
    path = filled(tmp_path / "graph.sqlite")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(DataFolderError):
        SQLiteStore(path, read_only=True)
    store = SQLiteStore(path)
    assert store.watermark() == 0
    store.apply(some(), 3)
    store.close()


def test_closed_store_is_unavailable(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "graph.sqlite")
    store.close()
    store.close()
    with pytest.raises(UnavailableError):
        store.apply(Changes(), 1)
    with pytest.raises(UnavailableError):
        store.watermark()


def test_list_that_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "graph.sqlite")
    flow = Flow(store_key(Base.FLOW, "f"), None, None)
    edge = Edge(EdgeKind.FEEDS, ORDERS.key, flow.key, at=1 << 70)
    with pytest.raises(OverflowError):
        store.apply(Changes(nodes={ORDERS.key: ORDERS, flow.key: flow}, edges={edge.key: edge}), 1)
    assert store.watermark() == 0
    store.apply(some(), 1)
    with store.reader() as reader:
        assert reader.fetch([ORDERS.key, flow.key]) == [ORDERS, None]
        assert reader.count()["DATASET"] == 1
        assert reader.count()["FLOW"] == 0
    store.close()


def test_erased_text_leaves_the_file_with_clear(tmp_path: Path) -> None:
    path = tmp_path / "graph.sqlite"
    store = SQLiteStore(path)
    store.apply(Changes(nodes={ORDERS.key: Dataset(ORDERS.key, "db", "a-name-to-forget")}), 1)
    store.clear()
    store.close()
    assert b"a-name-to-forget" not in path.read_bytes()


def test_deadline_stops_inside_a_long_level_of_rows(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "graph.sqlite")
    hub = Version(store_key(Base.VERSION, "hub"), ORDERS.key, "db", "orders", 0)
    flows = [Flow(store_key(Base.FLOW, str(i)), None, None) for i in range(30_000)]
    edges = [Edge(EdgeKind.READ_BY, hub.key, flow.key) for flow in flows]
    nodes = {node.key: node for node in (hub, *flows)}
    store.apply(Changes(nodes=nodes, edges={edge.key: edge for edge in edges}), 1)
    guest = SQLiteStore(tmp_path / "graph.sqlite", read_only=True)
    with guest.reader() as reader:
        deadline = time.monotonic() + 0.005
        cut = reader.reach(Level.VERSION, [hub.key], Direction.DOWNSTREAM, limits=Limits(deadline=deadline))
    guest.close()
    store.close()
    assert cut.cut == "TIME"
    assert len(cut) < len(flows)
    assert set(cut.distances.tolist()) <= {1}


def test_reader_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    store = SQLiteStore(filled(tmp_path / "graph.sqlite"))
    done = threading.Event()
    with store._database.writing() as connection:
        connection.execute("UPDATE state SET watermark = 9")
        thread = threading.Thread(target=lambda: store.watermark() == 3 and done.set())
        thread.start()
        assert done.wait(5)
    thread.join()
    assert store.watermark() == 9
    store.close()


def test_integers_past_64_bits_survive() -> None:
    node = Version(b"k" * 16, b"d" * 16, "n", "m", 1, run=b"r" * 16, card={"a": [2**70, -(2**70), 1.5]})
    assert decode_node(node.key, Base.VERSION, encode_node(node)) == node


def test_nested_values_survive() -> None:
    digest = Digest("sha256", "0f", "FULL", "file", rows=3)
    node = Version(b"k" * 16, b"d" * 16, "n", "m", 1, digests=(digest,), gaps=(Gap("CLOSE", "two"),))
    assert decode_node(node.key, Base.VERSION, encode_node(node)) == node


hexadecimal = st.text("0123456789abcdefABCDEF", max_size=40)


@given(st.text() | hexadecimal | hexadecimal.map("sha256:".__add__) | st.uuids().map(str), st.text() | hexadecimal)
def test_packed_text_comes_back_and_is_never_another(text: str, other: str) -> None:
    assert unpack(pack(text)) == text
    assert text == other or pack(text) != pack(other)


def test_hashes_and_uuids_pack_short() -> None:
    assert [len(pack(text)) for text in ("0f" * 16, UUID, "sha256:" + "0f" * 32)] == [17, 17, 33]
    assert pack(UUID.upper()) == UUID.upper()


def test_a_store_that_could_not_give_its_space_back_is_empty_all_the_same(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "graph.sqlite")
    try:
        nodes = [Dataset(dataset_key("db", name), "db", name) for name in "ab"]
        told = Changes({node.key: node for node in nodes}, {}, {})
        store.apply(told, 1)
        writer = store._database._writer
        assert writer is not None

        def refuse(_cursor: object, sql: str, _bindings: object) -> bool:
            if sql.startswith("VACUUM"):
                raise apsw.FullError("no space")
            return True

        writer.exec_trace = refuse
        with pytest.raises(UnavailableError):
            store.clear()
        writer.exec_trace = None
        store.apply(told, 1)
        with store.reader() as reader:
            assert all(reader.fetch(list(told.nodes)))
            assert reader.count()["DATASET"] == 2
    finally:
        store.close()
