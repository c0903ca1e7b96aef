"""R3: JobEvents and DatasetEvents."""

from __future__ import annotations

from collections.abc import Callable

from lineage.model import Binding
from tests.unit.fold_rules.story import copied, dataset, dataset_event, encoded, job_event, made, made_of, run
from tests.unit.fold_rules.world import World, world_of

Fold = Callable[..., World]


def test_a_job_event_wires_the_logical_level(fold: Fold) -> None:
    """R3: a JobEvent's inputs and outputs, without a run."""
    world = fold(job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]))
    assert world.wires("j") == {"b": {"a"}}
    assert world.versions("a") == world.versions("b") == []


def test_a_later_job_event_replaces_inputs_and_outputs(fold: Fold) -> None:
    """R3: they replace those of the job's earlier JobEvents."""
    world = fold(
        job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]),
        job_event("j", 9, inputs=[dataset("c")], outputs=[dataset("d")]),
    )
    assert world.wires("j") == {"d": {"c"}}


def test_a_later_job_event_without_datasets_withdraws_the_earlier_ones(fold: Fold) -> None:
    """R3: they replace."""
    world = fold(job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]), job_event("j", 9))
    assert world.wires("j") == {}


def test_a_job_event_leaves_what_the_job_s_runs_tell(fold: Fold) -> None:
    """R3: those of the job's earlier JobEvents, not of its runs; R4: the union over its runs."""
    ran = run("r1", job="j").reads("a").writes("b").start(0).complete(5)
    world = fold(ran, job_event("j", 9, inputs=[dataset("c")], outputs=[dataset("b")]))
    assert world.wires("j") == {"b": {"a", "c"}}


def test_job_facets_replace_by_name(fold: Fold) -> None:
    """R3: facets of jobs replace by name: another facet stands."""
    world = fold(
        job_event("j", 0, documentation={"description": "old"}, sourceCodeLocation={"version": "c1"}),
        job_event("j", 9, documentation={"description": "new"}),
    )
    assert world.job("j").description == "new"
    assert world.job("j").commit == "c1"


def test_dataset_facets_replace_by_name(fold: Fold) -> None:
    """R3: facets of datasets replace by name, whole."""
    schema = {"fields": [{"name": "x"}, {"name": "y"}]}
    world = fold(
        dataset_event("a", 0, facets={"documentation": {"description": "old"}, "schema": schema}),
        dataset_event("a", 9, facets={"schema": {"fields": [{"name": "z"}]}}),
    )
    node = world.dataset("a")
    assert node is not None
    assert node.description == "old"
    assert node.facets["schema"] == {"fields": [{"name": "z"}]}


def test_facets_of_run_events_and_dataset_events_replace_each_other(fold: Fold) -> None:
    """R3: last told by (eventTime, hash), whoever tells."""
    ran = run("r1").start(5).writes("a", facets={"documentation": {"description": "by a run"}})
    world = fold(dataset_event("a", 9, facets={"documentation": {"description": "told later"}}), ran)
    node = world.dataset("a")
    assert node is not None
    assert node.description == "told later"


def test_a_deleted_facet_is_gone(fold: Fold) -> None:
    """R3: replaced by its removal."""
    world = fold(
        job_event("j", 0, documentation={"description": "old"}), job_event("j", 9, documentation={"_deleted": True})
    )
    assert world.job("j").description is None


def test_a_dataset_event_s_column_lineage_makes_a_flow_without_a_job(fold: Fold) -> None:
    """R3: key (no job, output)."""
    world = fold(dataset_event("a", 0), dataset_event("b", 9, claims={"y": ["a:x"]}))
    assert world.declared_wires("b") == [{"a"}]
    assert world.columns() == {("a:x", "b:y")}
    assert world.downstream("a") == {"b"}


def test_a_dataset_event_s_lineage_makes_a_flow_without_a_job(fold: Fold) -> None:
    """R3, R5: the ``lineage`` facet names its inputs itself."""
    world = fold(dataset_event("b", 9, sources=["a", "c"]))
    assert world.declared_wires("b") == [{"a", "c"}]


def test_a_dataset_event_s_lineage_goes_before_its_column_lineage(fold: Fold) -> None:
    """R3, R5: lineage beats columnLineage."""
    world = fold(dataset_event("c", 0), dataset_event("b", 9, sources=["a"], claims={"y": ["c:x"]}))
    assert world.declared_wires("b") == [{"a"}]


def test_a_later_dataset_event_replaces_what_the_dataset_is_made_of(fold: Fold) -> None:
    """R3: facets replace by name."""
    named = dataset_event("a", 0), dataset_event("c", 0)
    world = fold(*named, dataset_event("b", 0, sources=["a"]), dataset_event("b", 9, sources=["c"]))
    assert world.declared_wires("b") == [{"c"}]


def test_a_declaration_that_tells_no_version_ties_the_logical_level_only(fold: Fold) -> None:
    """R3: otherwise they tie the logical level only."""
    world = fold(made("r1", "a", 0, 5), made("r2", "b", 10, 15), dataset_event("b", 20, sources=["a"]))
    assert world.declared_wires("b") == [{"a"}]
    assert world.made_from("b@r2") == set()


def test_a_job_event_that_tells_no_output_version_ties_the_logical_level_only(fold: Fold) -> None:
    """R3: an input's version alone ties no versions."""
    told = job_event("j", 20, inputs=[dataset("a", version="v1")], outputs=[dataset("b")])
    world = fold(made("r1", "a", 0, 5, version="v1"), made("r2", "b", 10, 15), told)
    assert world.wires("j") == {"b": {"a"}}
    assert world.made_from("b@r2") == set()


def test_a_dataset_event_that_tells_the_version_ties_it_to_what_its_source_was_when_it_was_written(fold: Fold) -> None:
    """R3: else found by R13 as of that version's writing, not as of the event."""
    world = fold(
        made("r1", "a", 0, 5),
        made("r2", "b", 20, 25, version="w1"),
        made("r3", "a", 40, 45),
        dataset_event("b", 90, version="w1", sources=["a"]),
    )
    assert world.made_from("b@r2") == {"a@r1"}


def test_a_dataset_event_that_tells_the_content_hash_ties_the_version_that_has_it(fold: Fold) -> None:
    """R3 and R10: a content hash is a name of the version, too."""
    world = fold(
        made("r1", "a", 0, 5), made("r2", "b", 20, 25, digest="h1"), dataset_event("b", 90, digest="h1", sources=["a"])
    )
    assert world.made_from("b@r2") == {"a@r1"}


def test_a_job_event_that_tells_versions_ties_them(fold: Fold) -> None:
    """R3: the inputs' are those told."""
    told = job_event("j", 90, inputs=[dataset("a", version="v1")], outputs=[dataset("b", version="w1")])
    world = fold(
        made("r1", "a", 0, 2, version="v1"),
        made("r2", "a", 10, 12, version="v2"),
        made("r3", "b", 20, 25, version="w1"),
        told,
    )
    assert world.made_from("b@r3") == {"a@r1"}


def test_a_job_event_that_tells_only_the_output_s_version_finds_the_inputs(fold: Fold) -> None:
    """R3: found by R13 as of that version's writing."""
    told = job_event("j", 90, inputs=[dataset("a")], outputs=[dataset("b", version="w1")])
    world = fold(made("r1", "a", 0, 2), made("r3", "b", 20, 25, version="w1"), made("r2", "a", 30, 32), told)
    assert world.made_from("b@r3") == {"a@r1"}


def test_what_a_job_event_s_facets_divide_is_tied_divided(fold: Fold) -> None:
    """R3 and R5: a flow feeds one output, without a run too."""
    inputs = [dataset("a", version="v1"), dataset("c", version="u1")]
    outputs = [dataset("b", version="w1", sources=["a"]), dataset("d", version="x1", sources=["c"])]
    world = fold(job_event("j", 0, inputs=inputs, outputs=outputs))
    assert world.wires("j") == {"b": {"a"}, "d": {"c"}}
    assert world.made_from("b=w1") == {"a=v1"}
    assert world.made_from("d=x1") == {"c=u1"}


def test_a_version_that_no_run_wrote_is_tied_as_well(fold: Fold) -> None:
    """R3 and R10: written when it was first seen."""
    world = fold(made("r1", "a", 0, 5), dataset_event("b", 20, version="w1", sources=["a"]))
    assert world.made_from("b=w1") == {"a@r1"}


def test_a_source_that_nobody_wrote_is_met_as_found(fold: Fold) -> None:
    """R3: found by R13: AS_FOUND with gap NO_PRODUCER if nothing wrote it."""
    world = fold(made("r1", "b", 20, 25, version="w1"), dataset_event("b", 90, version="w1", sources=["a"]))
    assert len(world.made_from("b@r1")) == 1
    (version,) = world.made_from("b@r1")
    assert version.startswith("a")


def test_a_told_source_by_time_says_so(fold: Fold) -> None:
    """R3: found by R13, and bound so."""
    world = fold(
        made("r1", "a", 0, 5),
        made("r2", "b", 20, 25, version="w1"),
        dataset_event("b", 90, version="w1", sources=["a"]),
    )
    (edge,) = world.edges_into("b@r2")
    assert edge.binding is Binding.TIME
    assert {gap.code for gap in edge.gaps} == {"TIME_BINDING"}


def test_a_withdrawn_source_ties_no_version(fold: Fold) -> None:
    """R3: an event that tells the version, and nothing of sources, ties nothing."""
    world = fold(made("r1", "a", 0, 5), made("r2", "b", 20, 25, version="w1"), dataset_event("b", 90, version="w1"))
    assert world.made_from("b@r2") == set()


def test_a_job_s_lineage_facet_divides_what_a_job_event_declares(fold: Fold) -> None:
    """R3 and R5: the facet decides for the outputs that it names."""
    entry = {"type": "DATASET", "namespace": "db", "name": "b", **made_of("a")}
    told = job_event(
        "j", 0, inputs=[dataset("a"), dataset("c")], outputs=[dataset("b"), dataset("d")], lineage={"entries": [entry]}
    )
    assert fold(told).wires("j") == {"b": {"a"}, "d": {"c"}}


def test_a_declaration_does_not_unwire_a_run(fold: Fold) -> None:
    """R3: versions are tied by what runs told."""
    world = fold(copied("r1", "a", "b", 0, 5, job="j"), job_event("j", 9, inputs=[], outputs=[]))
    assert world.fed("r1", "j") == {"b": {"a"}}
    assert world.wires("j") == {"b": {"a"}}


def test_a_source_of_which_only_an_uncertain_version_is_known_is_met_uncertain(fold: Fold) -> None:
    """R3: found by R13: TIME on the last uncertain one, gap UNCERTAIN."""
    world = fold(
        run("r1").writes("a").start(0).fail(5),
        made("r2", "b", 20, 25, version="w1"),
        dataset_event("b", 90, version="w1", sources=["a"]),
    )
    assert world.made_from("b@r2") == {"a@r1"}
    (edge,) = world.edges_into("b@r2")
    assert "UNCERTAIN" in {gap.code for gap in edge.gaps}


def test_the_source_of_a_replaced_declaration_is_still_a_dataset() -> None:
    """R3, R7 and invariant 2: an event named it; that the next event came first changes nothing."""
    events = encoded([dataset_event("b", 0, sources=["a"]), dataset_event("b", 9, sources=["c"])])
    assert world_of([events]).dataset("a") is not None
    assert world_of([events[::-1]]).dataset("a") is not None


def test_an_input_that_is_first_seen_with_the_event_is_tied_to_the_version_that_was_written_before(fold: Fold) -> None:
    """R3 and R10: the inputs' are those told: that v1 is heard of only now does not make it newer than w1."""
    told = job_event("j", 50, inputs=[dataset("a", version="v1")], outputs=[dataset("b", version="w1")])
    assert fold(made("r1", "b", 0, 5, version="w1"), told).made_from("b@r1") == {"a=v1"}
