"""Which rollout ends which (R17)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lineage.flows.run import RunView
from lineage.fold.records import Rollout


def next_full(rollouts: Mapping[bytes, Rollout], view: RunView) -> int | None:
    """R17: when the next full rollout in the same environment begins."""
    mine = (view.start, view.run_id)
    following = [
        rollout.start
        for rollout in rollouts.values()
        if rollout.percent >= 100 and rollout.environment == view.environment and (rollout.start, rollout.run_id) > mine
    ]
    return min(following, default=None)


def may_be_replaced(rollouts: Mapping[bytes, Rollout], by: Rollout) -> Iterator[bytes]:
    """The rollouts whose next full one ``by`` can be: those since the full one before it, itself among them."""
    earlier = [
        (rollout.start, rollout.run_id, key)
        for key, rollout in rollouts.items()
        if rollout.environment == by.environment and (rollout.start, rollout.run_id) < (by.start, by.run_id)
    ]
    for _, _, key in sorted(earlier, reverse=True):
        yield key
        if rollouts[key].percent >= 100:
            return
