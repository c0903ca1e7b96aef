"""No link in a document leads nowhere, and no document is without a link to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^(```+).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
OUTSIDE = ("http://", "https://", "mailto:")


def links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Every link of a page that stays inside: as written, the file meant, and the heading in it."""
    for match in LINK.finditer(FENCED.sub("", page.read_text(encoding="utf-8"))):
        written = match.group(1) or match.group(2)
        if not written.startswith(OUTSIDE):
            path, _, heading = unquote(written).partition("#")
            yield written, (page.parent / path).resolve() if path else page, heading


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_leads_to_a_file_and_a_heading_that_are_there(pages: list[Path]) -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {written}"
        for page in pages
        for written, target, heading in links(page)
        if not target.exists() or (heading and heading not in anchors(target))
    ]
    assert broken == []


def test_every_document_can_be_reached_from_the_readme(pages: list[Path]) -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for _, target, _ in links(page):
            waiting += sorted(target.glob("*.md")) if target.is_dir() else [target] if target.suffix == ".md" else []
    assert [str(page.relative_to(ROOT)) for page in pages if page not in reached] == []
