"""Apache Airflow (apache-airflow-providers-openlineage 2.20.3, openlineage-airflow 1.41.0).

A retry is a new runId; mapped tasks share one job name; SQL that a task runs through a hook gives child jobs
``<dag>.<task>.query.<n>``; a DAG run is the parent of its tasks. All of this is what the rules say anyway (R1, R4, R8),
as long as a DAG run is taken for the orchestrator that it is: never for one process in which what one task reads is in
what another writes.
"""

from __future__ import annotations

import msgspec

from lineage.dialects.plain import Plain
from lineage.dialects.recognition import AIRFLOW
from lineage.dialects.sql_parser import has_form_of
from lineage.event.model import Event, Name
from lineage.facts.claims import Claims


class Airflow(Plain):
    """What Airflow's tasks and DAG runs tell."""

    name = AIRFLOW

    def claims(self, event: Event, claims: Claims) -> Claims:
        """The claims, marked as Airflow's."""
        return msgspec.structs.replace(claims, dialect=self.name)

    def vouches(self, output: Name, source: Name) -> bool:
        """Whether the SQL parser named a table: a CTE's name has fewer parts than the output's."""
        return has_form_of(output, source)
