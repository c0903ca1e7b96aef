"""What the things of a made world are called, and what is told of their contents: from numbers to names and keys."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from world import COLUMNS, Rollout, Version, World

from lineage.event.model import Name
from lineage.keys import Base, store_key
from lineage.timeline.writes import version_key

DIGESTED = 4
"""Each so many-th dataset's versions tell a content hash."""


class Names:
    """The names in ``world``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def dataset(self, number: int) -> Name:
        """A table's or model's."""
        kind = "model" if number in self._world.models else "table"
        return Name(f"db://domain-{self._world.domain_of[number]:05}", f"{kind}_{number}")

    def job(self, number: int) -> Name:
        """A pipeline's job."""
        return Name(f"pipelines-{self._world.jobs[number].domain.number:05}", f"build_{number}")

    def deployment(self, model: int) -> Name:
        """That of the deployment which serves ``model``."""
        return Name("serving", f"serve_{model}")

    def log(self, model: int) -> Name:
        """That of the dataset into which the deployment writes its predictions."""
        return Name("db://predictions", f"log_{model}")


def run_id(job: int, nth: int) -> str:
    """The runId of a job's ``nth`` run."""
    return _uuid(0x7000, job << 8 | nth)


def rollout_id(rollout: Rollout) -> str:
    """The runId of a rollout."""
    return _uuid(0x7001, rollout.model << 8 | rollout.nth)


def _uuid(group: int, number: int) -> str:
    return f"018f0000-0000-{group:04x}-8000-{number:012x}"


def version_of(names: Names, version: Version, run: str, job: int) -> bytes:
    """The key of a version that the run with this runId wrote."""
    return version_key(names.dataset(version.dataset), (run, *names.job(job), None))


def job_flow(job: Name, output: Name, *until: int) -> bytes:
    """The key of the flow of a job into one output, of what was replaced at a moment."""
    return store_key(Base.FLOW, "job", *job, *output, *map(str, until))


def run_flow(run: str, job: Name, output: Name, *moment: int) -> bytes:
    """The key of the flow of a run into one output, of a rollout at a moment."""
    return store_key(Base.FLOW, "run", run, *job, *output, *map(str, moment))


def declared(version: Version) -> str:
    """What a version is called by the producer."""
    return f"v{version.nth}"


def digest(version: Version) -> dict[str, Any] | None:
    """What is told of a version's content."""
    if version.dataset % DIGESTED:
        return None
    text = sha256(b"%d %d" % version).hexdigest()
    return {"algorithm": "sha256", "digest": text, "scope": "FULL", "method": "table"}


def schema() -> dict[str, Any]:
    """The schema facet of a dataset whose columns are told."""
    return {"fields": [{"name": column, "type": "BIGINT"} for column in COLUMNS]}


def owners(domain: int) -> dict[str, Any]:
    """The ownership facet of a domain's datasets."""
    return {"owners": [{"name": f"team-{domain % 50}", "type": "MAINTAINER"}]}
