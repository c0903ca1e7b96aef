"""How far the graph in Neo4j is behind what was acknowledged, as somebody sees it who asks the database."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from dataclasses import dataclass, field

import orjson
from ingest_client import Load
from neo4j_peer import connected

_POLL_SECONDS = 0.05
_LONGEST = 300.0
_WATERMARK = "MATCH (p:LineageState) RETURN p.watermark"


@dataclass(slots=True)
class Watch:
    """Reads the watermark a hundred times a second; ``seen`` are those that were new, ``at`` when (perf_counter)."""

    uri: str
    at: list[float] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    enough: int = 1 << 62
    """It ends with this watermark."""

    def run(self) -> None:
        """Read until there is enough, five minutes at most."""
        until = time.perf_counter() + _LONGEST
        with connected(self.uri) as driver, driver.session() as session:
            while (not self.seen or self.seen[-1] < self.enough) and time.perf_counter() < until:
                watermark = session.run(_WATERMARK).single(strict=True)[0]
                if not self.seen or watermark > self.seen[-1]:
                    self.at.append(time.perf_counter())
                    self.seen.append(watermark)
                time.sleep(_POLL_SECONDS)

    def lag(self, index: int, since: float) -> float:
        """Seconds from ``since`` until the graph had the ledger entry ``index``. Raises RuntimeError if it has not."""
        place = bisect_right(self.seen, index)
        if place == len(self.seen):
            raise RuntimeError(f"The graph did not come to entry {index} in {_LONGEST:.0f} s.")
        return max(0.0, self.at[place] - since)


def lags(uri: str, port: int, load: Load) -> list[float]:
    """Run ``load`` against the server on ``port``, which projects into ``uri``: seconds from each acknowledgement until
    the graph had the event."""
    watch = Watch(uri)
    watching = threading.Thread(target=watch.run, daemon=True)
    watching.start()
    load.run(port)
    acknowledged = [(orjson.loads(body)["index"], at) for at, body in load.answers]
    watch.enough = max(index for index, _ in acknowledged) + 1
    watching.join()
    return [watch.lag(index, at) for index, at in acknowledged]
