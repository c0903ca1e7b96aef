"""The same events give the same graph as long as the number of the rules is the same."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from lineage.event.parser import parse_event
from lineage.fold.fold import RULES, Fold, MemoryFacts
from lineage.memory import MemoryStore

CAPTURES = Path(__file__).parent / "data" / "dialects"
GRAPHS = {2: "d6718e3ecd993d9ce69c01b238a8ed64863d52bb4c42272db89a2bb08c958cc2"}
"""By number of the rules, the graph of all captures."""


def test_another_graph_of_the_same_events_has_another_number_of_the_rules() -> None:
    texts = [
        json.dumps(event).encode() for path in sorted(CAPTURES.glob("*.json")) for event in json.loads(path.read_text())
    ]
    store = MemoryStore()
    store.apply(Fold(MemoryFacts()).take((at, 0, parse_event(text)) for at, text in enumerate(texts)), len(texts))
    with store.reader() as reader:
        found = sha256(b"\n".join(reader.dump())).hexdigest()
    assert GRAPHS.get(RULES) == found, "these events now mean another graph: raise RULES, and note the graph here"
