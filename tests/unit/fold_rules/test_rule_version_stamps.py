"""R10 to R15 as one property: stamps that come late and twice give no false path, and lose none.

The oracle is the table itself: write ``i`` puts the rows of its own source into it, on top of what was there (append)
or instead (overwrite), and whoever reads the table reads the rows of those sources. What events tell of versions is
what real producers tell: nothing at all, the version at the end only, the state before the write, or the next writer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fold_rules.story import SPARK, Run, encoded, run
from tests.unit.fold_rules.world import World, world_of


class Mode(Enum):
    """What a write does with what was there, and how that is told."""

    READS = "reads the table that it appends to"
    SILENT_SPARK = "appends, as Spark does without a word"
    OVERWRITE = "says that it overwrites"
    SILENT = "overwrites without a word"

    @property
    def appends(self) -> bool:
        return self in (Mode.READS, Mode.SILENT_SPARK)


class Stamp(Enum):
    """What a write tells of its version."""

    NONE = "nothing"
    LATE = "START without, COMPLETE with"
    TWICE = "START and COMPLETE with"
    OLD_FIRST = "START tells the state before, COMPLETE its own"
    OLD = "only the state before"
    NEXT = "COMPLETE was built after the next write, and tells that"

    @property
    def is_own(self) -> bool:
        return self in (Stamp.LATE, Stamp.TWICE, Stamp.OLD_FIRST)


class Telling(Enum):
    """What a reader tells of the version that it read."""

    NONE = "nothing"
    START = "START with"
    LATE = "START without, COMPLETE with"
    THEN_NEWER = "START its own, COMPLETE the state by then"


@dataclass(frozen=True)
class Reader:
    """A read in the window after write ``window``, of what write ``of`` left."""

    short: str
    window: int
    of: int
    telling: Telling


@dataclass(frozen=True)
class History:
    """The writes of one table, and the readers in each window."""

    modes: list[Mode]
    stamps: list[Stamp]
    inputs: list[Telling]
    readers: list[Reader]

    def rows(self, write: int) -> set[str]:
        """The sources whose rows are in the table after a write."""
        mine = {f"s{write}"}
        return mine | self.rows(write - 1) if write and self.modes[write].appends else mine

    def declares(self, write: int) -> bool:
        """Whether anybody declares the version of a write as read before the next write begins."""
        return any(r.of == r.window == write and r.telling is not Telling.NONE for r in self.readers)

    def parts(self) -> list[Run]:
        """All runs. Window ``i`` begins at second 100 * i, its write ends ten seconds later."""
        return [self._write(i) for i in range(len(self.modes))] + [self._read(reader) for reader in self.readers]

    def _write(self, i: int) -> Run:
        mode, stamp = self.modes[i], self.stamps[i]
        old, own = f"v{i - 1}" if i else None, f"v{i}"
        lifecycle = "OVERWRITE" if mode is Mode.OVERWRITE else None
        spark = mode is Mode.SILENT_SPARK
        told = run(f"w{i}", producer=SPARK if spark else "urn:plain").reads(f"s{i}").start(100 * i)
        first = {Stamp.TWICE: own, Stamp.OLD_FIRST: old, Stamp.OLD: old}.get(stamp)
        told.writes("t", version=first, lifecycle=lifecycle)
        if mode is Mode.READS:
            told.reads("t", version=old if self.inputs[i] in (Telling.START, Telling.THEN_NEWER) else None)
        last = f"v{i + 1}" if stamp is Stamp.NEXT else own if stamp.is_own else None
        told.complete(100 * i + 10).writes("t", version=last, lifecycle=lifecycle)
        if mode is Mode.READS:
            told.reads("t", version=own if stamp.is_own and self.inputs[i] is Telling.THEN_NEWER else None)
        return told

    def _read(self, reader: Reader) -> Run:
        own = f"v{reader.of}"
        at = 100 * reader.window + 20
        told = run(reader.short).writes(f"out-{reader.short}").start(at)
        told.reads("t", version=own if reader.telling in (Telling.START, Telling.THEN_NEWER) else None)
        last = {Telling.LATE: own, Telling.THEN_NEWER: f"v{reader.window}"}.get(reader.telling)
        return told.complete(at + 5).reads("t", version=last)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Histories whose stamps some event can set right; what none can is left out, as the rules say (``What no rule can
    know``): a stamp of the state before or of the next write with nobody else to tell that version."""
    count = draw(st.integers(1, 5))
    modes = draw(st.lists(st.sampled_from(Mode), min_size=count, max_size=count))
    stamps = draw(st.lists(st.sampled_from(Stamp), min_size=count, max_size=count))
    inputs = draw(st.lists(st.sampled_from(Telling), min_size=count, max_size=count))
    readers = [
        Reader(f"r{window}{n}", window, window, telling)
        for window in range(count)
        for n, telling in enumerate(draw(st.lists(st.sampled_from(Telling), max_size=2)))
    ]
    history = History(modes, stamps, inputs, readers)
    for i in range(count):
        resolved = i > 0 and history.declares(i - 1)
        if stamps[i] is Stamp.OLD and not resolved:
            stamps[i] = Stamp.NONE
    for i in range(count):
        if stamps[i] is Stamp.NEXT and not (i + 1 < count and stamps[i + 1].is_own):
            stamps[i] = Stamp.LATE
    told = [i for i in range(count) if stamps[i].is_own or history.declares(i)]
    travels = draw(st.lists(st.tuples(st.sampled_from(told), st.integers(0, count - 1)), max_size=2)) if told else []
    for n, (of, window) in enumerate(travels):
        if of < window:
            readers.append(Reader(f"x{n}", window, of, draw(st.sampled_from([Telling.START, Telling.THEN_NEWER]))))
    return history


def sources(world: World, label: str) -> set[str]:
    """The sources from which a path leads to a version."""
    found: set[str] = set()
    waiting = [label]
    while waiting:
        for before in world.made_from(waiting.pop()) - found:
            found.add(before)
            waiting.append(before)
    return {version.partition("?")[0] for version in found if version.startswith("s")}


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_late_and_double_stamps_give_no_false_path_and_lose_none(history: History, random: Random) -> None:
    """R10 to R15: every reader's output comes from the rows that it read, and from no others."""
    events = encoded(history.parts())
    events += random.sample(events, k=random.randint(0, len(events)))
    random.shuffle(events)
    cut = random.randint(0, len(events))
    world = world_of([events[:cut], *([event] for event in events[cut:])])
    for i in range(len(history.modes)):
        assert sources(world, f"t@w{i}") == history.rows(i), f"write {i}"
    for reader in history.readers:
        output = f"out-{reader.short}@{reader.short}"
        assert sources(world, output) == history.rows(reader.of), f"reader {reader.short}"
