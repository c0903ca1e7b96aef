"""The prediction index at size: ``python bench/predictions.py [RECORDS]`` (10 million by default), one table out.

Two indexes, one of all records without content hashes, one of a tenth as many with two; 200 records a second of event
time, batches of a thousand, ids that are random UUIDs. Look-ups are of random records through a file cache as the
machine has it; their p99 is to stay under 5 ms.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from lineage.event.model import Name
from lineage.predictions import Prediction, Served, Told
from lineage.predictions.sqlite import PredictionIndex

BATCH = 1000
SPACING = 5_000
START = 1_767_225_600_000_000
LOOKUPS = 2_000


def record(index: int, position: int, hashes: bool) -> Prediction:
    """The record at a place; the same each time."""
    number = index * BATCH + position
    digest = sha256(number.to_bytes(8, "big"))
    told = "sha256:" + digest.hexdigest() if hashes else None
    answer = "sha256:" + sha256(digest.digest()).hexdigest() if hashes else None
    model = Name("models", f"m{number % 2}")
    id = str(UUID(bytes=digest.digest()[:16], version=4))
    return Prediction(
        index, position, Name("prod", "fraud"), id, START + number * SPACING, None, model, "3", told, answer
    )


def timed(action: Callable[[], object]) -> float:
    """Milliseconds that ``action`` takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def measure(records: int, hashes: bool, folder: Path) -> None:
    """Fill one index and print its figures."""
    path = folder / f"predictions-{hashes}.sqlite"
    index = PredictionIndex(path)
    spent = cpu = 0.0
    for entry in range(records // BATCH):
        batch = [record(entry, position, hashes) for position in range(BATCH)]
        start, start_cpu = time.perf_counter(), time.process_time()
        index.apply(batch, entry + 1)
        spent += time.perf_counter() - start
        cpu += time.process_time() - start_cpu
    index.close()
    index = PredictionIndex(path)
    chance = random.Random(7)
    wanted = [record(chance.randrange(records // BATCH), chance.randrange(BATCH), hashes) for _ in range(LOOKUPS)]
    looks = sorted(timed(lambda one=one: index.find(one.deployment, one.id)) for one in wanted)  # type: ignore[misc]
    assert all(index.find(one.deployment, one.id) == [one] for one in wanted[:100])
    end = START + records * SPACING
    told = Told(Name("models", "m1"), "3")
    span = Served(Name("prod", "fraud"), None, told, START + 1_234_567, end - 1_234_567)
    counts = [timed(lambda: index.count([span])) for _ in range(20)]
    samples = [timed(lambda: index.samples(span.deployment, span.start + 7 * SPACING, end, 100)) for _ in range(20)]
    p50, p99 = looks[LOOKUPS // 2], looks[-LOOKUPS // 100]
    rows = {
        "bytes per record": f"{path.stat().st_size / records:.1f}",
        "written per second (wall)": f"{records / spent:,.0f}",
        "written, µs CPU per record": f"{cpu / records * 1e6:.1f}",
        "look-up p50 / p99 / max, ms (p99 < 5)": f"{p50:.3f} / {p99:.3f} / {looks[-1]:.3f}",
        "count of nearly all of a version, ms": f"{statistics.median(counts):.2f}",
        "100 samples, ms": f"{statistics.median(samples):.2f}",
    }
    print(f"{records:,} records, {'two SHA-256 told' if hashes else 'no hash told'}")
    for what, figure in rows.items():
        print(f"  {what:38} {figure}")
    index.close()
    path.unlink()


def main() -> None:
    """Measure with and without hashes."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as folder:
        measure(records, False, Path(folder))
        measure(max(records // 10, BATCH), True, Path(folder))


if __name__ == "__main__":
    main()
