"""Names told twice in one JSON object: taken where the values are equal, refused where they differ.

Why, and what is equal: ``docs/adr/0003-names-told-twice.md``.
"""

from __future__ import annotations

import json
from typing import Any

from lineage.errors import NotJSONError


def refuse_difference(members: list[tuple[str, Any]]) -> None:
    """Raises NotJSONError, naming the name, where two of an object's members share a name and differ in value."""
    told: dict[str, Any] = {}
    for name, value in members:
        if not are_equal(told.setdefault(name, value), value):
            raise NotJSONError(
                f"Not JSON: the key {json.dumps(name[:80])} occurs twice, with different values.",
                hint="Send each key once.",
            )


def are_equal(one: Any, other: Any) -> bool:
    """Whether two decoded JSON values are the same in type and value, whatever the order of members.

    1, 1.0 and true are three values, 0.0 and -0.0 two. Takes time linear in the smaller one, and does not recurse.
    """
    todo = [(one, other)]
    while todo:
        left, right = todo.pop()
        if left is right:
            continue
        kind = type(left)
        if kind is not type(right):
            return False
        if kind is dict:
            if len(left) != len(right) or left.keys() != right.keys():
                return False
            todo += [(value, right[name]) for name, value in left.items()]
        elif kind is list:
            if len(left) != len(right):
                return False
            todo += zip(left, right, strict=True)
        elif left != right or (kind is float and repr(left) != repr(right)):
            return False
    return True
