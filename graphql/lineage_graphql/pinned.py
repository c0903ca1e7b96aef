"""Which state a question is to be answered from: the one that the cursors given in its selection come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
)
from strawberry.types import Info

from lineage.errors import BadCursorError
from lineage_graphql.cursor import decode_cursor, digest_of


def pinned_index(info: Info, question: bytes, secret: bytes) -> int | None:
    """The ledger index of the cursors on this field's lists, None if there are none of this question.

    Raises BadCursorError for a cursor that this server didn't make, and where two come from different states.
    """
    raw: GraphQLResolveInfo[Any] = info._raw_info
    indexes = set()
    for node in raw.field_nodes:
        for field in _fields(node.selection_set, raw):
            cursor = _after(field, info.variable_values)
            if isinstance(cursor, str):
                told = decode_cursor(cursor, secret)
                if told.question == digest_of(question, field.name.value):
                    indexes.add(told.index)
    if len(indexes) > 1:
        raise BadCursorError(
            "The cursors come from different states of the ledger.",
            hint="Page each list in its own query.",
            field="/after",
        )
    return next(iter(indexes), None)


def _fields(selections: SelectionSetNode | None, raw: GraphQLResolveInfo[Any]) -> Iterator[FieldNode]:
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, raw)
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(raw.fragments[node.name.value].selection_set, raw)


def _after(field: FieldNode, variables: Mapping[str, Any]) -> Any:
    for argument in field.arguments or ():
        if argument.name.value == "after":
            value = argument.value
            if isinstance(value, VariableNode):
                return variables.get(value.name.value)
            return value.value if isinstance(value, StringValueNode) else None
    return None
