"""What a row or an edge of the past can need."""

from __future__ import annotations

from enum import Enum


class Need(Enum):
    """What can be needed, and of what: a run by key, a runId, a job or a dataset by name."""

    RUN = "its events"
    SPOKEN = "which runs with this runId spoke"
    SILENT = "who names a run with this runId as parent"
    FAMILY = "what siblings in one process read"
    ROWS = "a run's flows, reads and writes"
    JOB = "its facets and the events of its runs"
    WIRES = "its flows"
    SILENT_RUNS = "its runs that never spoke"
    EVENTS = "all that names the dataset"
    CALLED = "its names, and whether it is a model"
    DATASET = "its own row"
    EXISTS = "whether there is such a dataset, and how it is called"
    SHOWN = "whether anything but columnLineage names it"
    VERSIONS = "what was written, and which reads meet what"
    READERS = "who read any version"
    DECLARED = "what it says itself that it was made from"
    INTO = "what feeds it"
    OUT_OF = "what it feeds"
