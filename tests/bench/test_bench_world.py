"""A made world is the same each time, its rows are those of its events, and the stores reach what plain search does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from ground_truth import GroundTruth, Thing
from world import DAY, START, Shape, World, make_world
from world_changes import world_changes, write_world
from world_events import world_events
from world_names import Names

from lineage.answer import ImpactHit, Pages, View
from lineage.errors import NotFoundError
from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.key_array import unpack
from lineage.kind import KIND_CODES
from lineage.memory import MemoryStore
from lineage.predictions import PredictionReader
from lineage.predictions.sqlite import PredictionIndex
from lineage.questions.impact import impact
from lineage.questions.moment import at_moment
from lineage.questions.radius import Radius
from lineage.questions.subjects import DatasetRef
from lineage.sqlite import SQLiteStore
from lineage.store import Direction, EdgeFilter, GraphReader, GraphStore, Level

SUBJECTS = 1000
NOTHING = bytes(16)
SHAPES = {"it runs": Shape(1000), "it is declared": Shape(500, days=0)}


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(Shape(3000))


@pytest.fixture(scope="module")
def truth(world: World) -> GroundTruth:
    return GroundTruth(world)


@pytest.fixture(scope="module")
def nothing_predicted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PredictionReader]:
    index = PredictionIndex(tmp_path_factory.mktemp("index") / "predictions.sqlite")
    with index.reader() as reader:
        yield reader
    index.close()


@contextmanager
def written(world: World, store: GraphStore) -> Iterator[GraphReader]:
    write_world(world, store)
    with store.reader() as reader:
        yield reader
    store.close()


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def graph(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GraphReader]:
    path: Path = tmp_path_factory.mktemp("world") / "graph.sqlite"
    with ExitStack() as closing:
        store = MemoryStore() if request.param == "memory" else SQLiteStore(path)
        yield closing.enter_context(written(world, store))


def test_a_world_is_the_same_each_time() -> None:
    one, other = (list(world_changes(make_world(Shape(400)))) for _ in range(2))
    assert one == other


def test_another_seed_makes_another_world() -> None:
    assert make_world(Shape(400)).jobs != make_world(Shape(400, seed=1)).jobs


def test_a_world_has_hubs_diamonds_versions_models_and_rollouts(world: World, truth: GroundTruth) -> None:
    readers = [0] * world.shape.datasets
    for job in world.jobs:
        for source in job.inputs:
            readers[source] += 1
    assert max(readers) > 50
    assert any(len(truth.versions(dataset)) > 2 for dataset in range(world.shape.datasets))
    assert world.models
    assert any(rollout.end is not None for rollout in world.rollouts())
    assert any(len(set(job.inputs) & set(truth_inputs(world, job.inputs))) > 0 for job in world.jobs)


def truth_inputs(world: World, datasets: tuple[int, ...]) -> set[int]:
    """What the jobs that write ``datasets`` read."""
    return {source for job in world.jobs if set(job.outputs) & set(datasets) for source in job.inputs}


@pytest.mark.parametrize("name", SHAPES)
def test_the_rows_are_those_that_the_fold_gives_of_the_events(name: str) -> None:
    world = make_world(SHAPES[name])
    events = [(index, 0, parse_event(event)) for index, event in enumerate(world_events(world))]
    folded = MemoryStore()
    folded.apply(Fold(MemoryFacts()).take(events), 0)
    with written(world, MemoryStore()) as made, folded.reader() as told:
        assert list(made.dump()) == list(told.dump())


def test_both_levels_reach_what_plain_search_finds(world: World, truth: GroundTruth, graph: GraphReader) -> None:
    draw = random.Random(1)
    met = 0
    for dataset in draw.choices(range(world.shape.datasets), k=SUBJECTS // 5):
        as_of = draw.choice([None, START + int(draw.random() * 4 * DAY)])
        seeds = [truth.key(version) for version in truth.versions(dataset)]
        wired = reached(graph, Level.LOGICAL, [truth.key(("dataset", dataset, 0))], as_of)
        ran = reached(graph, Level.VERSION, seeds, as_of)
        expected = truth.potential(dataset, as_of), truth.actual(dataset, as_of)
        assert (wired, ran) == (keyed(truth, expected[0]), keyed(truth, expected[1])), (dataset, as_of)
        met += len(wired) + len(ran)
    assert met > SUBJECTS // 5


def test_an_impact_has_exactly_the_hits_that_plain_search_finds(
    world: World, truth: GroundTruth, graph: GraphReader, nothing_predicted: PredictionReader
) -> None:
    now, names = View(graph, nothing_predicted), Names(world)
    draw = random.Random(3)
    for dataset in draw.choices(range(world.shape.datasets), k=SUBJECTS):
        as_of = draw.choice([None, START + int(draw.random() * 4 * DAY)])
        view, of = at_moment(now, as_of), DatasetRef(*names.dataset(dataset))
        if as_of is not None and as_of < truth.known_since(dataset):
            with pytest.raises(NotFoundError):
                impact(view, of)
        else:
            answer = impact(view, of)
            assert answer.complete
            assert distances(answer.potential) == keyed(truth, truth.potential(dataset, as_of)), (dataset, as_of)
            assert distances(answer.actual) == keyed(truth, truth.actual(dataset, as_of)), (dataset, as_of)


def distances(pages: Pages[ImpactHit]) -> dict[bytes, int]:
    """The hits of a radius, no key twice."""
    assert isinstance(pages, Radius)
    found = dict(zip(unpack(pages.hits.keys), pages.hits.distances.tolist(), strict=True))
    assert len(found) == pages.total
    return found


def test_what_a_dataset_comes_from_is_what_plain_search_finds(
    world: World, truth: GroundTruth, graph: GraphReader
) -> None:
    for dataset in random.Random(2).choices(range(world.shape.datasets), k=SUBJECTS // 10):
        found = reached(graph, Level.LOGICAL, [truth.key(("dataset", dataset, 0))], None, Direction.UPSTREAM)
        assert found == keyed(truth, truth.wired_from(dataset)), dataset


def keyed(truth: GroundTruth, things: dict[Thing, int]) -> dict[bytes, int]:
    return {truth.key(thing): distance for thing, distance in things.items()}


def reached(
    graph: GraphReader,
    level: Level,
    seeds: list[bytes],
    as_of: int | None,
    direction: Direction = Direction.DOWNSTREAM,
) -> dict[bytes, int]:
    """The things that a traversal finds, each at its least distance."""
    reach = graph.reach(level, seeds, direction, EdgeFilter(as_of=as_of))
    assert reach.cut is None
    assert not set(unpack(reach.keys)) & set(seeds)
    found: dict[bytes, int] = {}
    for thing, kind, distance in zip(unpack(reach.things), reach.kinds, reach.distances.tolist(), strict=True):
        assert (kind == KIND_CODES[None]) == (thing == NOTHING)
        found[thing] = min(distance, found.get(thing, distance))
    return found
