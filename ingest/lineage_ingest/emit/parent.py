"""Which run started a run (OpenLineage ``parent`` facet, with the root of the whole)."""

from __future__ import annotations

import logging
import os
import uuid
from dataclasses import dataclass

from openlineage.client.facet_v2 import parent_run

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunReference:
    """A run by its job and its runId."""

    namespace: str
    job: str
    run_id: str

    @classmethod
    def parse(cls, text: str) -> RunReference | None:
        """From ``namespace/job/runId``, as Airflow's and dbt's integrations write it; the job may hold slashes. None
        if not so."""
        namespace, _, rest = text.partition("/")
        job, _, run_id = rest.rpartition("/")
        try:
            return cls(namespace, job, str(uuid.UUID(run_id))) if job else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Parent:
    """The run that started a run, and the one that everything began with."""

    run: RunReference
    root: RunReference

    def facet(self) -> parent_run.ParentRunFacet:
        """As a run facet."""
        return parent_run.ParentRunFacet(
            run=parent_run.Run(self.run.run_id),
            job=parent_run.Job(self.run.namespace, self.run.job),
            root=parent_run.Root(
                run=parent_run.RootRun(self.root.run_id), job=parent_run.RootJob(self.root.namespace, self.root.job)
            ),
        )


def parent_from_environment() -> Parent | None:
    """From ``OPENLINEAGE_PARENT_ID`` and ``OPENLINEAGE_ROOT_PARENT_ID``, which orchestrators set for what they
    start."""
    run = _reference("OPENLINEAGE_PARENT_ID")
    if run is None:
        return None
    return Parent(run, _reference("OPENLINEAGE_ROOT_PARENT_ID") or run)


def _reference(variable: str) -> RunReference | None:
    text = os.environ.get(variable)
    if not text:
        return None
    reference = RunReference.parse(text)
    if reference is None:
        log.warning("%s=%r is not namespace/job/runId and is left out.", variable, text)
    return reference
