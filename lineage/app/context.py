"""What GraphQL asks of a data folder, in a server or in the process that opened the folder."""

from __future__ import annotations

from contextlib import AbstractContextManager

from lineage.answer import View
from lineage.app.folder import Folder
from lineage.errors import IndexAheadError
from lineage.ledger import Ledger
from lineage.past import Advance, nothing
from lineage.proof.leaf import decode
from lineage.store import GraphReader
from lineage_graphql import Caps, GraphQLContext


def graphql_context(
    folder: Folder,
    caps: Caps = Caps(),  # noqa: B008 (frozen)
    advance: Advance = nothing,
) -> GraphQLContext:
    """The context of questions to ``folder``; they wait for its projector, where it has one. ``advance`` is told
    how far a past is that is folded for a question."""
    projector = folder.projector

    def wait_for(size: int, timeout: float) -> bool:
        return projector is not None and projector.wait_for(size, timeout)

    def is_near(size: int, seconds: float) -> bool:
        return projector is not None and projector.is_near(size, seconds)

    def at(index: int, present: GraphReader, deadline: float) -> AbstractContextManager[View]:
        return folder.pasts.view(index, present, deadline=deadline, advance=advance)

    return GraphQLContext(
        store=folder.store,
        predictions=folder.predictions,
        head=folder.ledger.size,
        wait_for=wait_for,
        is_near=is_near,
        recorded_at=lambda index: received_at(folder.ledger, index),
        at=at,
        caps=caps,
        secret=folder.secret,
    )


def received_at(ledger: Ledger, index: int) -> int | None:
    """When entry ``index`` was received (UTC microseconds), or None if there is none."""
    if index < 0:
        return None
    try:
        return decode(ledger.leaf(index)).received
    except IndexAheadError:
        return None
