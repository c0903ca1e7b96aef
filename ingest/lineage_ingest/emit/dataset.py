"""Datasets and models as a pipeline describes them, and as events carry them (OpenLineage 2-0-2).

A local file is named as OpenLineage's naming specification says: namespace ``file``, name the absolute path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from openlineage.client.event_v2 import InputDataset, OutputDataset, StaticDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    column_lineage_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
)

from lineage_ingest.emit import facet
from lineage_ingest.emit.canonical import plain
from lineage_ingest.emit.digest import Digest
from lineage_ingest.emit.tree import hash_path

LOCAL_NAMESPACE = "file"

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset, by (namespace, name), and what is known of the state that is read or written.

    ``path`` is where its content can be hashed, ``version`` the producer's own word, ``schema`` maps columns to types
    (or None), ``owners`` are URNs such as ``team:data``, ``kind`` is OpenLineage's datasetType, ``facets`` are sent
    as given.
    """

    namespace: str
    name: str
    path: Path | None = None
    version: str | None = None
    digests: tuple[Digest, ...] = ()
    schema: Mapping[str, str | None] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    kind: str | None = None
    facets: Mapping[str, DatasetFacet] = field(default_factory=dict)

    @classmethod
    def file(cls, path: AnyPath, *, namespace: str = LOCAL_NAMESPACE, name: str | None = None, **known: Any) -> Self:
        """A local file or directory, named by its absolute path unless ``name`` says otherwise; ``known`` as the
        fields.

        Links in the path are kept: what stands at ``current/model`` is one dataset wherever ``current`` leads.
        Raises ValueError for a URI, which is no path.
        """
        if "://" in os.fspath(path) and isinstance(path, str):
            raise ValueError(f"{path!r} is no path of a file: name a table or object by Dataset(namespace, name).")
        absolute = os.path.abspath(path)  # noqa: PTH100 - Path.absolute() would keep the dots
        return cls(namespace, name or printable(absolute), path=Path(absolute), **known)

    def hashed(self) -> Self:
        """With the digest of what stands at ``path``, if there is a path and no digest yet. Raises HashingError."""
        if self.path is None or self.digests:
            return self
        return replace(self, digests=(hash_path(self.path),))


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that a model reads, and its importance by the card's explainability method."""

    name: str
    importance: float | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is: ``framework`` and ``estimator`` in the framework's words.

    A parameter that is None is left out, as the client sends no nulls.
    """

    framework: str
    estimator: str
    framework_version: str | None = None
    task: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    features: tuple[Feature, ...] = ()
    explainability: str | None = None


@dataclass(frozen=True, slots=True)
class Model(Dataset):
    """A dataset whose datasetType is MODEL."""

    kind: str | None = "MODEL"
    card: ModelCard | None = None


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A column that another one comes from. ``kind`` is DIRECT or INDIRECT, ``subtype`` OpenLineage's, e.g. IDENTITY,
    JOIN."""

    dataset: Dataset
    column: str
    kind: str = "DIRECT"
    subtype: str = "TRANSFORMATION"
    description: str | None = None


Columns = Mapping[str, Iterable[ColumnSource]]


@dataclass(frozen=True, slots=True)
class Output:
    """A dataset as a run writes it: ``lifecycle`` is OpenLineage's word (OVERWRITE, CREATE, …) or None where unknown,
    ``columns`` where each column comes from, ``conditions`` the columns that decide over whole rows."""

    dataset: Dataset
    lifecycle: str | None = None
    columns: Columns = field(default_factory=dict)
    conditions: tuple[ColumnSource, ...] = ()


def printable(text: str) -> str:
    """Text that UTF-8 can hold: what it can't, such as the undecodable bytes of a file's name, becomes ``\\udcff``
    and the like."""
    return text.encode("utf-8", "backslashreplace").decode()


def input_dataset(dataset: Dataset, role: facet.Role | None = None) -> InputDataset:
    """As an event's input."""
    facets = _facets(dataset)
    if role is not None:
        facets[facet.ROLE] = facet.RoleDatasetFacet(role=role.value)
    return InputDataset(dataset.namespace, dataset.name, facets=facets)


def output_dataset(output: Output) -> OutputDataset:
    """As an event's output, with outputStatistics where the content was counted."""
    facets = _facets(output.dataset)
    if output.lifecycle is not None:
        change = lifecycle_state_change_dataset.LifecycleStateChange(output.lifecycle)
        facets["lifecycleStateChange"] = lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(change)
    if output.columns or output.conditions:
        facets["columnLineage"] = _column_lineage(output)
    told = OutputDataset(output.dataset.namespace, output.dataset.name, facets=facets)
    sizes = [digest.bytes for digest in output.dataset.digests if digest.bytes is not None]
    rows = [digest.rows for digest in output.dataset.digests if digest.rows is not None]
    if sizes or rows:
        told.outputFacets = {
            "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                size=max(sizes, default=None), rowCount=max(rows, default=None)
            )
        }
    return told


def static_dataset(dataset: Dataset) -> StaticDataset:
    """As the subject of a DatasetEvent."""
    return StaticDataset(dataset.namespace, dataset.name, facets=_facets(dataset))


def _facets(dataset: Dataset) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {}
    if dataset.kind is not None:
        facets["datasetType"] = dataset_type_dataset.DatasetTypeDatasetFacet(dataset.kind)
    if dataset.version is not None:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(dataset.version)
    if dataset.digests:
        facets[facet.CONTENT_HASH] = facet.ContentHashDatasetFacet(
            [facet.HashDigest(d.algorithm, d.digest, d.scope, d.method, d.bytes, d.rows) for d in dataset.digests]
        )
    if dataset.schema:
        columns = [schema_dataset.SchemaDatasetFacetFields(name, type) for name, type in dataset.schema.items()]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(columns)
    if dataset.owners:
        facets["ownership"] = ownership_dataset.OwnershipDatasetFacet(
            [ownership_dataset.Owner(o) for o in dataset.owners]
        )
    if isinstance(dataset, Model) and dataset.card is not None:
        facets[facet.MODEL] = _model_facet(dataset.card)
    return facets | dict(dataset.facets)


def _model_facet(card: ModelCard) -> facet.ModelDatasetFacet:
    return facet.ModelDatasetFacet(
        framework=card.framework,
        frameworkVersion=card.framework_version,
        estimator=card.estimator,
        task=card.task,
        parameters={name: plain(value) for name, value in card.parameters.items()} or None,
        features=[facet.Feature(each.name, each.importance) for each in card.features] or None,
        explainability=facet.Explainability(card.explainability) if card.explainability else None,
    )


def _column_lineage(output: Output) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            column: column_lineage_dataset.Fields([_input_field(source) for source in sources])
            for column, sources in output.columns.items()
        },
        dataset=[_input_field(source) for source in output.conditions],
    )


def _input_field(source: ColumnSource) -> column_lineage_dataset.InputField:
    transformation = column_lineage_dataset.Transformation(source.kind, source.subtype, source.description)
    return column_lineage_dataset.InputField(
        source.dataset.namespace, source.dataset.name, source.column, [transformation]
    )
