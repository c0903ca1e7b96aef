"""One row for each type of thing: what the types of the schema (:mod:`lineage_graphql.nodes`) read by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineage.keys import dataset_key, job_key
from lineage.model import Column, Dataset, Digest, Job, Run, RunType, Version
from lineage.predictions import Prediction
from lineage_graphql import relations
from lineage_graphql.siblings import Row


class DatasetRow(Row, of=Dataset):
    """A dataset or model."""

    __slots__ = ()


class JobRow(Row, of=Job):
    """A job or deployment."""

    __slots__ = ()

    @property
    def code_version(self) -> str | None:
        """The commit."""
        commit: str | None = self.thing.commit
        return commit


class ColumnRow(Row, of=Column):
    """A field of a dataset."""

    __slots__ = ()
    updated_at = None

    @property
    def holder(self) -> Any:
        """The dataset."""
        return self.siblings.one(relations.datasets, dataset_key(self.thing.namespace, self.thing.name))

    @property
    def dataset(self) -> Any:
        """What it is a field of."""
        return self.holder


class VersionRow(Row, of=Version):
    """A version of a dataset or model."""

    __slots__ = ()

    @property
    def holder(self) -> Any:
        """The dataset."""
        return self.siblings.one(relations.datasets, self.thing.dataset)

    @property
    def dataset(self) -> Any:
        """What it is a state of."""
        return self.holder

    @property
    def declared_versions(self) -> Sequence[str]:
        """Every version declared for it."""
        declared: Sequence[str] = self.thing.declared
        return declared

    @property
    def version(self) -> str | None:
        """The last of them."""
        return self.thing.declared[-1] if self.thing.declared else None

    @property
    def content_hashes(self) -> Sequence[Digest]:
        """Its content hashes."""
        digests: Sequence[Digest] = self.thing.digests
        return digests

    @property
    def model_card(self) -> Any:
        """What is told of a model; null if nothing."""
        return self.thing.card or None

    @property
    def tags(self) -> Sequence[str]:
        """Its dataset's."""
        return self.holder.tags if self.holder else ()

    @property
    def updated_at(self) -> int:
        """When it was written."""
        return int(self.thing.written_at)

    @property
    def written_by(self) -> Any:
        """The run that wrote it."""
        return self.siblings.one(relations.writers, self.thing.run) if self.thing.run else None


class RunRow(Row, of=Run):
    """A run or rollout."""

    __slots__ = ()

    @property
    def holder(self) -> Any:
        """The job."""
        return self.siblings.one(relations.jobs, job_key(*self.thing.job))

    @property
    def job(self) -> Any:
        """What it is an execution of."""
        return self.holder

    @property
    def code_version(self) -> str | None:
        """The commit."""
        commit: str | None = self.thing.commit
        return commit

    @property
    def run_type(self) -> RunType:
        """BATCH, STREAMING or SERVICE."""
        told: RunType = self.thing.type
        return told

    @property
    def rollout(self) -> Any:
        """What is told of a rollout; null if nothing."""
        return self.thing.rollout or None

    @property
    def parent(self) -> Any:
        """The run that started it."""
        return self.siblings.one(relations.parents, self.thing.key)


class PredictionRow(Row, of=Prediction):
    """A prediction record."""

    __slots__ = ()
    tags = ()

    @property
    def holder(self) -> Any:
        """The deployment."""
        return self.siblings.one(relations.jobs, job_key(*self.thing.deployment))

    @property
    def deployment(self) -> Any:
        """What made it."""
        return self.holder

    @property
    def rollout_run_id(self) -> str | None:
        """The rollout, as the record tells it."""
        told: str | None = self.thing.run_id
        return told

    @property
    def prediction_id(self) -> str:
        """Its id within the deployment."""
        return str(self.thing.id)

    @property
    def ledger_index(self) -> int:
        """The entry that holds it."""
        return int(self.thing.index)

    @property
    def updated_at(self) -> int:
        """When it was made."""
        return int(self.thing.time)
