"""Keys on the command line: what is said when there is no ledger, no key left, or no key at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineage import app
from lineage.access import KeyRing
from lineage.cli.program import run
from lineage.errors import UnauthenticatedError
from lineage.settings import Settings

Told = pytest.CaptureFixture[str]


def test_a_key_for_a_folder_without_a_ledger_is_made_and_said_to_be_so(tmp_path: Path, capsys: Told) -> None:
    assert run(["keys", "new", "a", "--data", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert f"There is no ledger in {tmp_path} yet" in told.err
    assert f"`--data {tmp_path}`" in told.err
    sender = KeyRing(tmp_path / "keys.json").authenticate(f"Bearer {told.out.strip()}")
    assert sender.name == "a"
    (tmp_path / "ledger.sqlite").touch()
    assert run(["keys", "new", "b", "--data", str(tmp_path)]) == 0
    assert "no ledger" not in capsys.readouterr().err


def test_revoking_the_last_key_says_that_the_server_is_locked(tmp_path: Path, capsys: Told) -> None:
    for name in ("a", "b"):
        run(["keys", "new", name, "--data", str(tmp_path)])
    capsys.readouterr()
    assert run(["keys", "revoke", "a", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    assert run(["keys", "revoke", "b", "--data", str(tmp_path)]) == 0
    told = capsys.readouterr().err
    assert "refuses everybody until a new one is made" in told
    assert f"lineage keys new NAME --data {tmp_path}" in told


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer no"])
def test_who_is_refused_is_told_how_a_key_is_made(tmp_path: Path, header: str | None) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        KeyRing(tmp_path / "keys.json").authenticate(header)
    assert "`lineage keys new NAME --data FOLDER`" in caught.value.hint
    assert "on the server's machine" in caught.value.hint


def ready(monkeypatch: pytest.MonkeyPatch, capsys: Told, *words: str) -> str:
    """What ``lineage serve`` says on standard error when it is ready."""
    told: list[Settings] = []

    def serve(settings: Settings, on_ready: object, *, adopt: bool) -> None:
        assert not adopt
        told.append(settings)
        assert callable(on_ready)
        on_ready("http://there")

    monkeypatch.setattr(app, "serve", serve)
    assert run(["serve", *words]) == 0
    assert told
    return capsys.readouterr().err


def test_a_server_that_will_refuse_everybody_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    words = ("--host", "0.0.0.0", "--data", str(tmp_path))
    told = ready(monkeypatch, capsys, *words)
    assert "every request will be refused until a key is made" in told
    assert f"lineage keys new NAME --data {tmp_path}" in told
    assert "Lineage serves" in told
    for quiet in (["--insecure", *words], ["--data", str(tmp_path)]):
        assert "refused" not in ready(monkeypatch, capsys, *quiet)
    run(["keys", "new", "a", "--data", str(tmp_path)])
    assert "refused" not in ready(monkeypatch, capsys, *words)
    run(["keys", "revoke", "a", "--data", str(tmp_path)])
    assert "All API keys are revoked: every request will be refused" in ready(monkeypatch, capsys, *words)
