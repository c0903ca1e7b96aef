"""An answer in Graphviz' DOT language. Every id and text is a quoted string, in which only the quote and the backslash
mean anything (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Iterator

from lineage.answer import Kind, View, kind_of, label
from lineage.exports.drawing import Arrow, Graphic, draw

_SHAPES = {
    Kind.DATASET: "cylinder",
    Kind.MODEL: "component",
    Kind.COLUMN: "note",
    Kind.JOB: "box",
    Kind.DEPLOYMENT: "box3d",
    Kind.RUN: "box",
    Kind.ROLLOUT: "box3d",
    Kind.VERSION: "cylinder",
    Kind.PREDICTION: "note",
}


def to_dot(view: View, answer: Graphic) -> str:
    """``answer`` as a digraph from left to right; what is not certain or not declared is dashed."""
    return "".join(f"{line}\n" for line in _lines(view, answer))


def _lines(view: View, answer: Graphic) -> Iterator[str]:
    drawing = draw(view, answer)
    yield "digraph lineage {"
    yield "  rankdir=LR;"
    for key, thing in drawing.things.items():
        yield f"  {_quoted(key)} [label={_quoted(label(thing))}, shape={_SHAPES[kind_of(thing)]}];"
    for arrow in drawing.arrows:
        yield f"  {_quoted(arrow.source)} -> {_quoted(arrow.target)} [label={_quoted(arrow.kind)}{_style(arrow)}];"
    yield "}"


def _style(arrow: Arrow) -> str:
    sure = arrow.attributes.get("certain", True) and arrow.attributes.get("evidence") != "INFERRED"
    return "" if sure else ", style=dashed"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n").replace("\0", "")
    return f'"{escaped}"'
