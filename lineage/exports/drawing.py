"""An answer as things and arrows, what every export starts from.

Provenance, training data and paths: their things and links. An impact: its subjects and hits, and for each hit an arrow
VIA from the hit or subject next before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from lineage.answer import Impact, ImpactHit, Link, Pages, Path, Provenance, Thing, TrainingData, View, thing_id

Graphic = Provenance | TrainingData | Impact | Path
"""The answers that are graphs."""

Value = str | int | float | bool

VIA = "VIA"

_PAGE = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one thing to another, by id; ``kind`` is that of the link, or VIA."""

    source: str
    target: str
    kind: str
    attributes: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Things by id, each with what the answer says of it, and the arrows among them, in the answer's order."""

    things: dict[str, Thing] = field(default_factory=dict)
    attributes: dict[str, dict[str, Value]] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)

    def add(self, thing: Thing, **attributes: Value) -> str:
        """Add ``thing``, or more about it; gives its id."""
        key = thing_id(thing)
        self.things.setdefault(key, thing)
        self.attributes.setdefault(key, {}).update(attributes)
        return key

    def add_link(self, link: Link) -> None:
        """Add ``link`` and the things that it ties."""
        told: dict[str, Value] = {"evidence": link.evidence.value, "certain": link.certain}
        if link.binding is not None:
            told["binding"] = link.binding.value
        if link.role is not None:
            told["role"] = link.role.value
        self.arrows.append(Arrow(self.add(link.source), self.add(link.target), link.kind.value, told))

    def add_hit(self, hit: ImpactHit, radius: str) -> None:
        """Add one hit of an impact, and the arrow that leads to it."""
        key = self.add(
            hit.node,
            distance=hit.distance,
            radius=radius,
            consequence=hit.consequence.value,
            standing=hit.standing,
            remediated=hit.remediated,
            stale=hit.stale,
        )
        if hit.via is not None:
            told: dict[str, Value] = {"evidence": hit.evidence.value, "certain": hit.certain}
            self.arrows.append(Arrow(self.add(hit.via), key, VIA, told))


def draw(view: View, answer: Graphic) -> Drawing:
    """All of ``answer``."""
    drawing = Drawing()
    match answer:
        case Provenance():
            _draw_provenance(drawing, view, answer)
        case TrainingData():
            _draw_training(drawing, view, answer)
        case Impact():
            _draw_impact(drawing, view, answer)
        case Path():
            _draw_path(drawing, answer)
    return drawing


def _draw_provenance(drawing: Drawing, view: View, answer: Provenance) -> None:
    for thing in pages(view, answer.subjects):
        drawing.add(thing, distance=0)
    for hit in pages(view, answer.nodes):
        drawing.add(hit.node, distance=hit.distance, evidence=hit.evidence.value, certain=hit.certain)
    for link in pages(view, answer.links):
        drawing.add_link(link)


def _draw_training(drawing: Drawing, view: View, answer: TrainingData) -> None:
    for model in answer.models:
        drawing.add(model.version, distance=0)
    for hit in pages(view, answer.datasets):
        drawing.add(hit.version, distance=hit.distance, role=hit.role.value, evidence=hit.evidence.value)
    for link in pages(view, answer.links):
        drawing.add_link(link)


def _draw_impact(drawing: Drawing, view: View, answer: Impact) -> None:
    for thing in pages(view, answer.subjects):
        drawing.add(thing, distance=0)
    for hit in pages(view, answer.potential):
        drawing.add_hit(hit, "potential")
    for hit in pages(view, answer.actual):
        drawing.add_hit(hit, "actual")


def _draw_path(drawing: Drawing, answer: Path) -> None:
    for route in (answer.potential, answer.actual):
        for thing in route.nodes if route else ():
            drawing.add(thing)
        for link in route.links if route else ():
            drawing.add_link(link)


def pages(view: View, whole: Pages[Item]) -> Iterator[Item]:
    """Every item of ``whole``."""
    for start in range(0, whole.total, _PAGE):
        yield from whole.page(view, start, start + _PAGE)


def moment(time: int) -> str:
    """``time`` (UTC microseconds) as an xsd:dateTime; a time past the calendar as the nearest that has one."""
    try:
        return (_EPOCH + timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return "9999-12-31T23:59:59.999999Z" if time > 0 else "0001-01-01T00:00:00Z"
