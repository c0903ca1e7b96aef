"""A full disk, a killed process: what the ledger still promises."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lineage.ledger import Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.proof import leaf, merkle

FULL_DISK = """
import os, resource, signal, sys
from pathlib import Path
from lineage.errors import LedgerUnavailableError
from lineage.ledger import Submission
from lineage.ledger.sqlite import SQLiteLedger

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = SQLiteLedger(Path(sys.argv[1]))
ledger.append([Submission("lineage", (b"before",))])
whole = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, whole[1]))
refused = 0
for number in range(6):
    try:
        ledger.append([Submission("lineage", (os.urandom(150_000),))])
    except LedgerUnavailableError:
        refused += 1
assert refused, "the disk never was full"
size, root = ledger.size(), ledger.root()
assert size == 1 + 6 - refused, (size, refused)
assert len(list(ledger.entries())) == size
resource.setrlimit(resource.RLIMIT_FSIZE, whole)
((receipt,),) = ledger.append([Submission("lineage", (b"after",))])
assert (receipt.index, receipt.duplicate) == (size, False)
last = list(ledger.verify())[-1]
assert last.faults == () and last.root == ledger.root() and ledger.root(size) == root
ledger.close()
"""

APPENDER = """
import json, os, sys
from pathlib import Path
from lineage.ledger import Submission
from lineage.ledger.sqlite import SQLiteLedger

ledger = SQLiteLedger(Path(sys.argv[1]))
number = 0
while True:
    sent = [Submission("lineage", tuple(b"%s/%d/%d" % (sys.argv[2].encode(), number + n, m) for m in range(n % 3 + 1)))
            for n in range(7)]
    number += 7
    told = [
        {"record": record.decode(), "index": one.index, "position": one.position}
        for submission, receipts in zip(sent, ledger.append(sent))
        for record, one in zip(submission.records, receipts)
    ]
    print(json.dumps({"receipts": told, "size": ledger.size(), "root": ledger.root().hex()}), flush=True)
"""


def test_full_disk_refuses_and_the_ledger_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "ledger.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def killed_while_appending(path: Path, life: int) -> list[dict]:
    """Everything that a process said it had appended before it was killed, in the middle of its work."""
    command = [sys.executable, "-c", APPENDER, str(path), str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8 + 5 * life)]
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_no_acknowledged_record_is_lost_to_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    acknowledged: dict[tuple[int, int], bytes] = {}
    for life in range(5):
        told = killed_while_appending(path, life)
        assert told
        acknowledged |= {(r["index"], r["position"]): r["record"].encode() for one in told for r in one["receipts"]}
        ledger = SQLiteLedger(path)
        kept = {entry.index: entry.records for entry in ledger.entries()}
        for (index, position), record in acknowledged.items():
            assert kept[index][position] == record
        seen, root = told[-1]["size"], bytes.fromhex(told[-1]["root"])
        merkle.verify_consistency(seen, ledger.size(), ledger.consistency_proof(seen), root, ledger.root())
        leaf.verify_included(ledger.leaf(0), 0, ledger.size(), ledger.inclusion_proof(0), ledger.root())
        assert list(ledger.verify())[-1].root == ledger.root()
        ledger.close()


def test_failed_append_leaves_no_trace(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "ledger.sqlite")
    ledger.append([Submission("lineage", (b"a",))])
    with pytest.raises(KeyError):
        ledger.append([Submission("lineage", (b"b",)), Submission("unheard-of", (b"c",))])  # type: ignore[arg-type]
    ((receipt,),) = ledger.append([Submission("lineage", (b"b",))])
    assert (receipt.index, receipt.duplicate, ledger.size()) == (1, False, 2)
    assert list(ledger.verify())[-1].faults == ()
    ledger.close()
