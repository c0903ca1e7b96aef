"""Deployments and rollouts: a job that is a SERVICE, and its runs, each open while it serves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lineage_ingest.emit import facet
from lineage_ingest.emit.dataset import AnyPath, Dataset, Model, Output
from lineage_ingest.emit.delivery import Delivery
from lineage_ingest.emit.job import Job
from lineage_ingest.emit.parent import Parent
from lineage_ingest.emit.run import Described, Run


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where models serve; ``environment`` is that of its rollouts, unless they say otherwise."""

    delivery: Delivery
    job: Job
    environment: str | None = None

    def rollout(
        self,
        models: Iterable[Model],
        *,
        environment: str | None = None,
        endpoint: str | None = None,
        traffic: Iterable[tuple[Model, float]] = (),
        approved_by: str | None = None,
        pipeline: facet.DeliveryPipeline | None = None,
        log: Dataset | None = None,
        parent: Parent | None = None,
    ) -> Rollout:
        """A rollout of ``models``, not begun yet: ``with`` or :meth:`Rollout.start` begins it.

        ``traffic`` pairs models with percent (under 100 in all, the rollout serves beside others), ``log`` is the
        dataset that predictions are written to.
        """
        rollout = Rollout(self.delivery, self.job, parent)
        rollout.add_facet(
            facet.ROLLOUT,
            facet.RolloutRunFacet(
                environment=environment or self.environment,
                endpoint=endpoint,
                traffic=[_share(model, percent) for model, percent in traffic] or None,
                approvedBy=approved_by,
                pipeline=pipeline,
            ),
        )
        for model in models:
            rollout.reads(model)
        if log is not None:
            # A growing log has no content hash; named without a path it gets none.
            rollout.writes(replace(log, path=None))
        return rollout


class Rollout(Run):
    """A run of a deployment: START when it begins to serve, COMPLETE (:meth:`stop`) or ABORT when it stops."""

    def reads(
        self,
        dataset: Described,
        *,
        role: facet.Role | str | None = None,
        version: str | None = None,
        path: AnyPath | None = None,
        hashing: bool = True,
    ) -> Dataset:
        """Tell a model that is served, or reference data; of a rollout that serves already, at once."""
        told = super().reads(dataset, role=role, version=version, path=path, hashing=hashing)
        if self._state == "RUNNING":
            self.running()
        return told

    def stop(self) -> None:
        """Tell that it stopped serving as planned. Raises RunStateError when it does not serve."""
        self.complete()

    def _outputs_at_start(self) -> Iterable[Output]:
        return self._outputs.values()


def _share(model: Model, percent: float) -> facet.TrafficShare:
    return facet.TrafficShare(model.namespace, model.name, percent, model.version)
