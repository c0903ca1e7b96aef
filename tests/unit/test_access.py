"""API keys."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.access import TOKEN_PREFIX, KeyRing, Sender
from lineage.errors import BadInputError, DataFolderError, NotFoundError, UnauthenticatedError


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys.json")


def test_a_key_names_its_sender(ring: KeyRing) -> None:
    airflow, spark = ring.new("airflow"), ring.new("spark")
    assert ring.authenticate(f"Bearer {airflow}") == Sender("airflow")
    assert ring.authenticate(f"bearer  {spark}") == Sender("spark")


def test_the_token_is_not_in_the_file(ring: KeyRing, tmp_path: Path) -> None:
    token = ring.new("airflow")
    held = (tmp_path / "keys.json").read_text()
    assert token not in held
    assert token[len(TOKEN_PREFIX) :] not in held


def test_the_key_file_is_for_its_owner_only(ring: KeyRing, tmp_path: Path) -> None:
    ring.new("airflow")
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_the_same_name_may_have_two_keys_while_one_is_changed(ring: KeyRing) -> None:
    old, new = ring.new("airflow"), ring.new("airflow")
    first = ring.list()[0]
    ring.revoke(first.id)
    with pytest.raises(UnauthenticatedError, match="revoked"):
        ring.authenticate(f"Bearer {old}")
    assert ring.authenticate(f"Bearer {new}") == Sender("airflow")


def test_revoking_a_name_revokes_all_its_keys(ring: KeyRing) -> None:
    tokens = [ring.new("airflow"), ring.new("airflow")]
    assert len(ring.revoke("airflow")) == 2
    for token in tokens:
        with pytest.raises(UnauthenticatedError):
            ring.authenticate(f"Bearer {token}")


def test_revoking_twice_or_the_unknown_is_said(ring: KeyRing) -> None:
    ring.new("airflow")
    ring.revoke("airflow")
    for name in ("airflow", "dbt"):
        with pytest.raises(NotFoundError):
            ring.revoke(name)


def test_revoking_the_last_key_does_not_open_the_server(ring: KeyRing) -> None:
    assert not ring.in_use()
    ring.new("airflow")
    ring.revoke("airflow")
    assert ring.in_use()


def test_a_server_sees_keys_made_and_revoked_beside_it(tmp_path: Path) -> None:
    server, shell = KeyRing(tmp_path / "keys.json", look_every=0), KeyRing(tmp_path / "keys.json")
    assert not server.in_use()
    token = shell.new("airflow")
    assert server.authenticate(f"Bearer {token}") == Sender("airflow")
    shell.revoke("airflow")
    with pytest.raises(UnauthenticatedError):
        server.authenticate(f"Bearer {token}")


def test_a_server_looks_again_after_a_while_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    seldom, often = KeyRing(path, look_every=3600), KeyRing(path, look_every=0.01)
    assert not seldom.in_use()
    assert not often.in_use()
    KeyRing(path).new("airflow")
    time.sleep(0.02)
    assert not seldom.in_use()
    assert often.in_use()


def test_a_key_of_another_ring_is_unknown(tmp_path: Path, ring: KeyRing) -> None:
    ring.new("airflow")
    foreign = KeyRing(tmp_path / "other.json").new("airflow")
    with pytest.raises(UnauthenticatedError, match="not known"):
        ring.authenticate(f"Bearer {foreign}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer lineage_", "Bearer lineage_é"])
def test_what_is_no_key_is_refused(ring: KeyRing, header: str | None) -> None:
    ring.new("airflow")
    with pytest.raises(UnauthenticatedError):
        ring.authenticate(header)


def test_what_is_sent_in_place_of_a_key_is_not_repeated(ring: KeyRing) -> None:
    token = ring.new("airflow")
    for header in (token, f"{token} x", f"Basic {token}", f"Bearer {token}x"):
        with pytest.raises(UnauthenticatedError) as caught:
            ring.authenticate(header)
        assert token[:20] not in str(caught.value)


@given(place=st.integers(0, 47), letter=st.sampled_from("ABCDwxyz0189-_"))
def test_a_mistyped_key_is_told_from_an_unknown_one(
    tmp_path_factory: pytest.TempPathFactory, place: int, letter: str
) -> None:
    ring = KeyRing(tmp_path_factory.getbasetemp() / "mistyped.json")
    token = ring.new("airflow")
    place += len(TOKEN_PREFIX)
    wrong = token[:place] + letter + token[place + 1 :]
    if wrong == token:
        assert ring.authenticate(f"Bearer {wrong}") == Sender("airflow")
    else:
        with pytest.raises(UnauthenticatedError, match="not the whole"):
            ring.authenticate(f"Bearer {wrong}")
    (tmp_path_factory.getbasetemp() / "mistyped.json").unlink()


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, " padded "])
def test_a_name_that_would_not_read_well_is_refused(ring: KeyRing, name: str) -> None:
    with pytest.raises(BadInputError):
        ring.new(name)


def test_keys_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    threads = [threading.Thread(target=KeyRing(path).new, args=(f"sender {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key.name for key in KeyRing(path).list()} == {f"sender {n}" for n in range(8)}


@pytest.mark.parametrize("held", ["", "{}", "[]", json.dumps({"format": 2, "secret": "", "keys": []})])
def test_a_damaged_key_file_stops_the_server_and_opens_nothing(tmp_path: Path, held: str) -> None:
    (tmp_path / "keys.json").write_text(held)
    with pytest.raises(DataFolderError):
        KeyRing(tmp_path / "keys.json").in_use()
