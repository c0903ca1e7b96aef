"""Every binding and every gap code that the fold gives, each by the smallest story that has it.

``NO_CONTENT_HASH``, ``NO_CODE_VERSION``, ``NO_ROLLOUT``, ``CONFLICTING_RECORDS``, ``ERASED`` are for answers to give,
as is ``UNDIVIDED``, which the fold marks on the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lineage.model import Binding, Gap, GapCode
from tests.unit.fold_rules.story import SPARK, Run, Told, dataset_event, made, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]
Parts = Sequence[Run | Told]


def failed(short: str, output: str, start: float, end: float) -> Run:
    """A run that failed to write."""
    return run(short).writes(output).start(start).fail(end)


def renames(short: str, old: str, new: str, start: float, end: float) -> Run:
    """A run that renames a dataset."""
    return run(short).writes(new, renamed_from=old).start(start).complete(end)


def appends(short: str, output: str, start: float, end: float) -> Run:
    """A run of which the dialect says that it appends."""
    return run(short, producer=SPARK).writes(output).start(start).complete(end)


BINDINGS: dict[Binding, Parts] = {
    Binding.DECLARED: [made("r1", "a", 0, 5, version="v1"), seen("r2", "a", 20, version="v1")],
    Binding.HASH: [made("r1", "a", 0, 5, digest="h1"), seen("r2", "a", 20, digest="h1")],
    Binding.BUILDS_ON: [made("r1", "a", 0, 5), appends("r2", "a", 20, 25)],
    Binding.RENAME: [made("r1", "a", 0, 5), renames("r2", "a", "b", 20, 25)],
    Binding.INFERRED: [made("r1", "a", 0, 5), seen("r2", "a", 20, version="v1")],
    Binding.TIME: [made("r1", "a", 0, 5), seen("r2", "a", 20)],
    Binding.AS_FOUND: [seen("r2", "a", 20)],
}

ON_READS: dict[GapCode, Parts] = {
    GapCode.TIME_BINDING: BINDINGS[Binding.TIME],
    GapCode.CLOSE: [made("r0", "a", 0, 5), made("r1", "a", 10, 21), seen("r2", "a", 20)],
    GapCode.UNCERTAIN: [made("r0", "a", 0, 5), failed("r1", "a", 10, 15), seen("r2", "a", 20)],
    GapCode.NO_PRODUCER: BINDINGS[Binding.AS_FOUND],
    GapCode.CONTENT_CHANGED_OUTSIDE: [made("r1", "a", 0, 5, digest="h1"), seen("r2", "a", 20, digest="h2")],
    GapCode.INFERRED: BINDINGS[Binding.INFERRED],
}

ON_VERSIONS: dict[GapCode, tuple[str, Parts]] = {
    GapCode.UNCERTAIN: ("a@r1", [failed("r1", "a", 0, 5)]),
    GapCode.VERSION_CLAIMED_TWICE: (
        "a@r2",
        [made("r1", "a", 0, 5, version="v1"), made("r2", "a", 10, 15, version="v1", lifecycle="OVERWRITE")],
    ),
    GapCode.WRITER_NOT_ENDED: ("a@r1", [run("r1").writes("a").start(0)]),
    GapCode.WRITE_MODE_UNKNOWN: ("a@r2", [made("r1", "a", 0, 5), made("r2", "a", 10, 15)]),
}

ON_RUNS: dict[GapCode, tuple[str, Parts]] = {
    GapCode.DROPPED: ("r2", [made("r1", "a", 0, 5, lifecycle="DROP"), seen("r2", "a", 20)]),
    GapCode.ROLLOUT_NOT_ENDED: (
        "s1",
        [run("s1", job="job-s1", kind="SERVICE").start(0), run("s2", job="job-s1", kind="SERVICE").start(50)],
    ),
}


def is_sentence(gap: Gap) -> bool:
    """Whether a person can read it."""
    return " " in gap.message and gap.message != gap.code and "None" not in gap.message


@pytest.mark.parametrize("binding", list(Binding))
def test_each_binding_is_told(fold: Fold, binding: Binding) -> None:
    """R13, R12 f, R15, R16: the one read says how it found its version."""
    (read,) = fold(*BINDINGS[binding]).reads("r2")
    assert read.edge.binding is binding


@pytest.mark.parametrize("code", list(ON_READS))
def test_each_gap_of_a_read_is_told(fold: Fold, code: GapCode) -> None:
    """The gap stands on the read that has it, and says to a person what is not known."""
    (read,) = fold(*ON_READS[code]).reads("r2")
    assert code in read.gaps
    assert all(is_sentence(gap) for gap in read.edge.gaps)


@pytest.mark.parametrize("code", list(ON_VERSIONS))
def test_each_gap_of_a_version_is_told(fold: Fold, code: GapCode) -> None:
    """The gap stands on the version that has it, and nothing else does."""
    label, parts = ON_VERSIONS[code]
    world = fold(*parts)
    assert world.version_gaps(label) == {code}
    assert all(is_sentence(gap) for gap in world.version(label).gaps)


@pytest.mark.parametrize("code", list(ON_RUNS))
def test_each_gap_of_a_run_is_told(fold: Fold, code: GapCode) -> None:
    """The gap stands on the run that has it."""
    short, parts = ON_RUNS[code]
    world = fold(*parts)
    assert world.gaps(short) == {code}
    assert all(is_sentence(gap) for gap in world.run(short).gaps)


def test_the_gap_of_a_dataset_is_told(fold: Fold) -> None:
    """R2: on each dataset that is not joined, and on the run that names one."""
    world = fold(dataset_event("a", 0, symlinks=["t"]), dataset_event("b", 0, symlinks=["t"]), seen("r2", "t", 20))
    assert world.dataset_gaps("a") == world.dataset_gaps("b") == world.dataset_gaps("t") == {"ALIAS_CONFLICT"}
    assert "ALIAS_CONFLICT" in world.gaps("r2")


def test_a_clean_story_has_no_gap(fold: Fold) -> None:
    """Nothing is left open where everything is told."""
    world = fold(made("r1", "a", 0, 5, version="v1"), seen("r2", "a", 20, version="v1"))
    assert world.read("r2", "a").gaps == set()
    assert world.gaps("r1") == world.gaps("r2") == set()
    assert world.version_gaps("a@r1") == world.version_gaps("by-r2@r2") == set()
    assert world.dataset_gaps("a") == set()
