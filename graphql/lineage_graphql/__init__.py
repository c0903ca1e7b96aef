"""GraphQL over the questions of Lineage: types, resolvers and query limits.

:func:`build_schema` makes the schema, :func:`graphql_router` serves it under ``/graphql``, :func:`answers_router` tells
whole answers line by line, :func:`execute` asks it without HTTP. What resolvers need is in :class:`GraphQLContext`; the
figures at which a query is refused are :class:`Caps`.
"""

from lineage_graphql.caps import Caps
from lineage_graphql.context import GraphQLContext
from lineage_graphql.router import graphql_router
from lineage_graphql.schema import Schema, build_schema, execute
from lineage_graphql.streaming import answers_router

__all__ = ["Caps", "GraphQLContext", "Schema", "answers_router", "build_schema", "execute", "graphql_router"]
