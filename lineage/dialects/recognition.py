"""Which producer sent an event: by the jobType facet's ``integration``, else by the ``producer`` URI, else by facets of its own.

The facet goes first, as one library may send in another's name: dbt Cloud's events come through Airflow with
Airflow's URI and the integration DBT (apache-airflow-providers-dbt-cloud). URIs carry a version and are not validated:
Feast's is the word ``feast``, or whatever its configuration says.
"""  # noqa: E501

from __future__ import annotations

import re
from functools import lru_cache

from lineage.event.model import Event

SPARK, DBT, AIRFLOW, FEAST = "spark", "dbt", "airflow", "feast"

#: The longest producer kept in memory; real ones have fewer than 100 characters.
_KEPT_LENGTH = 256
_INTEGRATIONS = {"SPARK": SPARK, "DBT": DBT, "AIRFLOW": AIRFLOW}
_PRODUCERS = re.compile(
    r"https?://github\.com/(?:"
    r"OpenLineage/OpenLineage/(?:tree|blob)/[^/]+/integration/(?P<name>spark|dbt|airflow)(?![\w-])"
    r"|(?P<airflow>apache/airflow)(?![\w-])"
    r"|(?P<feast>feast-dev/feast)(?![\w-]))",
    re.IGNORECASE,
)


def producer_name(event: Event) -> str | None:
    """``spark``, ``dbt``, ``airflow``, ``feast`` or None."""
    job_type = event.job_facets.get("jobType")
    if type(job_type) is dict:
        integration = job_type.get("integration")
        if type(integration) is str and (name := _INTEGRATIONS.get(integration.upper())):
            return name
    producer = event.producer
    name = _of_producer(producer) if len(producer) <= _KEPT_LENGTH else _named(producer)
    return name or (FEAST if _has_feast_facet(event) else None)


def _named(producer: str) -> str | None:
    if producer == FEAST:
        return FEAST
    found = _PRODUCERS.match(producer)
    if found is None:
        return None
    if found["name"]:
        return found["name"].lower()
    return AIRFLOW if found["airflow"] else FEAST


_of_producer = lru_cache(maxsize=1024)(_named)


def _has_feast_facet(event: Event) -> bool:
    for facets in (event.job_facets, event.run_facets):
        for name in facets:
            if name.startswith("feast_"):
                return True
    return False
