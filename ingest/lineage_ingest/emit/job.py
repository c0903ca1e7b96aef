"""What a run is an execution of: a job, by (namespace, name), with the facets that stay the same from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openlineage.client.event_v2 import Job as JobOnWire
from openlineage.client.facet_v2 import JobFacet, documentation_job, job_type_job, ownership_job

from lineage_ingest.emit.code import CodeLocation

INTEGRATION = "LINEAGE_GRAPH"


@dataclass(frozen=True, slots=True)
class Job:
    """A job; ``processing`` and ``kind`` are OpenLineage's processingType and jobType, ``owners`` URNs such as
    ``team:ml``."""

    namespace: str
    name: str
    processing: Literal["BATCH", "STREAMING", "SERVICE"] = "BATCH"
    kind: str = "JOB"
    description: str | None = None
    owners: tuple[str, ...] = ()
    code: CodeLocation | None = None

    def on_wire(self) -> JobOnWire:
        """As events carry it."""
        facets: dict[str, JobFacet] = {
            "jobType": job_type_job.JobTypeJobFacet(
                processingType=self.processing, integration=INTEGRATION, jobType=self.kind
            )
        }
        if self.description:
            facets["documentation"] = documentation_job.DocumentationJobFacet(self.description)
        if self.owners:
            facets["ownership"] = ownership_job.OwnershipJobFacet([ownership_job.Owner(owner) for owner in self.owners])
        if self.code:
            facets["sourceCodeLocation"] = self.code.facet()
        return JobOnWire(self.namespace, self.name, facets=facets)
