"""The graph in a Neo4j database (5.26 and newer), for those who outgrow one machine or look at it with its tools.

:mod:`~lineage.neo4j.schema` says what stands there besides the graph, :mod:`~lineage.neo4j.properties` what stands on
nodes and relationships; :mod:`~lineage.neo4j.gate` keeps views and commits apart, :mod:`~lineage.neo4j.writer` sends
change lists, :mod:`~lineage.neo4j.reader`, :mod:`~lineage.neo4j.reach`, :mod:`~lineage.neo4j.search` and
:mod:`~lineage.neo4j.dump` ask; :mod:`~lineage.neo4j.connection` and :mod:`~lineage.neo4j.failures` are the driver in
our words. Nothing outside this package knows Cypher.
"""

from __future__ import annotations

from pathlib import Path

from lineage.errors import UnusableStoreError
from lineage.neo4j.connection import Address
from lineage.neo4j.store import Neo4jStore
from lineage.settings import Settings

__all__ = ["Address", "Neo4jStore", "open_store"]


def open_store(settings: Settings, ledger: str, *, read_only: bool = False, adopt: bool = False) -> Neo4jStore:
    """The store of ``settings`` for the graph of ``ledger``. Raises BadInputError for an address that is none."""
    address = Address(settings.neo4j_uri, settings.neo4j_user, lambda: _password(settings), settings.neo4j_database)
    return Neo4jStore(address, ledger=ledger, read_only=read_only, adopt=adopt, prompt=not read_only)


def _password(settings: Settings) -> str | None:
    if settings.neo4j_password_file is not None:
        return _in_file(settings.neo4j_password_file)
    return None if settings.neo4j_password is None else settings.neo4j_password.get_secret_value()


def _in_file(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableStoreError(
            f"The password of Neo4j can't be read from {path}: {error}.", hint="LINEAGE_NEO4J_PASSWORD_FILE names it."
        ) from error
