"""Worlds in which the reference and the fold are known to read a rule otherwise: left out of the comparison.

One predicate for each, named after what it looks for. A predicate goes when the two agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_fold.division import Feeds, feeds_of_run, lifecycle_of, outputs_named, told_by
from reference_fold.names import datasets_of
from reference_fold.versions import endings_of, written_time
from reference_fold.world import TERMINAL, Run, World, world_of

from lineage.event.model import Event, EventKind, Name
from lineage.facts.extract import CONTENT_HASH, dataset_telling

RunFeeds = dict[Run, Feeds]


def is_disputed(events: Iterable[Event]) -> bool:
    """Whether anything in ``events`` is read in two ways."""
    world = world_of(events)
    feeds = {run: feeds_of_run(run, world) for run in world.runs.values()}
    return any(found(world, feeds) for found in _DISPUTES)


def _ends_what_it_reads_at_once(world: World, feeds: RunFeeds) -> bool:
    """R16: a DROP or RENAME counts at the run's end, its own read at its start."""
    return any(
        ending.dataset in feeds[ending.run].evidence and (ending.run.streams or ending.time <= ending.run.start)
        for ending in endings_of(world)
    )


def _ends_and_is_written_at_once(world: World, feeds: RunFeeds) -> bool:
    """R0, R16: ties of an end of life and a write, or of two ends, go by rank."""
    endings = endings_of(world)
    places = [(ending.dataset, ending.time, ending.run) for ending in endings]
    for run, fed in feeds.items():
        if not run.streams:
            places += [(output, written_time(run, output), run) for output in fed.outputs]
        else:
            places += [(output, claims.time, run) for output in fed.outputs for claims in run.claims]
    return any(
        (one.dataset, one.time) == (dataset, time) and one.run is not run
        for one in endings
        for dataset, time, run in places
    )


def _fails_to_write_after_an_end(world: World, feeds: RunFeeds) -> bool:
    """R14, R16: the last certain version is of an ended life."""
    ended = {ending.dataset for ending in endings_of(world)}
    return any(run.failed and ended.intersection(fed.outputs) for run, fed in feeds.items())


def _fails_to_rename(world: World, feeds: RunFeeds) -> bool:
    """R14, R16: what an uncertain RENAME takes along."""
    return any(
        run.failed and any(lifecycle_of(run.claims, output) == "RENAME" for output in outputs_named(run.claims))
        for run in world.runs.values()
    )


def _starts_again_and_ends_at_once(world: World, feeds: RunFeeds) -> bool:
    """R1, R14: START and the end of an attempt may carry one time."""
    return any(
        any(claims.type == "FAIL" for claims in run.claims)
        and {claims.time for claims in run.claims if claims.type == "START"}
        & {claims.time for claims in run.claims if claims.type in TERMINAL}
        for run in world.runs.values()
    )


def _writes_what_no_input_names(world: World, feeds: RunFeeds) -> bool:
    """R15: "if the run also reads the dataset", whichever facet says that it does; and how evident that is."""
    return any(
        output in fed.evidence and output not in told_by(run.claims, streams=run.streams).inputs
        for run, fed in feeds.items()
        for output in fed.outputs
    )


def _is_concluded_from_the_parent(world: World, feeds: RunFeeds) -> bool:
    """R9, R15: what a CREATE under the same parent is concluded to build on is INFERRED."""
    return any(
        run.parent is not None and any(lifecycle_of(run.claims, output) == "CREATE" for output in fed.outputs)
        for run, fed in feeds.items()
    )


def _is_left_to_entries(world: World, feeds: RunFeeds) -> bool:
    """R5, R6: an output that no entry names, and whose columnLineage feeds nothing or is another run's."""
    for run in world.runs.values():
        told = told_by(run.claims)
        if {entry.target for entry in told.entries} < told.outputs and any(
            told_by(other.claims).columns for other in world.runs.values() if other.id[1] == run.id[1]
        ):
            return True
    return False


def _tells_twice(world: World, feeds: RunFeeds) -> bool:
    """R10, R12 e: a continuous run that tells one version, or one hash, of a dataset more than once."""
    for run in world.runs.values():
        told: list[object] = []
        for claims in run.claims if run.streams else ():
            reads = {(read.name, name) for read in claims.reads for name in (read.version, *read.digests) if name}
            lines = {(line.name, line.version) for line in claims.traffic or () if line.version}
            told += [*(reads | lines), *((w.name, w.version) for w in claims.writes if w.version)]
        if len(set(told)) < len(told):
            return True
    return False


def _infers_for_a_continuous_run(world: World, feeds: RunFeeds) -> bool:
    """R8: a child run of any type that writes."""
    return any(run.in_one_process and run.streams for run in world.runs.values())


def _tells_of_hidden_sources(world: World, feeds: RunFeeds) -> bool:
    """R3, R7: names that only columnLineage gives stay hidden."""
    tellings = [told for event in world.events if event.dataset is not None and (told := dataset_telling(event))]
    return any(world.names.of(read.name) not in world.known for told in tellings for read in told.reads or ())


def _tells_of_one_version_twice(world: World, feeds: RunFeeds) -> bool:
    """R3: a version that several events name, one of them as made from others without a run."""
    told: list[tuple[Name, str]] = []
    made: set[tuple[Name, str]] = set()
    for event in world.events:
        for dataset in datasets_of(event):
            digests = dataset.facets.get(CONTENT_HASH, {}).get("digests", [])
            version = dataset.facets.get("version", {}).get("datasetVersion")
            names = [each for each in (version, *(digest["digest"] for digest in digests)) if each]
            told += [(world.names.of(dataset.name), name) for name in names]
            if event.kind is not EventKind.RUN:
                made |= {(world.names.of(dataset.name), name) for name in names}
    return any(told.count(each) > 1 for each in made)


def _renames_what_it_writes(world: World, feeds: RunFeeds) -> bool:
    """R16: whether what a run writes under the old name begins another life before its own RENAME."""
    return any(ending.renamed_to and ending.dataset in feeds[ending.run].of for ending in endings_of(world))


def _names_an_output_twice(world: World, feeds: RunFeeds) -> bool:
    """R11: what one event of a continuous run tells of one output, in several places."""
    return any(
        len({write.name for write in claims.writes}) < len(claims.writes)
        for run in world.runs.values()
        for claims in run.claims
        if run.streams
    )


_DISPUTES = (
    _ends_what_it_reads_at_once,
    _ends_and_is_written_at_once,
    _fails_to_write_after_an_end,
    _fails_to_rename,
    _starts_again_and_ends_at_once,
    _writes_what_no_input_names,
    _is_concluded_from_the_parent,
    _is_left_to_entries,
    _tells_twice,
    _infers_for_a_continuous_run,
    _tells_of_hidden_sources,
    _tells_of_one_version_twice,
    _renames_what_it_writes,
    _names_an_output_twice,
)
