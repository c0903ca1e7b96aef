"""The schema, and the one way to run a query on it without HTTP."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType

from lineage.errors import BadInputError, LineageError
from lineage_graphql.caps import Caps
from lineage_graphql.context import GraphQLContext, Operation, OutOfTime, timeout_error
from lineage_graphql.executor import Executor
from lineage_graphql.nodes import Column, Dataset, Job, Prediction, Run, Version
from lineage_graphql.prepare import Documents, Gate
from lineage_graphql.problems import cause_of, log_unexpected, refusal, show_error
from lineage_graphql.query import Query
from lineage_graphql.scalars import SCALARS


class Schema(strawberry.Schema):
    """Strawberry's schema, with our way of logging."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what nobody raised on purpose."""
        log_unexpected(errors)


def build_schema(caps: Caps = Caps()) -> Schema:  # noqa: B008 (frozen)
    """The schema; its queries are refused and cached as ``caps`` say."""
    documents = Documents(caps)
    return Schema(
        query=Query,
        types=[Dataset, Version, Column, Job, Run, Prediction],
        extensions=[lambda: Gate(documents)],
        execution_context_class=Executor,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def execute(
    schema: Schema,
    context: GraphQLContext,
    query: str | None,
    variables: dict[str, Any] | None = None,
    operation_name: str | None = None,
    *,
    arrived: float | None = None,
) -> dict[str, Any]:
    """Run one query in the calling thread: ``{"data": …, "errors": […]}``, the latter only if there are any.

    ``arrived`` (time.monotonic) is when its time began, by default now. Raises nothing on account of the query: each
    error is in the response, with ``extensions.code``.
    """
    operation = Operation(context, arrived)
    try:
        with operation:
            operation.check_time()
            return _run(schema, operation, query, variables, operation_name)
    except OutOfTime:
        return refusal(timeout_error(operation.timeout))
    except LineageError as error:
        return refusal(error)


def ask(schema: Schema, operation: Operation, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """The data of one of several queries of an ``operation`` that the caller holds open. Raises the first error's
    cause; QuestionTimeoutError when the operation's time is over."""
    try:
        result = schema.execute_sync(query, variable_values=variables, context_value=operation)
    except OutOfTime:
        raise timeout_error(operation.timeout) from None
    if result.errors:
        cause = cause_of(result.errors[0])
        raise cause or BadInputError(result.errors[0].message)
    assert result.data is not None
    return result.data


def _run(
    schema: Schema, operation: Operation, query: str | None, variables: dict[str, Any] | None, name: str | None
) -> dict[str, Any]:
    try:
        result = schema.execute_sync(
            query,
            variable_values=variables,
            context_value=operation,
            operation_name=name,
            allowed_operation_types=(OperationType.QUERY,),
        )
    except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError) as error:
        raise BadInputError(_said(error), hint="Send one query, or `operationName` with several.") from error
    response: dict[str, Any] = {"data": result.data}
    if result.errors:
        response["errors"] = [show_error(error) for error in result.errors]
    return response


def _said(error: Exception) -> str:
    if isinstance(error, CannotGetOperationTypeError):
        return str(error.as_http_error_reason())
    return "There is no query." if isinstance(error, MissingQueryError) else "Only queries are answered here."
