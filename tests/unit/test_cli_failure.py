"""From errors to exit codes and sentences."""

from __future__ import annotations

import re

import pytest

from lineage import errors
from lineage.cli import failure
from lineage.cli.failure import Exit, error_of, exit_of, fault, missing_parts, os_failure, report, told_error
from lineage.errors import LineageError


def every_code() -> set[str]:
    assert errors.__doc__
    return set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", errors.__doc__)) | {"UNAVAILABLE", "UNAUTHENTICATED", "TIMEOUT"}


def test_every_code_comes_back_as_an_error_that_bears_it() -> None:
    for code in every_code():
        assert error_of(code, "So.").code == code


def test_a_code_that_is_not_known_is_an_error_all_the_same() -> None:
    error = told_error({"code": "INTERNAL"}, "Something went wrong inside.")
    assert (error.message, exit_of(error)) == ("Something went wrong inside.", Exit.ERROR)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("NOT_FOUND", 3), ("BAD_INPUT", 2), ("INVALID_SUBJECT", 2), ("UNAVAILABLE", 1), ("TIMEOUT", 1)],
)
def test_exit_codes(code: str, expected: int) -> None:
    assert exit_of(error_of(code, "So.")) == expected


def test_a_report_is_a_sentence_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(LineageError("It is\x1b[31m so.", hint="Do this.")) == Exit.ERROR
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "lineage: It is\\x1b[31m so.\n  Do this.\n"


@pytest.mark.parametrize(
    ("module", "says"), [("fastapi", "[server]"), ("apsw.ext", "[server]"), ("sklearn.datasets", "[demo]")]
)
def test_missing_modules_say_what_to_install(module: str, says: str) -> None:
    assert says in missing_parts(ModuleNotFoundError("no", name=module)).hint


def test_what_the_system_refuses_names_the_file() -> None:
    error = os_failure(FileNotFoundError(2, "No such file or directory", "a.json"))
    assert error.message == "a.json: No such file or directory."


def test_a_fault_of_the_program_says_so() -> None:
    assert "KeyError" in fault(KeyError("x")).message
    assert "-X dev" in fault(KeyError("x")).hint


def test_the_table_holds_only_codes_that_exist() -> None:
    assert set(failure.EXITS) <= {kind.code for kind in failure._by_code().values()}
