"""What is known of the SQL parser that dbt's and Airflow's integrations share (openlineage-sql 1.54.0).

Its columnLineage names what a query reads by name alone: a table, or a common table expression. A table gets the
defaults of the connection (``shop.public.orders``), a CTE stays as it is written (``agg``).
"""

from __future__ import annotations

from lineage.event.model import Name


def has_form_of(output: Name, source: Name) -> bool:
    """Whether ``source`` has as many name parts as ``output``, in the same namespace (R7)."""
    return (
        source.namespace == output.namespace
        and source.name.count(".") == output.name.count(".")
        and all(source.name.split("."))
    )
