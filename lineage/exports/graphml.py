"""An answer as GraphML, by networkx' writer. Characters that XML 1.0 can't hold (section 2.2) become U+FFFD."""

from __future__ import annotations

import re

import networkx

from lineage.answer import View
from lineage.exports.drawing import Graphic, Value
from lineage.exports.networkx import to_networkx

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_graphml(view: View, answer: Graphic) -> str:
    """``answer`` as a GraphML document."""
    graph = networkx.MultiDiGraph()
    drawn = to_networkx(view, answer)
    for node, attributes in drawn.nodes(data=True):
        graph.add_node(node, **{name: _written(value) for name, value in attributes.items()})
    # The key becomes the edge's id, which a document may hold once.
    for number, (source, target, attributes) in enumerate(drawn.edges(data=True)):
        graph.add_edge(source, target, key=f"e{number}", **attributes)
    return "\n".join(networkx.generate_graphml(graph))


def _written(value: Value) -> Value:
    return _NOT_XML.sub("\ufffd", value) if isinstance(value, str) else value
