"""The kinds that answers distinguish: models from datasets, deployments from jobs, rollouts from runs."""

from __future__ import annotations

from enum import StrEnum

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


def kind_of_node(node: Node) -> Kind | None:
    """The kind of ``node``; None of a flow."""
    match node:
        case Dataset():
            return Kind.MODEL if node.is_model else Kind.DATASET
        case Column():
            return Kind.COLUMN
        case Job():
            return Kind.DEPLOYMENT if node.is_deployment else Kind.JOB
        case Run():
            return Kind.ROLLOUT if node.type is RunType.SERVICE else Kind.RUN
        case Version():
            return Kind.VERSION
        case Flow():
            return None
