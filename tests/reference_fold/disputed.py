"""Worlds in which the reference and the fold are known to read a rule otherwise: left out of the comparison.

One predicate for each, named after what it looks for. A predicate goes when the two agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_fold.division import Feeds, feeds_of_run
from reference_fold.names import datasets_of
from reference_fold.versions import endings_of
from reference_fold.world import Run, World, world_of

from lineage.event.model import Event, EventKind, Name
from lineage.facts.extract import CONTENT_HASH

RunFeeds = dict[Run, Feeds]


def is_disputed(events: Iterable[Event]) -> bool:
    """Whether anything in ``events`` is read in two ways."""
    world = world_of(events)
    feeds = {run: feeds_of_run(run, world) for run in world.runs.values()}
    return any(found(world, feeds) for found in _DISPUTES)


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


_DISPUTES = (
    _tells_of_one_version_twice,
    _renames_what_it_writes,
)
