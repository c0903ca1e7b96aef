"""The shape of a document, measured in one pass before validation: a rule of validation may be worse than linear.

Each fragment is measured once, however often it is spread, so that chained fragments (each spreading the next twice)
cost what they are long, and not what they unfold to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)

from lineage.errors import BadInputError, TooCostlyError
from lineage_graphql.caps import Caps


def check_shape(document: DocumentNode, caps: Caps) -> bool:
    """Refuse a document that is too deep, too wide or goes round in circles; give whether it asks for the schema.

    Raises TooCostlyError with the figure and the limit, BadInputError for a fragment that spreads itself.
    """
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    _refuse_over("fragments", sum(isinstance(d, FragmentDefinitionNode) for d in document.definitions), caps.fragments)
    _refuse_over("operations", len(operations), caps.operations)
    shape = _Shape(fragments)
    for fragment in fragments.values():
        shape.fragment(fragment.name.value)
    sizes = [shape.definition(operation) for operation in operations]
    _refuse_over("aliases", shape.counts["aliases"], caps.aliases)
    _refuse_over("directives", shape.counts["directives"], caps.directives)
    _refuse_over("items in lists and objects", shape.counts["items"], caps.list_items)
    _refuse_over("repeated fields", shape.counts["repeats"], caps.repeats)
    _refuse_over("levels", max((size.depth for size in sizes), default=0), caps.depth)
    _refuse_over("fields with all fragments spread", sum(size.fields for size in sizes), caps.fields)
    _refuse_over("fields times fragments that meet in one place", shape.counts["overlaps"], caps.overlaps)
    return shape.counts["introspection"] > 0


def _refuse_over(what: str, figure: int, limit: int) -> None:
    if figure > limit:
        told = figure if figure < 10**12 else "more than 10^12"
        raise TooCostlyError(f"The query has {told} {what}; the limit is {limit}.", hint="Ask in several queries.")


@dataclass(frozen=True, slots=True)
class _Size:
    """``spreads``: how many fragments and repeated fields meet here; validation compares each with each."""

    depth: int
    fields: int
    spreads: int = 0


_NOTHING = _Size(0, 0)


@dataclass(slots=True)
class _Shape:
    fragments: dict[str, FragmentDefinitionNode]
    counts: Counter[str] = field(default_factory=Counter)
    sizes: dict[str, _Size | None] = field(default_factory=dict)

    def fragment(self, name: str) -> _Size:
        if name not in self.fragments:
            return _NOTHING
        if name not in self.sizes:
            self.sizes[name] = None
            self.sizes[name] = self.definition(self.fragments[name])
        size = self.sizes[name]
        if size is None:
            raise BadInputError(f"The fragment {name[:80]} spreads itself.", hint="Break the circle.")
        return size

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> _Size:
        self._directives(node)
        for variable in getattr(node, "variable_definitions", None) or ():
            self._directives(variable)
            self._value(variable.default_value)
        return self._selections(node.selection_set)

    def _selections(self, selections: SelectionSetNode | None) -> _Size:
        if selections is None:
            return _NOTHING
        depth = fields = spreads = 0
        for size in self._sizes(selections):
            depth, fields, spreads = max(depth, size.depth), fields + size.fields, spreads + size.spreads
        self.counts["overlaps"] += spreads * fields
        return _Size(depth, fields, spreads)

    def _sizes(self, selections: SelectionSetNode) -> Iterator[_Size]:
        names: set[str] = set()
        for node in selections.selections:
            self._directives(node)
            match node:
                case FieldNode():
                    name = (node.alias or node.name).value
                    repeated = int(name in names)
                    self.counts["repeats"] += repeated
                    names.add(name)
                    self.counts["introspection"] += node.name.value in ("__schema", "__type")
                    self.counts["aliases"] += node.alias is not None
                    for argument in node.arguments or ():
                        self._value(argument.value)
                    below = self._selections(node.selection_set)
                    yield _Size(below.depth + 1, below.fields + 1, repeated)
                case InlineFragmentNode():
                    yield self._selections(node.selection_set)
                case FragmentSpreadNode():
                    spread = self.fragment(node.name.value)
                    yield _Size(spread.depth, spread.fields, spread.spreads + 1)

    def _directives(self, node: Node) -> None:
        for directive in getattr(node, "directives", None) or ():
            self.counts["directives"] += 1
            for argument in directive.arguments or ():
                self._value(argument.value)

    def _value(self, value: ValueNode | None) -> None:
        if isinstance(value, ListValueNode):
            self.counts["items"] += len(value.values)
            for item in value.values:
                self._value(item)
        elif isinstance(value, ObjectValueNode):
            self.counts["items"] += len(value.fields)
            for member in value.fields:
                self._value(member.value)
