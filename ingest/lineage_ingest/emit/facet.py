"""Our own facets as attrs classes on openlineage-python's base facets; schemas:
``lineage_ingest.facets``.

Their keys are the attribute names that OpenLineage's custom facets rule gives: prefix, underscore, name.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import metadata
from typing import Any

import attr
from openlineage.client.facet_v2 import DatasetFacet, RunFacet

from lineage_ingest.facets import facet_id

PREFIX = "lineageGraph_"
CONTENT_HASH = f"{PREFIX}contentHash"
MODEL = f"{PREFIX}model"
METRICS = f"{PREFIX}metrics"
ENVIRONMENT = f"{PREFIX}environment"
ROLE = f"{PREFIX}role"
ROLLOUT = f"{PREFIX}rollout"


def _version() -> str:
    try:
        return metadata.version("lineage-graph")
    except metadata.PackageNotFoundError:
        return "0"


PRODUCER = f"urn:lineage-graph:emitter:{_version()}"
"""The URI by which events name what made them."""


class Role(StrEnum):
    """What an input is to the training run that reads it."""

    TRAIN = "TRAIN"
    VALIDATION = "VALIDATION"
    TEST = "TEST"
    REFERENCE = "REFERENCE"
    BASE_MODEL = "BASE_MODEL"


def _schema_url(name: str) -> str:
    return f"{facet_id(name)}#/$defs/{name}"


@attr.define
class HashDigest:
    """One content hash on the wire."""

    algorithm: str
    digest: str
    scope: str
    method: str
    bytes: int | None = None
    rows: int | None = None


@attr.define
class ContentHashDatasetFacet(DatasetFacet):
    """``lineageGraph_contentHash``: what the content hashes to."""

    digests: list[HashDigest]

    @staticmethod
    def _get_schema() -> str:
        return _schema_url("ContentHashDatasetFacet")


@attr.define
class Feature:
    """One feature of a model, and how much it weighs."""

    name: str
    importance: float | None = None


@attr.define
class Explainability:
    """How the importance of features was found."""

    method: str


@attr.define
class ModelDatasetFacet(DatasetFacet):
    """``lineageGraph_model``: the card of a trained model."""

    framework: str
    estimator: str
    frameworkVersion: str | None = None  # noqa: N815
    task: str | None = None
    parameters: dict[str, Any] | None = None
    features: list[Feature] | None = None
    explainability: Explainability | None = None

    @staticmethod
    def _get_schema() -> str:
        return _schema_url("ModelDatasetFacet")


@attr.define
class DatasetName:
    """A dataset by its natural key."""

    namespace: str
    name: str


@attr.define
class Metric:
    """One result; ``value`` is finite."""

    name: str
    value: float
    split: str | None = None
    dataset: DatasetName | None = None


@attr.define
class MetricsRunFacet(RunFacet):
    """``lineageGraph_metrics``: results that a run measured."""

    metrics: list[Metric]

    @staticmethod
    def _get_schema() -> str:
        return _schema_url("MetricsRunFacet")


@attr.define
class EnvironmentRunFacet(RunFacet):
    """``lineageGraph_environment``: what a run ran in."""

    packages: dict[str, str]
    python: str | None = None
    image: str | None = None
    seed: int | None = None
    hardware: str | None = None

    @staticmethod
    def _get_schema() -> str:
        return _schema_url("EnvironmentRunFacet")


@attr.define
class RoleDatasetFacet(DatasetFacet):
    """``lineageGraph_role``: what an input is to the run."""

    role: str

    @staticmethod
    def _get_schema() -> str:
        return _schema_url("RoleDatasetFacet")


@attr.define
class TrafficShare:
    """The share of the traffic, in percent, that one model gets."""

    namespace: str
    name: str
    percent: float
    version: str | None = None


@attr.define
class DeliveryPipeline:
    """The pipeline that rolled out: its address and the id of its run."""

    url: str | None = None
    id: str | None = None


@attr.define
class RolloutRunFacet(RunFacet):
    """``lineageGraph_rollout``: how a run of a deployment serves."""

    environment: str | None = None
    endpoint: str | None = None
    traffic: list[TrafficShare] | None = None
    approvedBy: str | None = None  # noqa: N815
    pipeline: DeliveryPipeline | None = None

    @staticmethod
    def _get_schema() -> str:
        return _schema_url("RolloutRunFacet")
