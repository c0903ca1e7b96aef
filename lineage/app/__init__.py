"""The one wiring: a data folder's parts put together, and the server around them.

:mod:`~lineage.app.folder` opens a data folder, :mod:`~lineage.app.context` asks it questions, and
:mod:`~lineage.app.server` and :mod:`~lineage.app.serving` put intake, GraphQL and documentation in front of it.
"""

from lineage.app.context import graphql_context
from lineage.app.folder import Folder, open_folder
from lineage.app.server import Server, create_app
from lineage.app.serving import serve

__all__ = ["Folder", "Server", "create_app", "graphql_context", "open_folder", "serve"]
