"""The answer to an impact question for people: the summary first, then both radii, then the predictions.

On a terminal a radius is a tree, as each hit is reached from one other: its consequence and its path at one glance. In
a pipe it is a table, one hit a line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lineage.cli.screen import TREE, Screen
from lineage.cli.show_answer import (
    Data,
    common_day,
    moment,
    owners,
    short_label,
    show_gaps,
    show_left_out,
    show_rest,
    show_standing,
    thing_label,
)
from lineage.cli.show_which import Which

_STYLES = {
    "rebuild": "cyan",
    "retrain": "yellow",
    "revalidate": "yellow",
    "redeploy": "red",
    "rescore": "magenta",
    "none": "dim",
}
_MORE = ("evidence", "owners", "state")
_DEEPEST = 24
"""A tree that is deeper leaves no room for what it says; the table then says it."""


def show_impact(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``impact`` of the operation Impact."""
    screen.heading("Summary")
    if answer.get("leftOut") and not answer["summary"]:
        screen.line("  Nothing that the filters let through.")
    elif not answer["summary"]:
        nothing = "  Nothing: no run read it, and nothing is wired downstream of it."
        screen.line("  No node; the predictions below alone." if answer["predictions"]["count"] else nothing)
    else:
        screen.table(
            ("kind", "potential", "actual", "standing"),
            [(row["kind"].lower(), row["potential"], row["actual"], row["standing"]) for row in answer["summary"]],
            right=("potential", "actual", "standing"),
        )
    show_left_out(screen, answer)
    _show_radius(screen, "Potential: what is wired downstream", answer["potential"])
    _show_radius(screen, "Actual: what really read it, and what came of that", answer["actual"])
    _show_predictions(screen, answer["predictions"])
    if answer["summary"] or answer["gaps"]["totalCount"]:
        show_gaps(screen, answer)
    show_standing(screen, answer)


def _show_radius(screen: Screen, title: str, page: Data) -> None:
    hits = page["nodes"]
    if not hits:
        return
    tree = list(_tree(hits)) if screen.terminal else []
    which = Which(node for hit in hits for node in (hit["node"], hit["via"]))
    if 0 < max((depth for _, depth, _ in tree), default=0) <= _DEEPEST:
        _show_tree(screen, title, tree, which)
    else:
        _show_table(screen, title, hits, which)
    show_rest(screen, len(hits), page["totalCount"])


def _show_table(screen: Screen, title: str, hits: list[Data], which: Which) -> None:
    """What is wired has no marks, and no column for them."""
    screen.heading(title)
    marked = which.marks_any(hit["node"] for hit in hits)
    rows = [
        (
            *(hit["distance"], *_told(hit), thing_label(hit["node"])),
            *([which.of(hit["node"])] if marked else []),
            *(_via(hit, which), *_more(hit)),
        )
        for hit in hits
    ]
    columns = ("distance", "consequence", "kind", TREE, *(["which"] if marked else []), "via", *_MORE)
    screen.dense(columns, rows, right=("distance",), usual=("declared",), styles=_STYLES)


Row = tuple[str, int, Data]
"""The lines that lead to a node, its depth, and the hit; of a root, only the node is told."""


def _show_tree(screen: Screen, title: str, tree: list[Row], which: Which) -> None:
    day = common_day(hit["node"] for _, _, hit in tree)
    screen.heading(f"{title} ({day}, UTC)" if day else title)
    rows = [
        (
            f"{lines}{short_label(hit['node'], day)}",
            which.of(hit["node"]),
            *(_told(hit)[::-1] + _more(hit) if depth else ("",) * 5),
        )
        for lines, depth, hit in tree
    ]
    told = {owners(hit) for _, depth, hit in tree if depth}
    shared = told.pop() if len(told) == 1 else ""
    columns = (TREE, "which", "kind", "consequence", *_MORE)
    screen.dense(columns, rows, usual=("declared", shared), styles=_STYLES)
    if shared:
        screen.line(f"  All of it is owned by {shared}.", "dim")


def _tree(hits: list[Data]) -> Iterator[Row]:
    """``hits`` below what they are reached by, in their order; the subjects are the roots."""
    known = {hit["node"]["id"] for hit in hits}
    below: dict[str | None, list[Data]] = defaultdict(list)
    roots: dict[str, Data] = {}
    for hit in hits:
        via = hit["via"]
        below[via["id"] if via else None].append(hit)
        if via and via["id"] not in known:
            roots.setdefault(via["id"], {"node": via})
    for key, root in roots.items():
        yield "", 0, root
        yield from _branches(below, key, "", 1)
    yield from _branches(below, None, "", 1)


def _branches(below: dict[str | None, list[Data]], key: str | None, before: str, depth: int) -> Iterator[Row]:
    """An own stack, as a line of derivations may be longer than Python's."""
    waiting = [(hit, before, depth) for hit in reversed(below.pop(key, []))]
    last = {id(waiting[0][0])} if waiting else set()
    while waiting:
        hit, lines, deep = waiting.pop()
        ends = id(hit) in last
        yield f"{lines}{'└' if ends else '├'} ", deep, hit
        children = below.pop(hit["node"]["id"], [])
        waiting += [(child, f"{lines}{' ' if ends else '│'} ", deep + 1) for child in reversed(children)]
        last |= {id(child) for child in children[-1:]}


def _told(hit: Data) -> tuple[str, str]:
    return hit["consequence"].lower(), hit["node"]["kind"].lower()


def _via(hit: Data, which: Which) -> str:
    via = hit["via"]
    if not via:
        return ""
    mark = which.of(via) if which.is_needed(via) else ""
    return f"{thing_label(via)} ({mark})" if mark else thing_label(via)


def _more(hit: Data) -> tuple[str, str, str]:
    told = [] if hit["certain"] else ["uncertain"]
    told += [word for word in ("stale", "standing", "remediated") if hit.get(word)]
    return hit["evidence"].lower(), owners(hit), ", ".join(told)


def _show_predictions(screen: Screen, counted: Data | None) -> None:
    if counted is None:
        return
    screen.heading("Predictions")
    if not counted["count"]:
        screen.line("  None were made by what is affected.")
        return
    first, last = moment(counted["firstAt"]), moment(counted["lastAt"])
    were = "was" if counted["count"] == 1 else "were"
    screen.line(f"  {counted['count']:,} {were} made by what is affected, from {first} to {last} UTC.")
