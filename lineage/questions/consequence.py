"""What to do about what a change reaches: the one table.

| hit | reached over reads with role | consequence |
|---|---|---|
| model, model version | TRAIN, BASE_MODEL, none told, or written by the subject itself | RETRAIN |
| model, model version | VALIDATION, TEST, REFERENCE only | REVALIDATE |
| job, run | TRAIN or BASE_MODEL | RETRAIN |
| job, run | else VALIDATION, TEST or REFERENCE | REVALIDATE |
| job, run | else | NONE |
| deployment, rollout | VALIDATION, TEST, REFERENCE only | REVALIDATE |
| deployment, live rollout | else | REDEPLOY |
| ended rollout | else, if it served predictions | RESCORE |
| ended rollout | else | NONE |
| dataset, dataset version | any | REBUILD |
| column | any | as its dataset |

Only reads on affected paths count; of several consequences the most severe, RETRAIN before REVALIDATE. A read of a run
that writes a model counts as TRAIN if it tells no role. What is remediated has NONE.
"""

from __future__ import annotations

from collections.abc import Collection

from lineage.answer import Consequence
from lineage.model import Role

_RETRAINING = frozenset({Role.TRAIN, Role.BASE_MODEL})
_REVALIDATING = frozenset({Role.VALIDATION, Role.TEST, Role.REFERENCE})


def for_model(roles: Collection[Role | None]) -> Consequence:
    """For a model or model version that reads with ``roles`` lead to."""
    return Consequence.REVALIDATE if _only_revalidating(roles) else Consequence.RETRAIN


def for_transform(roles: Collection[Role | None]) -> Consequence:
    """For a job or run, no deployment or rollout, that reads with ``roles``."""
    if _RETRAINING.intersection(roles):
        return Consequence.RETRAIN
    return Consequence.REVALIDATE if _REVALIDATING.intersection(roles) else Consequence.NONE


def for_service(roles: Collection[Role | None], *, live: bool, scored: bool) -> Consequence:
    """For a deployment (``live``) or a rollout that reads with ``roles``; ``scored``: it served predictions."""
    if _only_revalidating(roles):
        return Consequence.REVALIDATE
    if live:
        return Consequence.REDEPLOY
    return Consequence.RESCORE if scored else Consequence.NONE


def _only_revalidating(roles: Collection[Role | None]) -> bool:
    return bool(roles) and _REVALIDATING.issuperset(roles)
