"""The answers to provenance, path and search questions for people."""

from __future__ import annotations

from lineage.cli.screen import TREE, Screen
from lineage.cli.show_answer import (
    Data,
    common_day,
    owners,
    short_label,
    show_gaps,
    show_left_out,
    show_rest,
    show_standing,
    thing_label,
)
from lineage.cli.show_which import Which

_MOST = 1_000
"""What ``lineage search --first`` can be."""

_BINDINGS = {
    "DECLARED": "reads it as declared",
    "HASH": "reads it by its hash",
    "TIME": "reads it as of that time",
    "AS_FOUND": "reads it as found",
}


def show_provenance(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``provenance`` of the operation Provenance."""
    page = answer["nodes"]
    screen.heading("What it came from")
    if not page["nodes"] and answer.get("leftOut"):
        screen.line("  Nothing that the filters let through.")
    elif not page["nodes"]:
        screen.line("  Nothing is known upstream of it.")
    else:
        _show_upstream(screen, page["nodes"], _bindings(answer["links"]["nodes"]))
        show_rest(screen, len(page["nodes"]), page["totalCount"])
        screen.line(f"  {answer['links']['totalCount']:,} reads and writes tie them.")
    show_left_out(screen, answer)
    if page["nodes"] or answer["gaps"]["totalCount"]:
        show_gaps(screen, answer)
    show_standing(screen, answer)


def _show_upstream(screen: Screen, hits: list[Data], bindings: dict[str, list[str]]) -> None:
    which = Which(hit["node"] for hit in hits)
    rows = [
        (
            hit["distance"],
            hit["node"]["kind"].lower(),
            thing_label(hit["node"]),
            which.of(hit["node"]),
            ", ".join(bindings.get(hit["node"]["id"], ())),
            hit["evidence"].lower(),
        )
        for hit in hits
    ]
    screen.dense(("distance", "kind", TREE, "which", "binding", "evidence"), rows, right=("distance",))


def _bindings(links: list[Data]) -> dict[str, list[str]]:
    """How the reads of what was read found it, each way once, as far as the links are here."""
    found: dict[str, list[str]] = {}
    for link in links:
        if link["binding"] and link["binding"].lower() not in found.setdefault(link["source"]["id"], []):
            found[link["source"]["id"]].append(link["binding"].lower())
    return found


def show_path(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``path`` of the operation Path; in ``back``, where asked for, the same answer for the
    other direction."""
    _show_route(screen, "As wired", answer["potential"])
    _show_route(screen, "As run", answer["actual"])
    back = answer.get("back")
    if back and has_route(back):
        screen.line()
        screen.line("The other way round there is one: data flows from B to A. Ask `lineage path B A`.")
    if has_route(answer):
        show_gaps(screen, answer)
    show_standing(screen, answer)


def has_route(answer: Data) -> bool:
    """Whether ``answer``, of the operation Path, has a path on either level."""
    return bool(answer["potential"] or answer["actual"])


def show_search(screen: Screen, answer: Data, *, filtered: bool = False) -> None:
    """Write ``answer``, the field ``search`` of the operation Search; ``filtered``: not all that is named so counts."""
    if not answer["hits"]:
        screen.line("Nothing that is named so is let through by the filters." if filtered else "Nothing is named so.")
        screen.line("A name matches in part; a commit, a runId or a content hash as a whole only.", "dim")
    else:
        screen.table(
            ("kind", "label", "namespace", "owners", "id"),
            [
                (hit["kind"].lower(), _named(hit, alias), hit["namespace"], owners(hit), hit["id"])
                for hit, alias in zip(answer["hits"], answer["byAlias"], strict=True)
            ],
        )
    cut = answer.get("cut")
    if cut and cut["limit"]:
        more = f"--first {min(2 * cut['limit'], _MOST)}" if cut["limit"] < _MOST else "give more of the name"
        screen.line(f"  … more match: {more}", "dim")
    show_standing(screen, answer)


def _named(hit: Data, alias: Data | None) -> str:
    return str(hit["label"]) if alias is None else f"{hit['label']} (as {alias['name']})"


def _show_route(screen: Screen, title: str, route: Data | None) -> None:
    nodes = route["nodes"] if route else []
    day = common_day(nodes) if screen.terminal else ""
    screen.heading(f"{title} ({day}, UTC)" if day else title)
    if route is None:
        screen.line("  There is no path.")
        return
    ties = {(link["source"]["id"], link["target"]["id"]): link for link in route["links"]}
    rows = []
    for before, node in zip([None, *nodes], nodes, strict=False):
        link = ties.get((before["id"], node["id"])) if before else None
        rows.append(("↓" if before else "", short_label(node, day), node["kind"].lower(), _how(link)))
    screen.dense(("", TREE, "kind", "how"), rows)


def _how(link: Data | None) -> str:
    """What is to be said of a link beyond that it is there: how a read was bound, and what is not declared."""
    if link is None:
        return ""
    binding = _BINDINGS.get(link.get("binding") or "", "")
    evidence = link["evidence"].lower()
    return ", ".join(word for word in (binding, "" if evidence == "declared" else evidence) if word)
