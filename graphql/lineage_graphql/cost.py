"""What a query could cost, counted before it runs: the fields it may resolve, pages multiplied by their ``first``.

A selection on a connection costs ``fixed + per_item * first``. Both figures depend on the selection alone, so each
fragment is counted once: the work is linear in the document, whatever it unfolds to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    get_named_type,
)

from lineage.errors import TooCostlyError
from lineage_graphql.caps import Caps

QUESTION_COST = 500
"""What a traversal counts, in fields."""
_QUESTIONS = frozenset({"trainingData", "impact", "provenance", "path", "diff", "search"})
_LIST = 4
"""How many items a list without ``first`` is taken to have: owners, digests, models."""
_SCHEMA_LIST = {"types": 80}
_SCHEMA_LIST_ELSE = 8


def check_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Any, caps: Caps
) -> int:
    """The cost of ``operation``, in fields. The caller guarantees a valid document without circles.

    Raises TooCostlyError with the figure and the limit.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    given = variables if isinstance(variables, Mapping) else {}
    defaults = {v.variable.name.value: v.default_value for v in operation.variable_definitions or ()}
    told = {name: given.get(name, _literal(default)) for name, default in defaults.items()}
    cost = _Count(schema, fragments, told, caps.first).selections(operation.selection_set, root).fixed
    if cost > caps.cost:
        raise TooCostlyError(
            f"The query could resolve {cost if cost < 10**12 else 'more than 10^12'} fields; the limit is {caps.cost}.",
            hint="Ask for smaller pages (`first`), fewer fields, or in several queries.",
        )
    return cost


def _literal(node: Any) -> int | None:
    return int(node.value) if isinstance(node, IntValueNode) and len(node.value) < 12 else None


@dataclass(frozen=True, slots=True)
class _Cost:
    fixed: int = 0
    per_item: int = 0


@dataclass(slots=True)
class _Count:
    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    most: int
    known: dict[str, _Cost] = field(default_factory=dict)

    def selections(self, selections: SelectionSetNode | None, parent: GraphQLNamedType) -> _Cost:
        fixed = per_item = 0
        for node in selections.selections if selections else ():
            cost = self._selection(node, parent)
            fixed, per_item = fixed + cost.fixed, per_item + cost.per_item
        return _Cost(fixed, per_item)

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType) -> _Cost:
        match node:
            case FieldNode():
                return self._field(node, parent)
            case InlineFragmentNode():
                return self.selections(node.selection_set, self._type(node, parent))
            case FragmentSpreadNode():
                return self._fragment(node.name.value, parent)
        return _Cost()

    def _fragment(self, name: str, parent: GraphQLNamedType) -> _Cost:
        if name not in self.known:
            fragment = self.fragments[name]
            self.known[name] = self.selections(fragment.selection_set, self._type(fragment, parent))
        return self.known[name]

    def _type(self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLNamedType) -> GraphQLNamedType:
        name = node.type_condition.name.value if node.type_condition else parent.name
        return self.schema.type_map[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> _Cost:
        name = node.name.value
        told = self.schema.get_field(parent, name)  # type: ignore[arg-type]
        if told is None:
            return _Cost(1)
        kind = get_named_type(told.type)
        below = self.selections(node.selection_set, kind)
        one = 1 + below.fixed + below.per_item * self._first(node, told)
        if parent.name.endswith("Connection") and name in ("nodes", "edges"):
            return _Cost(1, one)
        if _is_list(told.type):
            one = 1 + one * _length(parent, name)
        return _Cost(one + (QUESTION_COST if name in _QUESTIONS else 0))

    def _first(self, node: FieldNode, told: GraphQLField) -> int:
        if "first" not in told.args:
            return 1
        first: Any = told.args["first"].default_value
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                first = self.variables.get(value.name.value) if isinstance(value, VariableNode) else _literal(value)
        if first is Undefined or isinstance(first, bool) or not isinstance(first, int):
            return self.most
        return min(max(first, 1), self.most)


def _is_list(kind: Any) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def _length(parent: GraphQLNamedType, name: str) -> int:
    return _SCHEMA_LIST.get(name, _SCHEMA_LIST_ELSE) if parent.name.startswith("__") else _LIST
