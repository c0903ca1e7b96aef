"""What every dialect reads of an event: facets that may have any shape, and the names that stand inside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lineage.event.model import Event, EventDataset, Facets, Name

Rename = Callable[[str], str]

#: Facets in which other datasets, or other names of this one, are named (OpenLineage 2-0-2).
NAMING_FACETS = ("columnLineage", "lineage", "symlinks", "lifecycleStateChange")
#: The deepest of them: entries of a job's ``lineage``, their fields, the inputs of each.
NAMING_DEPTH = 8


def told(facets: Facets, name: str) -> Mapping[str, Any]:
    """The facet called ``name``; empty if it is missing, withdrawn (``_deleted``) or no object."""
    value = facets.get(name)
    return value if isinstance(value, dict) and value.get("_deleted") is not True else {}


def upper(value: Any) -> str:
    """``value`` in upper case, empty if it is no string."""
    return value.upper() if isinstance(value, str) else ""


def job_type(event: Event) -> str:
    """What kind of job the producer says it is (jobType facet), in upper case, empty if it says nothing."""
    return upper(told(event.job_facets, "jobType").get("jobType"))


def with_dataset_names(event: Event, rename: Rename) -> Event:
    """``event`` with each dataset's name as ``rename`` has it, inside facets too; the same object if none changes."""
    inputs = _renamed_all(event.inputs, rename)
    outputs = _renamed_all(event.outputs, rename)
    dataset = event.dataset and _renamed_dataset(event.dataset, rename)
    job_facets = _renamed_facets(event.job_facets, rename)
    if inputs is event.inputs and outputs is event.outputs and dataset is event.dataset:
        return event if job_facets is event.job_facets else replace(event, job_facets=job_facets)
    return replace(event, inputs=inputs, outputs=outputs, dataset=dataset, job_facets=job_facets)


def _renamed_all(datasets: tuple[EventDataset, ...], rename: Rename) -> tuple[EventDataset, ...]:
    renamed = tuple([_renamed_dataset(dataset, rename) for dataset in datasets])
    return datasets if renamed == datasets else renamed


def _renamed_dataset(dataset: EventDataset, rename: Rename) -> EventDataset:
    found: EventDataset | None = dataset.derived.get(rename)
    if found is None:
        found = dataset.derived[rename] = _renamed_anew(dataset, rename)
    return found


def _renamed_anew(dataset: EventDataset, rename: Rename) -> EventDataset:
    name, facets = rename(dataset.name.name), _renamed_facets(dataset.facets, rename)
    if name == dataset.name.name and facets is dataset.facets:
        return dataset
    return replace(dataset, name=Name(dataset.name.namespace, name), facets=facets)


def _renamed_facets(facets: Facets, rename: Rename) -> Facets:
    changed = {}
    for name in NAMING_FACETS:
        value = facets.get(name)
        if type(value) is dict and (renamed := _renamed(value, rename, NAMING_DEPTH)) is not value:
            changed[name] = renamed
    return {**facets, **changed} if changed else facets


def _renamed(value: Any, rename: Rename, depth: int) -> Any:
    if type(value) is dict:
        changed = {}
        for key, item in value.items():
            kind = type(item)
            if kind is str:
                if key == "name" and "namespace" in value and (name := rename(item)) != item:
                    changed[key] = name
            elif (kind is dict or kind is list) and depth and (new := _renamed(item, rename, depth - 1)) is not item:
                changed[key] = new
        return {**value, **changed} if changed else value
    items = [_renamed(item, rename, depth - 1) if depth and type(item) is dict else item for item in value]
    return value if items == value else items
