"""Every benchmark, one after the other: ``python bench/suite.py [--quick] [--json FILE] [--worlds FOLDER] [NAME…]``.

``make bench`` runs it. Those that measure against made worlds write their figures into the JSON file: by default
``docs/benchmarks.json``, of which ``docs/benchmarks.py`` makes the documents, in a quick run ``build/benchmarks.json``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One script. ``quick`` are its arguments in a quick run; None: it takes ours (:mod:`figures`)."""

    script: str
    quick: tuple[str, ...] | None = None


BENCHMARKS = (
    Benchmark("bench_ledger.py", ("500",)),
    Benchmark("predictions.py", ("20000",)),
    Benchmark("bench_ingest.py", ("1500",)),
    Benchmark("bench_load.py"),
    Benchmark("bench_store.py"),
    Benchmark("bench_reach.py"),
    Benchmark("bench_questions.py"),
    Benchmark("bench_neo4j.py"),
)


def command(benchmark: Benchmark, quick: bool, ours: Sequence[str]) -> list[str]:
    """How ``benchmark`` is called; ``ours`` are the arguments of those that take them."""
    script = [sys.executable, str(ROOT / "bench" / benchmark.script)]
    if benchmark.quick is None:
        return [*script, *ours]
    return [*script, *(benchmark.quick if quick else ())]


def main() -> int:
    """Run them; the number of those that failed, whose output stands above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller worlds, each under a minute")
    parser.add_argument("--json", type=Path, help="file into which the figures go")
    parser.add_argument("--worlds", type=Path, help="folder of made worlds")
    parser.add_argument("names", nargs="*", help="only scripts whose name holds one of these")
    told = parser.parse_args()
    file = told.json or ROOT / ("build" if told.quick else "docs") / "benchmarks.json"
    ours = ["--json", str(file), *(["--quick"] if told.quick else [])]
    ours += ["--worlds", str(told.worlds)] if told.worlds else []
    chosen = [each for each in BENCHMARKS if not told.names or any(name in each.script for name in told.names)]
    failed = 0
    for number, benchmark in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {benchmark.script}", file=sys.stderr, flush=True)
        begun = time.monotonic()
        failed += subprocess.run(command(benchmark, told.quick, ours), check=False).returncode != 0
        print(f"[{number}/{len(chosen)}] took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
