"""The ledger against a plain list, driven by a Hypothesis state machine."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lineage.ledger import Envelope, Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.proof import leaf, merkle

records = st.one_of(st.sampled_from([b"a", b"b", b"c", b"{}"]), st.binary(max_size=40))
envelopes = st.builds(
    Envelope,
    sender=st.sampled_from([None, "dbt"]),
    transport=st.sampled_from(["http", "file"]),
    content_type=st.none() | st.text(max_size=5),
    source_offset=st.none() | st.text(max_size=5),
)
submissions = st.builds(
    Submission,
    kind=st.sampled_from(["lineage", "predictions"]),
    records=st.lists(records, min_size=1, max_size=5).map(tuple),
    envelope=envelopes,
)


class LedgerAgainstList(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = SQLiteLedger(self.folder / "ledger.sqlite")
        self.entries: list[Submission] = []
        self.places: dict[tuple[str, bytes], tuple[int, int]] = {}
        self.roots = [merkle.EMPTY_ROOT]
        self.leaves: list[bytes] = []

    @rule(batch=st.lists(submissions, max_size=12))
    def append(self, batch: list[Submission]) -> None:
        expected = [self.model(one) for one in batch]
        told = self.ledger.append(batch)
        assert [[(one.index, one.position, one.duplicate) for one in receipts] for receipts in told] == expected
        for index in range(len(self.leaves), len(self.entries)):
            self.leaves.append(self.ledger.leaf(index))
            self.roots.append(merkle.root([merkle.leaf_hash(data) for data in self.leaves]))

    def model(self, submission: Submission) -> list[tuple[int, int, bool]]:
        kept: list[bytes] = []
        told = []
        for record in submission.records:
            duplicate = (submission.kind, record) in self.places
            if not duplicate:
                self.places[submission.kind, record] = (len(self.entries), len(kept))
                kept.append(record)
            told.append((*self.places[submission.kind, record], duplicate))
        if kept:
            self.entries.append(Submission(submission.kind, tuple(kept), submission.envelope))
        return told

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = SQLiteLedger(self.folder / "ledger.sqlite", create=False)

    @rule(data=st.data())
    def prove(self, data: st.DataObject) -> None:
        if not self.entries:
            return
        size = data.draw(st.integers(1, len(self.entries)))
        index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
        leaf.verify_included(
            self.leaves[index], index, size, self.ledger.inclusion_proof(index, size), self.roots[size]
        )
        proof = self.ledger.consistency_proof(first, size)
        merkle.verify_consistency(first, size, proof, self.roots[first], self.roots[size])
        assert self.ledger.root(size) == self.roots[size]

    @rule()
    def verify(self) -> None:
        last = list(self.ledger.verify())[-1]
        assert (last.faults, last.root) == ((), self.roots[-1])

    @invariant()
    def reads_as_the_list(self) -> None:
        told = list(self.ledger.entries())
        assert [Submission(one.kind, one.records, one.envelope) for one in told] == self.entries
        assert [one.index for one in told] == list(range(len(self.entries)))
        assert self.ledger.size() == len(self.entries)
        assert self.ledger.root() == self.roots[-1]
        assert [self.ledger.leaf(index) for index in range(len(told))] == self.leaves

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)


LedgerAgainstList.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestLedgerAgainstList = LedgerAgainstList.TestCase
