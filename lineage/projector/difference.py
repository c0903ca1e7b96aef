"""What two dumps of a graph differ in (:func:`lineage.memory.canonical_lines`), said to a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from lineage.model import Column, Dataset, Flow, Job, Node, Run, Version
from lineage.projector.dumps import Place, place_of

Find = Callable[[bytes], Node | None]
"""The node with this key, in either graph."""

_SHOWN_DIFFERENCES = 20
_SHOWN_CHARACTERS = 80

_Thing = dict[str, Any]


def told_differences(too_many: Sequence[bytes], missing: Sequence[bytes], find: Find) -> list[str]:
    """Sentences about lines that only one of two graphs has: ``too_many`` the kept one, ``missing`` the one made anew.
    A node or edge that both have, but otherwise, is told once."""
    kept, anew = _by_place(too_many), _by_place(missing)
    other = [(kept[place], anew[place]) for place in kept if place in anew]
    return [
        *_shown("The graph has, and should not have", [kept[one] for one in kept if one not in anew], find),
        *_shown("The graph lacks", [anew[one] for one in anew if one not in kept], find),
        *_shown("The graph has otherwise", [{**b, "otherwise": _members(a, b)} for a, b in other], find),
    ]


def _by_place(lines: Sequence[bytes]) -> dict[Place, _Thing]:
    return {place_of(thing): thing for thing in map(json.loads, lines)}


def _members(one: _Thing, other: _Thing) -> str:
    return ", ".join(name for name in sorted({*one, *other}) if one.get(name) != other.get(name))


def _shown(says: str, things: Sequence[_Thing], find: Find) -> list[str]:
    told = [f"{says}: {_told(thing, find)}." for thing in things[:_SHOWN_DIFFERENCES]]
    more = len(things) - len(told)
    return [*told, f"{says} {more:,} things more."] if more else told


def _told(thing: _Thing, find: Find) -> str:
    def named(member: str) -> str:
        key = bytes.fromhex(thing[member])
        node = find(key)
        return f"what has the key {key.hex()[:8]}…" if node is None else _named(node, find)

    if "edge" in thing:
        told = f"the edge {thing['edge']} from {named('source')} to {named('target')}"
    elif "node" in thing:
        told = named("key")
    else:
        told = f"the name {_short(thing['value'])} ({thing['name']}) of {named('key')}"
    return f"{told} ({thing['otherwise']})" if "otherwise" in thing else told


def _named(node: Node, find: Find) -> str:
    match node:
        case Dataset():
            return f"the {'model' if node.is_model else 'dataset'} {_qualified(node.namespace, node.name)}"
        case Column():
            return f"the column {_short(node.column)} of {_qualified(node.namespace, node.name)}"
        case Job():
            return f"the {'deployment' if node.is_deployment else 'job'} {_qualified(node.namespace, node.name)}"
        case Run():
            return f"the run {_short(node.run_id)} of {_qualified(*node.job)}"
        case Version():
            return f"the version {node.key.hex()[:8]}… of {_qualified(node.namespace, node.name)}"
        case Flow():
            owner = None if node.owner is None else find(node.owner)
            of = "" if owner is None else f" of {_named(owner, find)}"
            return f"the flow{of}" + (f" into {_qualified(*node.output)}" if node.output else "")


def _qualified(namespace: str, name: str) -> str:
    return f"{_short(name)} ({_short(namespace)})"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
