"""The kinds that answers distinguish: models from datasets, deployments from jobs, rollouts from runs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from lineage.model import Column, Dataset, Flow, Job, Node, Run, RunType, Version


class Kind(StrEnum):
    """In the order in which hits of one distance stand (by ``value``) when sorted; a flow has none."""

    DATASET = "DATASET"
    MODEL = "MODEL"
    COLUMN = "COLUMN"
    JOB = "JOB"
    DEPLOYMENT = "DEPLOYMENT"
    RUN = "RUN"
    ROLLOUT = "ROLLOUT"
    VERSION = "VERSION"
    PREDICTION = "PREDICTION"


KINDS: tuple[Kind | None, ...] = (*sorted(Kind, key=lambda kind: kind.value), None)
"""By code: what stands for a kind in an array. Codes order as values do; the last is no kind's."""

KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}


_KIND_OF: dict[type, Callable[[Any], Kind | None]] = {
    Dataset: lambda node: Kind.MODEL if node.is_model else Kind.DATASET,
    Column: lambda _: Kind.COLUMN,
    Job: lambda node: Kind.DEPLOYMENT if node.is_deployment else Kind.JOB,
    Run: lambda node: Kind.ROLLOUT if node.type is RunType.SERVICE else Kind.RUN,
    Version: lambda _: Kind.VERSION,
    Flow: lambda _: None,
}


def kind_of_node(node: Node) -> Kind | None:
    """The kind of ``node``; None of a flow."""
    return _KIND_OF[type(node)](node)
