"""What every answer says of itself, as lines; and how names, hashes and times are written for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from lineage.cli.screen import Screen

Data = dict[str, Any]

_HASH_SHOWN = 12
_GAPS_SHOWN = 5
_PAGE = 100
"""How many gaps the operations ask for."""
_TIMED = re.compile(r" @ (\d{4}-\d\d-\d\d) \d\d:\d\d$")


def show_standing(screen: Screen, answer: Data) -> None:
    """The last line of an answer: whether it is complete, at which ledger index it holds, and by how much behind."""
    cut = answer.get("cut")
    if answer.get("complete", True):
        said = "Complete"
    elif cut and cut["reason"] == "NODES":
        said = f"INCOMPLETE: cut after {cut['limit']:,} node{'s' if cut['limit'] != 1 else ''}"
    else:
        said = "INCOMPLETE: cut when its time was out" if cut else "INCOMPLETE"
    behind = answer.get("behind", 0)
    late = f", {behind:,} entries behind the ledger" if behind else ""
    screen.line()
    last = answer["ledgerIndex"]
    held = f"as of ledger entry {last:,}" if last >= 0 else "of an empty ledger"
    screen.line(f"{said}, {held}{late}.", "dim")


def show_left_out(screen: Screen, answer: Data) -> None:
    """Say how many hits the filters keep from being shown: an empty list must not be taken for no harm."""
    left_out = answer.get("leftOut", 0)
    if left_out:
        screen.line(f"  {left_out:,} hit{'s' if left_out != 1 else ''} left out by the filters.", "yellow")


def show_rest(screen: Screen, shown: int, total: int) -> None:
    """Say what a page left out."""
    if total > shown:
        screen.line(f"  … and {total - shown:,} more; page through them by GraphQL.", "dim")


def show_score(screen: Screen, answer: Data) -> None:
    """Head what an answer can't be sure of with the share of it that is sure."""
    screen.heading(f"Score {answer['score']:.2f}: the share of versions and reads that carry no gap")


def show_gaps(screen: Screen, answer: Data) -> None:
    """The score, and in a few lines the first gaps of each code, with how many there are of it."""
    gaps = answer["gaps"]
    show_score(screen, answer)
    if not gaps["nodes"]:
        screen.line("  No gaps.")
        return
    codes = Counter(gap["kind"] for gap in gaps["nodes"])
    last = gaps["nodes"][-1]["kind"] if gaps["totalCount"] > len(gaps["nodes"]) else None
    shown = _first_of_each(gaps["nodes"])
    told = [f"{code} ({count}{'+' if code == last else ''})" if count > 1 else code for code, count in codes.items()]
    names = dict(zip(codes, told, strict=True))
    width = max(len(names[gap["kind"]]) for gap in shown)
    for gap in shown:
        screen.line(f"  {names.get(gap['kind'], ''):<{width}}  {gap['message']}")
        names[gap["kind"]] = ""
    if gaps["totalCount"] > len(shown):
        screen.line(f"  … and {gaps['totalCount'] - len(shown):,} more; --json has the first {_PAGE}.", "dim")


def _first_of_each(gaps: list[Data]) -> list[Data]:
    """A few of ``gaps``, in their order: the first of each code before the second of any."""
    seen: Counter[str] = Counter()
    ranks = []
    for place, gap in enumerate(gaps):
        seen[gap["kind"]] += 1
        ranks.append((seen[gap["kind"]], place))
    return [gaps[place] for place in sorted(place for _, place in sorted(ranks)[:_GAPS_SHOWN])]


def short_hash(digest: Data, full: bool) -> str:
    """A content hash as ``sha256:0123…``, whole where nobody counts columns."""
    text = str(digest["digest"])
    return f"{digest.get('algorithm', 'sha256')}:{text if full else text[:_HASH_SHOWN] + '…'}"


def moment(time: str | None) -> str:
    """A time of an answer to the second, as ``2026-05-01 10:00:00``."""
    return "" if time is None else time[:19].replace("T", " ")


def file_name(name: str | None) -> str:
    """A name as it fits a table: of a long path, its last two parts."""
    text = name or ""
    parts = text.split("/")
    return text if len(parts) <= 3 else "…/" + "/".join(parts[-2:])


def thing_label(node: Data) -> str:
    """The label of a thing, its path shortened."""
    return file_name(node["label"])


def common_day(nodes: Iterable[Data]) -> str:
    """The day that all those labels have that tell a time; empty if they differ, or none does."""
    days = {found[1] for node in nodes if (found := _TIMED.search(node["label"]))}
    return days.pop() if len(days) == 1 else ""


def short_label(node: Data, day: str) -> str:
    """As :func:`thing_label`, without ``day`` where the label tells it."""
    return thing_label(node).replace(f" @ {day} ", " @ ") if day else thing_label(node)


def owners(node: Data) -> str:
    """Who answers for it."""
    return ", ".join(owner["name"] for owner in node.get("owners") or ())
