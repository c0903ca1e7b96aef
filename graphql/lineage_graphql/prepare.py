"""From the text of a query to a document that may run: parse, shape, validation (each once per text), then cost."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    get_operation_ast,
    parse,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from lineage.errors import BadInputError, ForbiddenError, TooCostlyError
from lineage_graphql.caps import Caps
from lineage_graphql.cost import check_cost
from lineage_graphql.shape import check_shape


@dataclass(slots=True)
class Prepared:
    """A document whose shape is admitted; ``errors`` of validation once that was done."""

    document: DocumentNode
    introspects: bool
    errors: list[GraphQLError] | None = None


class Documents:
    """The last documents, by their text: at most ``caps.documents``. May be used from any thread."""

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self._lock = Lock()
        self._held: OrderedDict[str, Prepared] = OrderedDict()

    def get(self, text: str) -> Prepared:
        """The document of ``text``. Raises TooCostlyError, BadInputError, GraphQLSyntaxError."""
        with self._lock:
            if (held := self._held.get(text)) is not None:
                self._held.move_to_end(text)
                return held
        prepared = _prepare(text, self.caps)
        with self._lock:
            self._held[text] = prepared
            while len(self._held) > self.caps.documents:
                self._held.popitem(last=False)
        return prepared


def _prepare(text: str, caps: Caps) -> Prepared:
    if len(text) > caps.characters:
        raise TooCostlyError(f"The query has {len(text)} characters; the limit is {caps.characters}.")
    try:
        document = parse(text, max_tokens=caps.tokens)
        introspects = check_shape(document, caps)
    except RecursionError as error:
        raise TooCostlyError(f"The query is nested too deeply; the limit is {caps.depth} levels.") from error
    except GraphQLError as error:
        if "more than" in error.message and "tokens" in error.message:
            raise TooCostlyError(f"The query has more than {caps.tokens} tokens, which is the limit.") from error
        if "nested too deeply" in error.message:
            raise TooCostlyError(f"The query is nested too deeply; the limit is {caps.depth} levels.") from error
        raise
    return Prepared(document, introspects)


class Gate(SchemaExtension):
    """What every query passes before it is executed. Made anew for each operation, by a factory."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._prepared: Prepared | None = None

    def on_parse(self) -> Iterator[None]:
        """Parse, or find what was parsed, within the caps."""
        self._prepared = self._documents.get(self.execution_context.query or "")
        self.execution_context.graphql_document = self._prepared.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Validate once per text, then count what this operation could cost with these variables."""
        context, prepared = self.execution_context, self._prepared
        if prepared is None:
            raise BadInputError("There is no query.")
        schema: GraphQLSchema = context.schema._schema
        if prepared.errors is None:
            prepared.errors = validate_document(schema, prepared.document, context.validation_rules)
        context.pre_execution_errors = prepared.errors
        if not prepared.errors:
            self._admit(schema, prepared, context.operation_name, context.variables)
        yield

    def _admit(self, schema: GraphQLSchema, prepared: Prepared, name: str | None, variables: Any) -> None:
        caps = self._documents.caps
        if prepared.introspects and not caps.introspection:
            raise ForbiddenError("Introspection is off on this server.", hint="See graphql/schema.graphql.")
        operation = get_operation_ast(prepared.document, name)
        if operation is not None:
            check_cost(schema, prepared.document, operation, variables, caps)
