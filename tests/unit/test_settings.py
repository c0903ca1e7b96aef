"""The one settings class."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from lineage.errors import BadInputError
from lineage.settings import Settings, describe, is_loopback, read_settings


def test_every_setting_has_a_help_and_an_environment_variable() -> None:
    docs = describe()
    assert [doc.name for doc in docs] == list(Settings.model_fields)
    for doc in docs:
        assert doc.help.endswith(".")
        assert doc.environment == f"LINEAGE_{doc.name.upper()}"


def test_every_number_has_a_unit() -> None:
    for doc in describe():
        if isinstance(Settings.model_fields[doc.name].default, int | float) and doc.default not in ("true", "false"):
            assert doc.unit, doc.name


def test_the_documented_default_read_from_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for doc in describe():
        if Settings.model_fields[doc.name].default is not None:
            monkeypatch.setenv(doc.environment, doc.default)
    assert Settings() == Settings.model_construct()


def test_the_environment_beats_the_default_and_an_argument_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_PORT", "9000")
    monkeypatch.setenv("LINEAGE_ALLOWED_HOSTS", "lineage.example, graph")
    assert Settings().port == 9000
    assert Settings().allowed_hosts == ("lineage.example", "graph")
    assert Settings(port=9001, data=Path("elsewhere")).port == 9001


def test_an_api_key_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_API_KEY", "lineage_secret")
    assert "lineage_secret" not in repr(Settings())


@pytest.mark.parametrize(("name", "value"), [("port", 70000), ("max_event_bytes", 0), ("store", "access")])
def test_a_value_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: value})


@pytest.mark.parametrize(
    ("name", "value", "due"),
    [
        ("port", "http", "a whole number from 0 to 65535"),
        ("port", "70000", "a whole number from 0 to 65535"),
        ("port", "", "a whole number from 0 to 65535"),
        ("max_event_bytes", "1", "a whole number of at least 1024, in bytes"),
        ("body_timeout", "0", "a number larger than 0, in s"),
        ("feed_wait", "soon", "a number of at least 0, in s"),
        ("insecure", "maybe", "true or false"),
        ("store", "access", "one of sqlite, neo4j, memory"),
    ],
)
def test_a_setting_that_is_not_usable_says_which_what_came_and_what_is_due(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, due: str
) -> None:
    monkeypatch.setenv(f"LINEAGE_{name.upper()}", value)
    with pytest.raises(BadInputError) as caught:
        read_settings({"data": Path("elsewhere")})
    assert caught.value.message == f'The setting {name} must be {due}, but is "{value}".'
    assert caught.value.field == name
    assert f"LINEAGE_{name.upper()}" in caught.value.hint
    assert next(doc.default for doc in describe() if doc.name == name) in caught.value.hint


def test_every_number_says_its_bounds() -> None:
    for doc in describe():
        field = Settings.model_fields[doc.name]
        if field.annotation in (int, float):
            with pytest.raises(BadInputError, match=r" of at least | larger than | from 0 to "):
                read_settings({doc.name: "none"})


def test_a_long_value_is_cut() -> None:
    with pytest.raises(BadInputError) as caught:
        read_settings({"port": "x" * 10_000})
    assert len(str(caught.value)) < 300


def test_what_is_given_beats_the_environment_unless_it_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_PORT", "9000")
    assert read_settings().port == read_settings({"port": None}).port == 9000
    assert read_settings({"port": 9001}).port == 9001


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    assert is_loopback(host)
    assert Settings(host=host).loopback


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.168.1.1", "example.org", "localhost.example.org", "127.0.0.1.nip.io"]
)
def test_anything_else_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)
