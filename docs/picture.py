"""The README's picture: the graph that the demo built, as SVG, drawn from the server's own answers.

:func:`read_graph` asks named operations (impact, node) and knows nothing of the demo but the file that was changed;
:func:`draw` puts what it found in rows, sources on top, so that data flows downward. The same graph gives the same
bytes: no hash, time or runId is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Asks a named operation with variables; gives the answer's data."""

WIDTH = 680
BOX_WIDTH, BOX_HEIGHT, PILL_HEIGHT = 268, 46, 28
ROW_GAP, COLUMN_GAP, MARGIN = 30, 48, 24
LEGEND_HEIGHT = 40

_FONT = "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\""
_AFFECTED, _PLAIN, _DARK, _GREY = "#c2410c", "#94a3b8", "#0f172a", "#475569"


@dataclass(frozen=True, slots=True)
class Node:
    """One dataset, model, job or deployment: its short name, how much of it there is, and what the change means."""

    id: str
    kind: str
    name: str
    amount: str
    consequence: str | None = None
    changed: bool = False

    @property
    def affected(self) -> bool:
        """Whether the change reaches it."""
        return self.changed or self.consequence is not None

    @property
    def is_job(self) -> bool:
        """Whether it is drawn as a pill."""
        return self.kind == "JOB"

    @property
    def height(self) -> int:
        """In pixels."""
        return PILL_HEIGHT if self.is_job else BOX_HEIGHT


@dataclass(slots=True)
class Graph:
    """What is wired: nodes by id, and edges as (source, target)."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)

    def rows(self) -> list[list[Node]]:
        """Nodes by their longest path from a source; in each row those next to what they come from."""
        before: dict[str, list[str]] = {key: [s for s, t in sorted(self.edges) if t == key] for key in self.nodes}
        depth: dict[str, int] = {}

        def depth_of(key: str) -> int:
            if key not in depth:
                depth[key] = max((depth_of(source) + 1 for source in before[key]), default=0)
            return depth[key]

        rows: list[list[Node]] = [[] for _ in range(max(map(depth_of, self.nodes)) + 1)]
        for key, node in self.nodes.items():
            rows[depth[key]].append(node)
        places: dict[str, float] = {}
        for row in rows:
            row.sort(key=lambda node: (_mean(places[s] for s in before[node.id]), not node.affected, node.name))
            places.update({node.id: (at + 0.5) / len(row) for at, node in enumerate(row)})
        return rows


def read_graph(ask: Ask, changed: Mapping[str, str], others: Sequence[Mapping[str, str]] = ()) -> Graph:
    """The graph downstream of the dataset ``changed`` and of ``others`` (each namespace and name)."""
    graph = Graph()
    impact = _impact(ask, changed)
    subjects = [changed, *others]
    reached = [hit["node"]["id"] for subject in subjects for hit in _impact(ask, subject)["potential"]["nodes"]]
    consequences = {hit["node"]["id"]: hit["consequence"].lower() for hit in impact["potential"]["nodes"]}
    sources = [_id_of(ask, subject) for subject in subjects]
    for key in dict.fromkeys([*sources, *reached]):
        told = ask("Node", {"id": key})["node"]
        predictions = impact["predictions"]["count"] if told["kind"] == "DEPLOYMENT" else 0
        graph.nodes[key] = Node(
            key,
            told["kind"],
            _short(told["name"]),
            _amount(told, predictions),
            consequences.get(key),
            key == sources[0],
        )
        graph.edges |= {(each["id"], key) for each in told.get("producers", {"nodes": ()})["nodes"]}
        graph.edges |= {(key, each["id"]) for each in told.get("consumers", {"nodes": ()})["nodes"]}
    return graph


def _impact(ask: Ask, subject: Mapping[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = ask("Impact", {"of": {"dataset": dict(subject)}})["impact"]
    return answer


def _id_of(ask: Ask, subject: Mapping[str, str]) -> str:
    hits = ask("Search", {"text": subject["name"], "first": 10})["search"]["hits"]
    return str(next(hit["id"] for hit in hits if hit["name"] == subject["name"]))


def _short(name: str) -> str:
    parts = name.split("/")
    return "/".join(parts[-2:]) if len(parts) > 2 else name


def _amount(told: Mapping[str, Any], predictions: int) -> str:
    if told["kind"] == "DEPLOYMENT":
        return f"{_count(told['runs'], 'rollout')}, {predictions} predictions"
    if told["kind"] == "JOB":
        return _count(told["runs"], "run")
    return _count(told["versions"], "version")


def _count(page: Mapping[str, Any], noun: str) -> str:
    total = page["totalCount"]
    return f"{total} {noun}" if total == 1 else f"{total} {noun}s"


def _mean(numbers: Iterable[float]) -> float:
    held = list(numbers)
    return sum(held) / len(held) if held else 0.5


# -- drawing


@dataclass(frozen=True, slots=True)
class _Box:
    node: Node
    x: float
    y: float

    @property
    def middle(self) -> float:
        return self.x + BOX_WIDTH / 2


def draw(graph: Graph) -> str:
    """``graph`` as one SVG document."""
    boxes, bottom = _place(graph)
    height = bottom + LEGEND_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" {_FONT}>',
        "<title>The graph that the demo builds</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" '
        'markerHeight="9" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{_PLAIN}"/></marker>'
        '<marker id="reached" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" '
        'markerHeight="9" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{_AFFECTED}"/></marker></defs>',
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10" fill="#ffffff" stroke="#e2e8f0"/>',
    ]
    parts += [_edge(boxes[source], boxes[target]) for source, target in _ordered(graph.edges, boxes)]
    parts += [_node(box) for box in boxes.values()]
    parts.append(_legend(bottom + LEGEND_HEIGHT / 2 - 4))
    return "\n".join([*parts, "</svg>", ""])


def _place(graph: Graph) -> tuple[dict[str, _Box], int]:
    """Rows from top to bottom, each in the middle; a node that is alone in its row stands below what it comes from."""
    boxes: dict[str, _Box] = {}
    y = MARGIN
    for row in graph.rows():
        whole = len(row) * BOX_WIDTH + (len(row) - 1) * COLUMN_GAP
        left = (WIDTH - whole) / 2
        if len(row) == 1:
            above = [boxes[source].x for source, target in graph.edges if target == row[0].id]
            left = sum(above) / len(above) if above else left
        for at, node in enumerate(row):
            boxes[node.id] = _Box(node, left + at * (BOX_WIDTH + COLUMN_GAP), y)
        y += max(node.height for node in row) + ROW_GAP
    return boxes, y - ROW_GAP + MARGIN


def _ordered(edges: Iterable[tuple[str, str]], boxes: Mapping[str, _Box]) -> list[tuple[str, str]]:
    """Edges from top left to bottom right, those that the change follows last, so that they lie on top."""

    def place(edge: tuple[str, str]) -> tuple[bool, float, float, float]:
        source, target = (boxes[end] for end in edge)
        return source.node.affected and target.node.affected, source.y, source.x, target.x

    return sorted((edge for edge in edges if edge[0] in boxes and edge[1] in boxes), key=place)


def _edge(source: _Box, target: _Box) -> str:
    top, bottom = source.y + source.node.height, target.y - 1
    bend = (bottom - top) * 0.6
    reached = source.node.affected and target.node.affected
    colour, marker, width = (_AFFECTED, "reached", 1.8) if reached else (_PLAIN, "arrow", 1.4)
    return (
        f'<path d="M{source.middle:g} {top:g} C{source.middle:g} {top + bend:g} {target.middle:g} {bottom - bend:g} '
        f'{target.middle:g} {bottom:g}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'marker-end="url(#{marker})"/>'
    )


def _node(box: _Box) -> str:
    node = box.node
    fill, stroke, text, soft = _colours(node)
    radius = PILL_HEIGHT / 2 if node.is_job else 7
    shape = (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{BOX_WIDTH}" height="{node.height}" rx="{radius:g}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="{2.4 if node.kind == "MODEL" else 1.3}"/>'
    )
    left, right = box.x + 12, box.x + BOX_WIDTH - 12
    if node.is_job:
        return (
            shape
            + _text(left, box.y + 18, node.name, text, 12)
            + _text(right, box.y + 18, node.amount, soft, 10, "end")
        )
    kind = "changed on disk" if node.changed else node.kind.lower()
    return "".join(
        [
            shape,
            _text(left, box.y + 19, node.name, text, 13, weight="bold"),
            _text(right, box.y + 19, node.consequence or "", text if node.changed else _AFFECTED, 12, "end", "bold"),
            _text(left, box.y + 36, kind, soft, 11),
            _text(right, box.y + 36, node.amount, soft, 11, "end"),
        ]
    )


def _colours(node: Node) -> tuple[str, str, str, str]:
    """Fill, stroke, text, soft text."""
    if node.changed:
        return _AFFECTED, _AFFECTED, "#ffffff", "#ffedd5"
    if node.is_job:
        return ("#ffedd5" if node.affected else "#f1f5f9"), "none", _DARK, _GREY
    return ("#fff7ed" if node.affected else "#f8fafc"), (_AFFECTED if node.affected else _PLAIN), _DARK, _GREY


def _text(x: float, y: float, text: str, colour: str, size: int, anchor: str = "start", weight: str = "normal") -> str:
    if not text:
        return ""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _legend(y: float) -> str:
    said = "Orange: what the change of labs.csv reaches, and what to do about it. Thick border: a model. Pill: a job."
    return _text(WIDTH / 2, y, said, _GREY, 10, "middle")
