"""The answers to provenance, path and search questions for people."""

from __future__ import annotations

from lineage.cli.screen import Screen
from lineage.cli.show_answer import Data, owners, show_rest, show_standing, thing_label


def show_provenance(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``provenance`` of the operation Provenance."""
    page = answer["nodes"]
    screen.heading("What it came from")
    if not page["nodes"]:
        screen.line("  Nothing is known upstream of it.")
    else:
        rows = [
            (hit["distance"], hit["node"]["kind"].lower(), thing_label(hit["node"]), hit["evidence"].lower())
            for hit in page["nodes"]
        ]
        screen.table(("distance", "kind", "what", "evidence"), rows, right=("distance",))
        show_rest(screen, len(rows), page["totalCount"])
        screen.line(f"  {answer['links']['totalCount']:,} reads and writes tie them.")
    show_standing(screen, answer)


def show_path(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``path`` of the operation Path."""
    _show_route(screen, "As wired", answer["potential"])
    _show_route(screen, "As run", answer["actual"])
    show_standing(screen, answer)


def show_search(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``search`` of the operation Search."""
    if not answer["hits"]:
        screen.line("Nothing is named so.")
    else:
        screen.table(
            ("kind", "label", "namespace", "owners", "id"),
            [(hit["kind"].lower(), hit["label"], hit["namespace"], owners(hit), hit["id"]) for hit in answer["hits"]],
        )
    show_standing(screen, answer)


def _show_route(screen: Screen, title: str, route: Data | None) -> None:
    screen.heading(title)
    if route is None:
        screen.line("  There is no path.")
        return
    ties = {(link["source"]["id"], link["target"]["id"]): link for link in route["links"]}
    before = None
    for node in route["nodes"]:
        link = ties.get((before, node["id"])) if before else None
        screen.line(f"  {_arrow(link) if before else '':<24}{node['kind'].lower():<11}{thing_label(node)}")
        before = node["id"]


def _arrow(link: Data | None) -> str:
    if link is None:
        return "└─"
    told = [link["kind"].lower(), *([link["binding"].lower()] if link.get("binding") else [])]
    return f"└─ {', '.join(told)}"
