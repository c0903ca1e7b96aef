"""Answers for other programs: networkx, GraphML, DOT and PROV-JSON. Each takes a view and an answer, and goes through
all of its pages: the whole answer is then in memory.

- ``lineage.exports.networkx.to_networkx(view, answer) -> networkx.MultiDiGraph``
- ``lineage.exports.graphml.to_graphml(view, answer) -> str``
- ``lineage.exports.dot.to_dot(view, answer) -> str``
- ``lineage.exports.prov.to_prov(view, answer) -> dict``, PROV-JSON as JSON values
"""
