"""What each rule makes a thing depend on: told by an event elsewhere, and folded all the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts, Taken
from lineage.keys import Base, dataset_key, job_key, run_key, store_key
from lineage.ledger import Ledger
from lineage.memory import MemoryReader, MemoryStore
from lineage.model import Binding, Edge, EdgeKind, NameScope, Run, Version
from lineage.past.past import Past
from lineage.store import Direction, GraphReader
from tests.conformance.sides import EntryList

SPARK = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"
Json = dict[str, Any]


def uuid(number: int) -> str:
    return f"01890000-0000-7000-8000-{number:012d}"


def data(name: str, **facets: Json) -> Json:
    return {"namespace": "n", "name": name, "facets": facets}


def version(told: str) -> Json:
    return {"datasetVersion": told}


def symlink(*names: str) -> Json:
    return {"identifiers": [{"namespace": "n", "name": name, "type": "TABLE"} for name in names]}


def columns(*sources: str) -> Json:
    return {"fields": {"x": {"inputFields": [{"namespace": "n", "name": name, "field": "x"} for name in sources]}}}


def job_type(kind: str) -> Json:
    return {"jobType": {"processingType": kind, "integration": "X"}}


def run(
    number: int,
    job: str,
    minute: int,
    reads: Sequence[Json] = (),
    writes: Sequence[Json] = (),
    state: str = "COMPLETE",
    parent: tuple[int, str] | None = None,
    producer: str = "urn:tests",
    **job_facets: Json,
) -> Json:
    facets: Json = {}
    if parent is not None:
        facets["parent"] = {"run": {"runId": uuid(parent[0])}, "job": {"namespace": "n", "name": parent[1]}}
    return {
        "eventTime": f"2026-05-01T10:{minute:02d}:00Z",
        "eventType": state,
        "producer": producer,
        "schemaURL": "urn:schema",
        "run": {"runId": uuid(number), "facets": facets},
        "job": {"namespace": "n", "name": job, "facets": job_facets},
        "inputs": list(reads),
        "outputs": list(writes),
    }


def dataset(minute: int, told: Json) -> Json:
    base = {"eventTime": f"2026-05-01T10:{minute:02d}:00Z", "producer": "urn:tests", "schemaURL": "urn:schema"}
    return {**base, "dataset": told}


def key_of(name: str, number: int, job: str) -> bytes:
    """The version that a batch run wrote."""
    return store_key(Base.VERSION, "n", name, "run", uuid(number), "n", job)


class Then:
    """The graph of the first ``until`` of ``events``, and a past of them of which nothing is folded yet."""

    def __init__(self, *events: Json, until: int | None = None) -> None:
        size = len(events) if until is None else until
        entries = EntryList()
        records = [json.dumps(event).encode() for event in events]
        taken: list[Taken] = []
        for index, record in enumerate(records):
            entries.add("lineage", [record])
            taken.append((index, 0, parse_event(record)))
        facts, present, then = MemoryFacts(), MemoryStore(), MemoryStore()
        fold = Fold(facts)
        present.apply(fold.take(taken), len(taken))
        fold.commit(len(taken))
        then.apply(Fold(MemoryFacts()).take(taken[:size]), size)
        self.then: MemoryReader = then.live()
        self.past: GraphReader = Past(cast(Ledger, entries), facts, size).graph(facts, present.live())

    def version(self, key: bytes) -> Version:
        """The same in both."""
        (expected,), (told,) = self.then.fetch([key]), self.past.fetch([key])
        assert told == expected
        assert isinstance(told, Version)
        return told

    def edges(self, key: bytes, kind: EdgeKind, direction: Direction) -> list[Edge]:
        """The same in both."""
        expected, told = (graph.neighbours([key], [kind], direction) for graph in (self.then, self.past))
        assert told == expected
        return told

    def read_by(self, number: int, job: str, output: str | None = None) -> list[Edge]:
        """What the flow of a batch run read; the same in both."""
        flow = store_key(Base.FLOW, "run", uuid(number), "n", job, *(("n", output) if output else ()))
        return self.edges(flow, EdgeKind.READ_BY, Direction.UPSTREAM)

    def fed_by(self, job: str, output: str) -> list[Edge]:
        """What is wired to a job's flow; the same in both."""
        flow = store_key(Base.FLOW, "job", "n", job, "n", output)
        return self.edges(flow, EdgeKind.FEEDS, Direction.UPSTREAM)


def test_r2_a_symlink_that_only_a_reader_tells() -> None:
    then = Then(
        run(1, "fill", 1, writes=[data("path")]),
        run(2, "look", 2, reads=[data("table", symlinks=symlink("path"))]),
    )
    (edge,) = then.edges(dataset_key("n", "table"), EdgeKind.HAS_VERSION, Direction.DOWNSTREAM)
    assert then.version(edge.target).name == "table"


def test_r2_a_version_under_the_name_that_a_reader_gave_it() -> None:
    then = Then(
        run(1, "fill", 1, writes=[data("path")]),
        run(2, "look", 2, reads=[data("table", symlinks=symlink("path"))]),
    )
    assert then.version(key_of("table", 1, "fill")).name == "table"


def test_r2_a_symlink_that_a_later_one_had_replaced_when_it_came() -> None:
    then = Then(
        run(1, "look", 9, reads=[data("table", symlinks=symlink("other"))]),
        run(2, "look too", 3, reads=[data("table", symlinks=symlink("path")), data("path")]),
    )
    key = dataset_key("n", "path")
    assert then.past.fetch([key]) == then.then.fetch([key]) != [None]


def test_r2_one_run_that_reads_one_name_and_writes_the_other() -> None:
    then = Then(
        run(1, "fill", 1, writes=[data("path")]),
        run(2, "look", 2, reads=[data("table", symlinks=symlink("path"))]),
        run(3, "copy", 3, reads=[data("path")], writes=[data("table")]),
    )
    assert then.version(key_of("path", 1, "fill")).name == "path"


def test_r2_names_that_a_run_of_no_concern_keeps_apart() -> None:
    then = Then(
        run(1, "look", 1, reads=[data("path")], writes=[data("out")]),
        run(2, "name", 2, reads=[data("table", symlinks=symlink("path"))]),
        run(3, "copy", 3, reads=[data("path")], writes=[data("table")]),
    )
    (edge,) = then.fed_by("look", "out")
    assert edge.source == dataset_key("n", "path")


def test_r1_the_type_that_another_run_of_the_job_tells() -> None:
    then = Then(
        run(1, "serve", 1, reads=[data("model")], state="START"),
        run(2, "serve", 0, state="START", **job_type("SERVICE")),
    )
    (node,) = then.past.fetch([run_key(uuid(1), "n", "serve")])
    assert [node] == then.then.fetch([run_key(uuid(1), "n", "serve")])
    assert isinstance(node, Run)
    assert node.type.value == "SERVICE"


def test_r17_the_rollout_that_ends_another() -> None:
    then = Then(
        run(1, "serve", 1, reads=[data("model")], state="START", **job_type("SERVICE")),
        run(2, "serve", 5, reads=[data("model")], state="START", **job_type("SERVICE")),
    )
    (node,) = then.past.fetch([run_key(uuid(1), "n", "serve")])
    assert [node] == then.then.fetch([run_key(uuid(1), "n", "serve")])
    assert isinstance(node, Run)
    assert node.ended_at is not None


def test_r6_columns_that_another_run_of_the_job_claims() -> None:
    both = [data("a"), data("b")]
    then = Then(
        run(1, "split", 1, reads=both, writes=[data("p"), data("q")], state="START"),
        run(
            2,
            "split",
            2,
            reads=both,
            writes=[data("p", columnLineage=columns("a")), data("q", columnLineage=columns("b"))],
        ),
    )
    assert len(then.read_by(1, "split", "p")) == 1


def test_r7_a_name_of_columns_that_an_event_elsewhere_makes_an_input() -> None:
    then = Then(
        run(1, "fill", 2, writes=[data("out", columnLineage=columns("seed"))]),
        dataset(1, data("seed")),
    )
    assert len(then.read_by(1, "fill", "out")) == 1


def test_r7_a_name_of_columns_that_an_event_elsewhere_wires() -> None:
    then = Then(
        run(1, "fill", 2, writes=[data("out", columnLineage=columns("seed"))]),
        dataset(1, data("seed")),
    )
    assert len(then.fed_by("fill", "out")) == 1


def test_r7_a_name_of_columns_that_a_run_elsewhere_makes_an_input() -> None:
    then = Then(
        run(1, "fill", 2, writes=[data("out", columnLineage=columns("seed"))]),
        run(2, "look", 3, reads=[data("seed")]),
    )
    assert len(then.read_by(1, "fill", "out")) == 1


def test_r7_a_name_of_columns_that_is_not_yet_another_name_of_what_is_shown() -> None:
    then = Then(
        run(1, "fill", 2, reads=[data("table")], writes=[data("out", columnLineage=columns("seed", "table"))]),
        dataset(1, data("seed")),
        run(2, "name", 3, reads=[data("table", symlinks=symlink("seed"))]),
        until=2,
    )
    assert [edge.evidence.value for edge in then.fed_by("fill", "out")].count("COLUMN") == 1


def in_one_process(number: int, job: str, minute: int, **told: Any) -> list[Json]:
    where = {"producer": SPARK, "parent": (90, "app")}
    return [
        run(number, f"app.{job}", minute, state="START", **where),
        run(number, f"app.{job}", minute, **told, **where),
    ]


def test_r8_what_a_sibling_in_the_same_process_read() -> None:
    then = Then(
        run(1, "fill", 1, writes=[data("a")]),
        *in_one_process(2, "load", 2, reads=[data("a")], writes=[data("tmp")]),
        *in_one_process(3, "save", 3, writes=[data("b")]),
    )
    (edge,) = then.read_by(3, "app.save", "b")
    assert edge.source == key_of("a", 1, "fill")


def test_r8_what_is_wired_as_a_sibling_read_it() -> None:
    then = Then(
        *in_one_process(2, "load", 2, reads=[data("a")], writes=[data("tmp")]),
        *in_one_process(3, "save", 3, writes=[data("b")]),
    )
    assert [edge.source for edge in then.fed_by("app.save", "b")] == [dataset_key("n", "a")]


def test_r8_who_is_concluded_to_have_read_a_version() -> None:
    then = Then(
        run(1, "fill", 1, writes=[data("a")]),
        *in_one_process(2, "load", 2, reads=[data("a")], writes=[data("tmp")]),
        *in_one_process(3, "save", 3, writes=[data("b")]),
    )
    assert len(then.edges(key_of("a", 1, "fill"), EdgeKind.READ_BY, Direction.DOWNSTREAM)) == 2


def test_spark_a_model_saved_by_a_process_that_has_another_name_itself() -> None:
    part = data("P/stages/0_X_0123456789ab/data")
    then = Then(
        *in_one_process(2, "save", 2, writes=[part]),
        run(90, "application", 1, state="START", producer=SPARK),
    )
    key = store_key(Base.VERSION, "n", "P", "run", uuid(90), "n", "application")
    assert then.version(key).is_model


def test_r11_a_stream_writes_when_what_it_reads_was_written() -> None:
    stream = job_type("STREAMING")
    then = Then(
        run(1, "stream", 1, reads=[data("in")], writes=[data("log")], state="START", **stream),
        run(2, "fill", 3, writes=[data("in")]),
        run(1, "stream", 5, writes=[data("log")], state="RUNNING", **stream),
    )
    edges = then.edges(dataset_key("n", "log"), EdgeKind.HAS_VERSION, Direction.DOWNSTREAM)
    assert len(edges) == 2


def test_r11_the_version_that_a_stream_wrote_then() -> None:
    stream = job_type("STREAMING")
    told = (
        run(1, "stream", 1, reads=[data("in")], writes=[data("log")], state="START", **stream),
        run(2, "fill", 3, writes=[data("in")]),
        run(1, "stream", 5, writes=[data("log")], state="RUNNING", **stream),
    )
    for edge in Then(*told).then.neighbours([dataset_key("n", "log")], [EdgeKind.HAS_VERSION], Direction.DOWNSTREAM):
        assert Then(*told).version(edge.target).run == run_key(uuid(1), "n", "stream")


def test_r12_a_version_that_only_a_reader_declares_joins_a_write() -> None:
    then = Then(
        run(1, "fill", 1, writes=[data("a")]),
        run(2, "look", 3, reads=[data("a", version=version("7"))]),
    )
    assert then.version(key_of("a", 1, "fill")).declared == ("7",)


def test_r15_parents_that_are_one_run_under_two_names() -> None:
    create = {"lifecycleStateChange": "CREATE"}
    told = (
        run(1, "one", 1, writes=[data("a", lifecycleStateChange=create)], parent=(90, "dag")),
        run(2, "two", 3, writes=[data("a", lifecycleStateChange=create)], parent=(90, "dag.two")),
        run(90, "dag", 0, state="START"),
    )
    then = Then(*told)
    assert then.version(key_of("a", 2, "two"))
    assert Then(*told).read_by(2, "two", "a")


def renamed(number: int, minute: int) -> Json:
    previous = {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "n", "name": "old"}}
    return run(number, f"move{number}", minute, writes=[data("new", lifecycleStateChange=previous)])


def test_r16_a_rename_is_a_write_once_in_a_life_of_the_old_name() -> None:
    told = (
        run(1, "fill", 1, writes=[data("old")]),
        renamed(2, 2),
        run(3, "again", 3, writes=[data("old")]),
        renamed(4, 4),
    )
    assert Then(*told).version(key_of("new", 4, "move4"))
    without = Then(*told[:2], *told[3:])
    assert without.past.fetch([key_of("new", 4, "move4")]) == [None] == without.then.fetch([key_of("new", 4, "move4")])


def test_r3_what_a_told_version_was_made_from_as_of_its_writing() -> None:
    told = (
        run(1, "fill", 1, writes=[data("a")]),
        run(2, "fill", 5, writes=[data("a")]),
        run(3, "make", 3, writes=[data("b", version=version("7"))]),
        dataset(9, data("b", version=version("7"), columnLineage=columns("a"))),
    )
    then = Then(*told)
    found = then.edges(key_of("a", 1, "fill"), EdgeKind.READ_BY, Direction.DOWNSTREAM)
    assert len(found) == 1
    assert found[0].binding is Binding.TIME


def test_r10_a_version_that_only_what_is_made_from_it_tells_of() -> None:
    told = (
        run(3, "make", 3, writes=[data("b", version=version("7"))]),
        dataset(9, data("b", version=version("7"), columnLineage=columns("a"))),
        dataset(1, data("a")),
    )
    then = Then(*told)
    (edge,) = then.edges(dataset_key("n", "a"), EdgeKind.HAS_VERSION, Direction.DOWNSTREAM)
    assert Then(*told).version(edge.target).written_at == then.version(edge.target).written_at


def test_r1_a_parent_that_never_spoke_and_its_job() -> None:
    told = (run(1, "child", 1, parent=(90, "dag")), run(2, "other", 2, parent=(90, "dag")))
    for key in (run_key(uuid(90), "n", "dag"), job_key("n", "dag")):
        then = Then(*told)
        assert then.past.fetch([key]) == then.then.fetch([key]) != [None]
    then = Then(*told)
    assert len(then.edges(run_key(uuid(90), "n", "dag"), EdgeKind.PARENT_OF, Direction.DOWNSTREAM)) == 2
    assert Then(*told).past.lookup(NameScope.RUN_ID, uuid(90)) == [run_key(uuid(90), "n", "dag")]
