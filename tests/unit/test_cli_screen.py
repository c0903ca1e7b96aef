"""What is written: tables for people, plain lines for pipes, and nothing that a name could smuggle in."""

from __future__ import annotations

import io
import json

import pytest

from lineage.cli.screen import Screen, printable, write_json


def screens() -> tuple[io.StringIO, Screen]:
    stream = io.StringIO()
    return stream, Screen(stream, terminal=False)


def test_a_pipe_gets_plain_aligned_text_without_trailing_space() -> None:
    stream, screen = screens()
    screen.table(("name", "count"), [("a" * 200, 1), ("b", 12345)], right=("count",))
    lines = stream.getvalue().splitlines()
    assert lines[1] == f"  {'a' * 200}       1"
    assert lines[2].split() == ["b", "12,345"]
    assert all(line == line.rstrip() and line.isascii() for line in lines)


def test_a_terminal_gets_lines_and_no_more_columns_than_say_something() -> None:
    stream = io.StringIO()
    Screen(stream, terminal=True).dense(("name", "evidence", "owners"), [("x", "declared", "")], usual=("declared",))
    told = stream.getvalue()
    assert "name" in told
    assert "evidence" not in told
    assert "owners" not in told
    assert "─" in told


def test_a_pipe_gets_every_column() -> None:
    stream, screen = screens()
    screen.dense(("name", "evidence", "owners"), [("x", "declared", "")], usual=("declared",))
    assert stream.getvalue().split() == ["name", "evidence", "owners", "x", "declared"]


@pytest.mark.parametrize("terminal", [True, False])
def test_names_are_never_interpreted(terminal: bool) -> None:
    stream = io.StringIO()
    screen = Screen(stream, terminal=terminal)
    hostile = "[bold]\x1b]0;title\x07\udcff\r\nnext"
    screen.line(hostile)
    screen.table(("[red]",), [(hostile,)])
    screen.pairs([("name", hostile)])
    told = stream.getvalue()
    assert told.count("[bold]") == 3
    assert "\x1b]" not in told
    assert "\x07" not in told
    assert "\\udcff" in told


def test_values_that_are_not_told_are_left_out_of_pairs() -> None:
    stream, screen = screens()
    screen.pairs([("a", None), ("long name", 0), ("b", ""), ("c", True)])
    assert stream.getvalue() == "  long name  0\n  c          yes\n"


def test_json_is_the_value_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    for value in ({"a": "é", "n": 2**70}, {"a": "\udcff"}):
        write_json(value)
        assert json.loads(capsys.readouterr().out) == value


def test_printable_text_stays_as_it_is() -> None:
    assert printable("s3://lake/注文") == "s3://lake/注文"
    assert printable("a\x00b\u2028") == "a\\x00b\\u2028"
