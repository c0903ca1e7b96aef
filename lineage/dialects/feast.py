"""Feast (0.67.0, ``feast.openlineage``).

- Entities are inputs of feature views and of materialisations, with a ``feast_entity`` facet or bare; an entity is a
  key by which rows are found, no data. Bare ones are named in the ``feast_featureView`` facet of the job or an output.
- One materialisation is one run for many views: all views, their sources and entities in, all online stores out, so
  that every store seems to come from every view. A store's name says its view, as does its ``feast_onlineStore`` facet.
- ``producer`` is the word ``feast``, or what the configuration says; the parser takes any text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from lineage.dialects.plain import Plain
from lineage.dialects.recognition import FEAST
from lineage.dialects.shapes import told
from lineage.event.model import Event, EventDataset, Facets
from lineage.facts.claims import Claims

_STORE = "online_store_"
_VIEW = "feast_featureView"


class Feast(Plain):
    """What Feast's apply and materialize tell."""

    name = FEAST

    def meant(self, event: Event) -> Event:
        """The event without entities, and with a ``lineage`` facet that feeds each online store from its view (R5)."""
        inputs = event.inputs
        if inputs:
            entities = set(_entities(event))
            inputs = tuple([dataset for dataset in inputs if not _is_entity(dataset, entities)])
        outputs = tuple([_fed(dataset) for dataset in event.outputs])
        if len(inputs) == len(event.inputs) and outputs == event.outputs:
            return event
        return replace(event, inputs=inputs, outputs=outputs)

    def claims(self, event: Event, claims: Claims) -> Claims:
        """The claims, marked as Feast's."""
        return msgspec.structs.replace(claims, dialect=self.name)


def _entities(event: Event) -> Iterator[str]:
    holders: list[Facets] = [event.job_facets, *(dataset.facets for dataset in (*event.inputs, *event.outputs))]
    for facets in holders:
        named = told(facets, _VIEW).get("entities")
        if isinstance(named, list):
            yield from (name for name in named if isinstance(name, str))


def _is_entity(dataset: EventDataset, entities: set[str]) -> bool:
    return "feast_entity" in dataset.facets or (not dataset.facets and dataset.name.name in entities)


def _fed(dataset: EventDataset) -> EventDataset:
    view = _view(dataset)
    if view is None or "lineage" in dataset.facets:
        return dataset
    source = {"namespace": dataset.name.namespace, "name": view, "type": "DATASET"}
    return replace(dataset, facets={**dataset.facets, "lineage": {"inputs": [source]}})


def _view(dataset: EventDataset) -> str | None:
    view = told(dataset.facets, "feast_onlineStore").get("feature_view")
    if isinstance(view, str) and view:
        return view
    return dataset.name.name.removeprefix(_STORE) or None if dataset.name.name.startswith(_STORE) else None
