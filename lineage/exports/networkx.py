"""An answer as a networkx graph: nodes by Relay id, edges keyed by their kind, both with plain attributes."""

from __future__ import annotations

import networkx

from lineage.answer import View, kind_of, label, name_of, namespace_of
from lineage.exports.drawing import Graphic, draw


def to_networkx(view: View, answer: Graphic) -> networkx.MultiDiGraph:
    """``answer`` as a MultiDiGraph whose edges point the way data flows. Node attributes: ``kind``, ``label``,
    ``namespace``, ``name`` and what the answer says (``distance``, ``role``, ``consequence``, …); edge attributes:
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
            **drawing.attributes[key],
        )
    for arrow in drawing.arrows:
        graph.add_edge(arrow.source, arrow.target, key=arrow.kind, kind=arrow.kind, **arrow.attributes)
    return graph
