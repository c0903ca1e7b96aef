"""The one settings class."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from lineage.settings import Settings, describe, is_loopback


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


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    assert is_loopback(host)
    assert Settings(host=host).loopback


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.168.1.1", "example.org", "localhost.example.org", "127.0.0.1.nip.io"]
)
def test_anything_else_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)
