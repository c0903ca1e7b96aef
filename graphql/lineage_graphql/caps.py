"""The figures at which a query is refused or stopped; each is a setting of the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caps:
    """What one query may be and cost. Times in seconds.

    ``cost`` is in fields resolved, as :mod:`lineage_graphql.cost` counts them before execution. A question stops
    looking after ``timeout * question_share`` and answers with what it has, cut; the operation ends at ``timeout``, a
    whole answer that is streamed at ``whole_timeout``. For the graph to reach the ledger's head it waits
    ``head_wait``, if that can be expected to do; with ``minIndex`` ``read_wait``.
    """

    characters: int = 32_768
    tokens: int = 3_000
    depth: int = 24
    aliases: int = 50
    fragments: int = 30
    operations: int = 20
    directives: int = 50
    list_items: int = 500
    repeats: int = 10
    overlaps: int = 15_000
    fields: int = 5_000
    cost: int = 1_000_000
    first: int = 10_000
    introspection: bool = True

    timeout: float = 10.0
    question_share: float = 0.8
    whole_timeout: float = 300.0
    whole_at_once: int = 2
    grace: float = 0.25
    read_wait: float = 2.0
    head_wait: float = 2.0
    threads: int = 4
    waiting: int = 64

    body_bytes: int = 1 << 20
    documents: int = 256
    kept_seconds: float = 600.0
    kept_answers: int = 256
    kept_items: int = 2_000_000
