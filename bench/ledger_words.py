"""The vocabulary of generated OpenLineage events: made-up words, facets with their schema URLs, columns, SQL."""

from __future__ import annotations

import random
import uuid
from typing import Any

JSON = dict[str, Any]

SPARK = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"
DBT = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt"
AIRFLOW = "https://github.com/apache/airflow/tree/providers-openlineage/2.9.0"
CLIENT = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/client/python"
OURS = "urn:lineage-graph:emitter"
SPEC = "https://openlineage.io/spec"
FACET_VERSIONS = {
    "ColumnLineageDatasetFacet": "1-2-0",
    "DataQualityAssertionsDatasetFacet": "1-1-0",
    "DatasourceDatasetFacet": "1-0-1",
    "CatalogDatasetFacet": "1-1-0",
    "DatasetTypeDatasetFacet": "1-0-1",
    "DatasetVersionDatasetFacet": "1-0-1",
    "DocumentationDatasetFacet": "1-1-0",
    "DocumentationJobFacet": "1-1-0",
    "ErrorMessageRunFacet": "1-0-1",
    "ExecutionParametersRunFacet": "1-0-0",
    "ExternalQueryRunFacet": "1-0-2",
    "InputStatisticsInputDatasetFacet": "1-0-0",
    "JobTypeJobFacet": "2-0-4",
    "LifecycleStateChangeDatasetFacet": "1-0-1",
    "NominalTimeRunFacet": "1-0-1",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "OwnershipDatasetFacet": "1-0-1",
    "OwnershipJobFacet": "1-0-1",
    "ParentRunFacet": "1-2-0",
    "ProcessingEngineRunFacet": "1-1-1",
    "SQLJobFacet": "1-1-0",
    "SchemaDatasetFacet": "1-2-0",
    "SourceCodeLocationJobFacet": "1-1-0",
    "StorageDatasetFacet": "1-0-1",
    "SymlinksDatasetFacet": "1-0-1",
    "TagsJobFacet": "1-0-0",
    "TagsRunFacet": "1-0-0",
}
# fmt: off
WORDS = [
    "account", "address", "amount", "article", "audit", "balance", "basket", "batch", "billing", "booking",
    "branch", "budget", "campaign", "cancel", "card", "carrier", "category", "channel", "city", "claim", "clean",
    "click", "client", "code", "comment", "contract", "cost", "country", "coupon", "created", "credit", "currency",
    "customer", "daily", "date", "delivery", "department", "discount", "email", "employee", "end", "event",
    "feature", "first", "flag", "forecast", "hour", "id", "industry", "inventory", "invoice", "item", "joined",
    "label", "last", "ledger", "level", "line", "loan", "location", "market", "member", "merchant", "month", "name",
    "number", "offer", "open", "order", "parent", "partner", "payment", "period", "phone", "price", "product",
    "profile", "quantity", "raw", "refund", "region", "report", "return", "revenue", "risk", "row", "sales",
    "score", "segment", "sensor", "session", "shipment", "site", "source", "start", "state", "status", "stock",
    "store", "supplier", "survey", "tax", "ticket", "time", "total", "trade", "transaction", "type", "unit",
    "updated", "user", "value", "vendor", "view", "visit", "volume", "warehouse", "week", "year", "zip",
]
# fmt: on
SPARK_TYPES = ["string", "integer", "long", "double", "timestamp", "boolean", "date", "decimal(18,2)", "array<string>"]
SQL_TYPES = ["VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "TIMESTAMP", "BOOLEAN", "DATE", "NUMERIC", "TEXT", "FLOAT"]


def word(draw: random.Random, parts: int = 2) -> str:
    return "_".join(draw.choice(WORDS) for _ in range(parts))


def when(draw: random.Random, zone: str = "Z", digits: int = 3) -> str:
    fraction = f".{draw.randrange(10**digits):0{digits}d}" if digits else ""
    return (
        f"20{draw.randint(24, 29)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
        f"T{draw.randint(0, 23):02d}:{draw.randint(0, 59):02d}:{draw.randint(0, 59):02d}{fraction}{zone}"
    )


def run_id(draw: random.Random) -> str:
    return str(uuid.UUID(int=(0x019 << 116) | draw.getrandbits(116) & ~(0xF << 76) | 0x7 << 76))


def hexadecimal(draw: random.Random, length: int) -> str:
    return f"{draw.getrandbits(4 * length):0{length}x}"


def facet(producer: str, schema: str, **members: Any) -> JSON:
    url = f"{SPEC}/facets/{FACET_VERSIONS[schema]}/{schema}.json#/$defs/{schema}"
    return {"_producer": producer, "_schemaURL": url, **members}


def custom(producer: str, **members: Any) -> JSON:
    return {"_producer": producer, "_schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet", **members}


def event(producer: str, draw: random.Random, **members: Any) -> JSON:
    digits, zone = (3, "Z") if producer == SPARK else (6, draw.choice(["Z", "+00:00"]))
    head = {"eventTime": when(draw, zone, digits), "producer": producer}
    if producer in (SPARK, DBT):
        return {**head, "schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent", **members}
    return {**members, **head, "schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"}


def event_type(draw: random.Random) -> str:
    return draw.choice(["START", "RUNNING", "COMPLETE", "COMPLETE", "FAIL", "ABORT"])


def parent(producer: str, draw: random.Random, namespace: str) -> JSON:
    told: JSON = {} if producer == SPARK else {"facets": {}}
    job = {"namespace": namespace, "name": word(draw), **told}
    run = {"runId": run_id(draw), **told}
    if draw.random() < 0.3:
        return facet(producer, "ParentRunFacet", run=run, job=job)
    root = {"run": {"runId": run_id(draw), **told}, "job": {"namespace": namespace, "name": word(draw), **told}}
    return facet(producer, "ParentRunFacet", run=run, job=job, root=root)


def fields(draw: random.Random, types: list[str], names: list[str], described: bool = False) -> list[JSON]:
    listed = []
    for name in names:
        one: JSON = {"name": name, "type": draw.choice(types)}
        if types is not SPARK_TYPES:
            one["fields"] = []
        if described:
            one["description"] = word(draw, 4).replace("_", " ")
        listed.append(one)
    return listed


def columns(producer: str, draw: random.Random, namespace: str, names: list[str], sources: list[str]) -> JSON:
    kinds = [("DIRECT", "IDENTITY"), ("DIRECT", "TRANSFORMATION"), ("DIRECT", "AGGREGATION"), ("INDIRECT", "JOIN"),
             ("INDIRECT", "FILTER"), ("INDIRECT", "GROUP_BY"), ("INDIRECT", "SORT")]  # fmt: skip

    def source(name: str) -> JSON:
        kind, subtype = draw.choice(kinds)
        transformation = {"type": kind, "subtype": subtype, "description": "", "masking": False}
        return {
            "namespace": namespace, "name": draw.choice(sources), "field": name, "transformations": [transformation]
        }  # fmt: skip

    listed = {name: {"inputFields": [source(name) for _ in range(draw.randint(1, 2))]} for name in names}
    return facet(producer, "ColumnLineageDatasetFacet", fields=listed, dataset=[])


def select(draw: random.Random, target: str, sources: list[str], names: list[str]) -> str:
    wanted = ",\n  ".join(f"{draw.choice(['a.', 'b.', ''])}{name} AS {name}" for name in names)
    joined = f"\nLEFT JOIN {sources[-1]} b ON a.{names[0]} = b.{names[0]}" if len(sources) > 1 else ""
    head = draw.choice([f"CREATE TABLE {target} AS ", f"INSERT INTO {target} ", f"create or replace view {target} as "])
    where = f"a.{draw.choice(names)} > {draw.randint(0, 999)}"
    return f"{head}SELECT\n  {wanted}\nFROM {sources[0]} a{joined}\nWHERE {where}\nGROUP BY 1, 2\nORDER BY 1"
