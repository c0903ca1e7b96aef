"""The names that the Spark agent gives to jobs, ``<application>.<command>[.<table>]`` (openlineage-spark 1.53.0).

``command`` is the physical plan's root node, or the chain of RDDs; both are lowered to letters, digits and ``_``. What
differs from run to run in them is left out: the uids of spark.ml stages and estimators (class, ``_``, 12 hex digits),
and of RDDs all from the first number on, as numbers there are expression ids of a cached plan
(``project_id_3_amount_5``) or the id of the Spark job. The agent cuts the chain of RDDs at 100 characters, maybe within
a uid.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lineage.dialects.shapes import job_type
from lineage.event.model import Event

#: Root nodes that write files, or a table as the result of a query: these tell outputStatistics when they have written.
#: ``adaptive_spark_plan`` is any of them under adaptive execution.
WRITING_COMMANDS = frozenset(
    {
        "adaptive_spark_plan",
        "atomic_create_table_as_select",
        "atomic_replace_table_as_select",
        "create_table_as_select",
        "execute_create_data_source_table_as_select_command",
        "execute_create_hive_table_as_select_command",
        "execute_insert_into_hadoop_fs_relation_command",
        "execute_insert_into_hive_dir_command",
        "execute_insert_into_hive_table",
        "execute_optimized_create_hive_table_as_select_command",
        "replace_table_as_select",
    }
)
_APPLICATION, _SQL, _RDD = "APPLICATION", "SQL_JOB", "RDD_JOB"
_KEPT_LENGTH = 512
#: Shorter chains of RDDs were not cut within a uid.
_CUT_LENGTH = 90

_LETTERED_UID = re.compile(r"_(?=[0-9a-f]*[a-f])[0-9a-f]{12}(?=[_.]|\Z)")
_STAGE_UID = re.compile(r"((?:\A|\.)\d+_[A-Z][A-Za-z0-9]*)_[0-9a-f]{12}(?=[_.]|\Z)")
_CUT_UID = re.compile(r"_[0-9a-f]{1,11}\Z")
_NUMBERED = re.compile(r"(?:\A|_)\d+(?:_.*)?\Z", re.DOTALL)
_RDDS = re.compile(r"\d+\Z|(?:map_partitions|shuffled|hadoop|new_hadoop|parallel_collection|python|union)(?:_|\Z)")
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
_NORMALIZED = re.compile(r"[a-z0-9_]+\Z")


def lasting_name(event: Event, name: str) -> str:
    """``name`` of the event's own job without what differs from run to run."""
    kind = job_type(event)
    suffix = name.rpartition(".")[2]
    is_rdd = kind == _RDD or (kind not in (_APPLICATION, _SQL) and _RDDS.match(suffix) is not None)
    return _kept(name, is_rdd) if len(name) <= _KEPT_LENGTH else _lasting(name, is_rdd)


def without_uids(name: str) -> str:
    """``name`` without the random uids of spark.ml."""
    return _LETTERED_UID.sub("", _STAGE_UID.sub(r"\1", name)) if len(name) > 12 else name


def writes_with_statistics(name: str) -> bool:
    """Whether the job is of a kind that tells outputStatistics once it has written."""
    return not WRITING_COMMANDS.isdisjoint(name.split("."))


def is_child_of_application(event: Event, parent: tuple[str, str]) -> bool:
    """Whether ``parent`` (namespace, name) is the Spark application in which the event's job runs, no orchestrator.

    SQL and RDD jobs say so by their jobType, since agent 1.14, and have had the application as parent since 1.9. Of
    older ones the parent is whatever started the application, unless the job is named after it.
    """
    kind = job_type(event)
    if kind in (_SQL, _RDD):
        return True
    if kind == _APPLICATION or event.job is None or event.job.namespace != parent[0]:
        return False
    return _NORMALIZED.match(parent[1]) is not None and _is_named_after(event.job.name, _letters(parent[1]))


def _is_named_after(name: str, application: str) -> bool:
    dot = name.find(".")
    while dot > 0:
        if _letters(name[:dot]) == application:
            return True
        dot = name.find(".", dot + 1)
    return False


def _letters(name: str) -> str:
    return _NOT_LETTERS.sub("", name.lower())


def _lasting(name: str, is_rdd: bool) -> str:
    application, dot, suffix = name.rpartition(".")
    if not is_rdd or not dot:
        return without_uids(name)
    kept = without_uids(suffix)
    if len(suffix) >= _CUT_LENGTH:
        kept = _CUT_UID.sub("", kept)
    return f"{without_uids(application)}.{_NUMBERED.sub('', kept) or 'rdd'}"


_kept = lru_cache(maxsize=4096)(_lasting)
