"""The answer to an impact question for people: the summary first, then both radii, then the predictions."""

from __future__ import annotations

from lineage.cli.screen import Screen
from lineage.cli.show_answer import Data, moment, owners, show_rest, show_standing, thing_label


def show_impact(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``impact`` of the operation Impact."""
    screen.heading("What is affected")
    if not answer["summary"]:
        screen.line("  Nothing: no run read it, and nothing is wired downstream of it.")
    else:
        screen.table(
            ("kind", "potential", "actual", "standing"),
            [(row["kind"].lower(), row["potential"], row["actual"], row["standing"]) for row in answer["summary"]],
            right=("potential", "actual", "standing"),
        )
    _show_radius(screen, "Potential: what is wired downstream", answer["potential"], actual=False)
    _show_radius(screen, "Actual: what really read it, and what came of that", answer["actual"], actual=True)
    _show_predictions(screen, answer["predictions"])
    show_standing(screen, answer)


def _show_radius(screen: Screen, title: str, page: Data, *, actual: bool) -> None:
    if not page["nodes"]:
        return
    screen.heading(title)
    rows = [(hit["distance"], hit["consequence"].lower(), *_names(hit), _state(hit, actual)) for hit in page["nodes"]]
    columns = ("distance", "consequence", "kind", "what", "via", "evidence", "owners", "state")
    screen.dense(columns, rows, right=("distance",), usual=("declared",))
    show_rest(screen, len(rows), page["totalCount"])


def _names(hit: Data) -> tuple[str, str, str, str, str]:
    via = thing_label(hit["via"]) if hit["via"] else ""
    return hit["node"]["kind"].lower(), thing_label(hit["node"]), via, hit["evidence"].lower(), owners(hit)


def _state(hit: Data, actual: bool) -> str:
    told = [] if hit["certain"] else ["uncertain"]
    if actual:
        told += [word for word in ("standing", "remediated") if hit[word]]
    elif hit["stale"]:
        told.append("stale")
    return ", ".join(told)


def _show_predictions(screen: Screen, counted: Data | None) -> None:
    if counted is None:
        return
    screen.heading("Predictions")
    if not counted["count"]:
        screen.line("  None were made by what is affected.")
        return
    first, last = moment(counted["firstAt"]), moment(counted["lastAt"])
    screen.line(f"  {counted['count']:,} were made by what is affected, from {first} to {last} UTC.")
