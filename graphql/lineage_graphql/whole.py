"""Whole answers: the same question as JSON, its lists page by page as lines, the verdict last.

The question is ``{"impact": {"of": {…}, …}}``: a root field and its arguments as GraphQL takes them. Each page is a
GraphQL query on one and the same view of the graph, so a line is what GraphQL shows of a hit.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from graphql import GraphQLSchema

from lineage.errors import BadInputError
from lineage_graphql.context import GraphQLContext, Operation
from lineage_graphql.schema import Schema, ask

PAGE = 1_000
_THING = "id label kind namespace name"
_HASHES = "version contentHashes { algorithm digest scope method }"
_NODE = f"node {{ {_THING} ... on Version {{ {_HASHES} }} ... on Run {{ runId }} }}"
_HIT = f"{_NODE} distance consequence evidence certain owners {{ name type }} via {{ id label }}"
_LINK = "source { id } target { id } kind evidence certain binding role transformations { type subtype masking }"
_VERSION = f"version {{ id label dataset {{ namespace name }} {_HASHES} }}"

_SIDE = f"{_THING} ... on Version {{ {_HASHES} writtenAt }} ... on Run {{ runId startedAt codeVersion }}"
_HUNK = (
    f"a {{ {_SIDE} }} b {{ {_SIDE} }} kind distance at origin sure absorbed path {{ id label }} "
    "differences { aspect change name a b content derived }"
)

_LISTS = {
    "impact": {"potential": f"{_HIT} stale transformation", "actual": f"{_HIT} standing remediated"},
    "provenance": {"nodes": f"{_NODE} distance evidence certain transformation", "links": _LINK},
    "diff": {"origins": _HUNK, "hunks": _HUNK},
    "trainingData": {"datasets": f"{_VERSION} role distance binding evidence certain", "links": _LINK},
}
_VERDICT = (
    "complete cut { reason limit next } ledgerIndex recordedAt behind leftOut score "
    f"gaps(first: {PAGE}) {{ totalCount nodes {{ kind message node {{ id label }} }} }}"
)
_ALSO = {
    "impact": "summary { kind potential actual standing } predictions { count firstAt lastAt }",
    "provenance": "",
    "diff": "compared { kind same alike changed unknown added removed } summary { aspect count derived }",
    "trainingData": (
        f"certainty records {{ id }} models {{ {_VERSION} servedBy {{ runId startedAt endedAt }} "
        "trainedBy { runId job { namespace name } codeVersion parameters metrics } }"
    ),
}


class WholeAnswer:
    """One question to be answered whole. Raises BadInputError for what is no question."""

    def __init__(self, schema: Schema, asked: Any) -> None:
        if not isinstance(asked, dict) or len(asked) != 1 or next(iter(asked)) not in _LISTS:
            known = ", ".join(_LISTS)
            raise BadInputError(f"The body has to be an object with one question of {known}.", hint=_EXAMPLE)
        ((self._question, arguments),) = asked.items()
        if not isinstance(arguments, dict):
            raise BadInputError("A question's arguments are an object.", hint=_EXAMPLE, field=f"/{self._question}")
        self._schema = schema
        self._arguments: Mapping[str, Any] = arguments
        self._declared = _declared(schema._schema, self._question, arguments)
        given = ", ".join(f"{name}: ${name}" for name in arguments)
        self._field = f"{self._question}({given})" if given else self._question

    def lines(self, context: GraphQLContext) -> Generator[dict[str, Any], None, None]:
        """``{"list": …, …}`` for each hit, then ``{"verdict": …}``; all of one view. To be used by one thread.

        Raises the error that the question as a whole has, before the first line or, when time is out, later.
        """
        with Operation(context, timeout=context.caps.whole_timeout, keeps=False) as operation:
            self._ask(operation, "complete")
            for name, fields in _LISTS[self._question].items():
                yield from self._list(operation, name, fields)
            verdict = self._ask(operation, f"{_VERDICT} {_ALSO[self._question]}")
        yield {"verdict": verdict}  # once it is known that the view has held

    def _list(self, operation: Operation, name: str, fields: str) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            wanted = f"nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }}"
            goes_on = "" if after is None else f", after: ${_AFTER}"
            page = self._ask(operation, f"{name}(first: {PAGE}{goes_on}) {{ {wanted} }}", after)[name]
            for node in page["nodes"]:
                yield {"list": name, **node}
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def _ask(self, operation: Operation, selection: str, after: str | None = None) -> Any:
        declared = (*self._declared, f"${_AFTER}: String") if after is not None else self._declared
        head = f"query({', '.join(declared)})" if declared else "query"
        query = f"{head} {{ {self._field} {{ {selection} }} }}"
        return ask(self._schema, operation, query, {**self._arguments, _AFTER: after})[self._question]


_AFTER = "after"
_EXAMPLE = 'As {"impact": {"of": {"dataset": {"namespace": "…", "name": "…"}}}}, with the arguments that GraphQL takes.'


def _declared(schema: GraphQLSchema, question: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The declarations of variables for ``arguments``. Raises BadInputError for one that ``question`` doesn't take."""
    assert schema.query_type is not None
    known = schema.query_type.fields[question].args
    for name in arguments:
        if name not in known:
            raise BadInputError(
                f"`{question}` takes no {name[:80]!r}.", hint=f"It takes {', '.join(known)}.", field=f"/{question}"
            )
    return tuple(f"${name}: {known[name].type}" for name in arguments)
