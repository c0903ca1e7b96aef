"""An answer as a networkx graph: nodes by Relay id, edges keyed by their kind, both with plain attributes."""

from __future__ import annotations

import networkx

from lineage.answer import Thing, View, kind_of, label, name_of, namespace_of
from lineage.exports.drawing import Graphic, draw
from lineage.model import Version


def to_networkx(view: View, answer: Graphic) -> networkx.MultiDiGraph:
    """``answer`` as a MultiDiGraph whose edges point the way data flows. Node attributes: ``kind``, ``label``,
    ``namespace``, ``name``, of a version that has content hashes ``content_hashes`` (``sha256:… (FULL, file)``, several
    with semicolons between), and what the answer says (``distance``, ``role``, ``consequence``, …); edge attributes:
    ``kind``, ``evidence``, ``certain``, and ``binding`` and ``role`` where told."""
    drawing = draw(view, answer)
    graph = networkx.MultiDiGraph(ledger_index=answer.ledger_index, complete=answer.complete)
    for key, thing in drawing.things.items():
        graph.add_node(
            key,
            kind=kind_of(thing).value,
            label=label(thing),
            namespace=namespace_of(thing),
            name=name_of(thing),
            **_content_hashes(thing),
            **drawing.attributes[key],
        )
    for arrow in drawing.arrows:
        graph.add_edge(arrow.source, arrow.target, key=arrow.kind, kind=arrow.kind, **arrow.attributes)
    return graph


def _content_hashes(thing: Thing) -> dict[str, str]:
    """All in one text, as GraphML holds no lists; with scope and method, as digests compare within these only."""
    digests = thing.digests if isinstance(thing, Version) else ()
    told = [f"{told.algorithm}:{told.digest} ({told.scope}, {told.method})" for told in digests]
    return {"content_hashes": "; ".join(told)} if told else {}
