"""Small random events and prediction records, made from bytes: about so few things that they get in each other's way.

One draw of bytes gives one event: that is cheap, and what Hypothesis shrinks to zeros is the plainest event there is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from lineage.event.timestamp import format_time
from lineage.facts.extract import CONTENT_HASH, ENVIRONMENT, METRICS, MODEL_CARD, ROLE, ROLLOUT
from tests.conformance.graphs import HOSTILE as HOSTILE_TEXTS

Json = dict[str, Any]
T = TypeVar("T")

BASE = 1_777_629_600_000_000
"""2026-05-01T10:00:00Z."""
SECOND = 1_000_000
HOUR = 3_600 * SECOND

NAMESPACE = "n"
DATASETS = ("a", "b", "c", "m")
"""The last is a model, where there are any."""
PARTS = ("m/metadata", "m/stages/0_X_0123456789ab/data", "x.db/x.db/t", "q.s.t", "online_store_a")
"""Names in which a dialect sees more than a name."""
JOBS = ("j0", "j1", "stream", "d")
"""The run with number i is of the job i % 4: ``d`` is a deployment, ``stream`` streams, where these are told."""
COLUMNS = "xyuv"
VERSIONS = "ABCD"
DIGESTS = ("aaaa", "bbbb", "sha256:cccc")
COMMITS = ("c0ffee", "c1")
PREDICTIONS = ("p0", "p0", "p0", "p0", "p1", "deadbeef", "00FF", "'; --", "\ud83d")
HOSTILE = (*(text[:3_000] for text in HOSTILE_TEXTS), "cut \ud83d", "nul\0nul", "ﬀ", "A", "e\u0301", "\U0010ffff")

FEATURES = (
    "versions", "hashes", "aliases", "lifecycle", "columns", "entries", "models", "parents", "failures",
    "declarations", "descriptions", "dialects", "hostile", "wild",
)  # fmt: skip
"""What a set of events may tell besides who reads and writes what."""

PRODUCER = "urn:producer"
_OPENLINEAGE = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/"
DIALECTS = (*(_OPENLINEAGE + name for name in ("spark", "dbt", "airflow")), "feast")

_DEEP: Any = json.loads("[" * 300 + "]" * 300)
WILD: tuple[Any, ...] = (
    None, True, 0, -1, -0.0, 1e308, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, "", "x", [], {}, [None], [[]], [{}],
    {"": None}, {"x": {}}, {"x": [1]}, [{"namespace": 1, "name": "a"}], [{"namespace": "n", "name": ["a"]}],
    {"u": {"inputFields": [{"namespace": "n", "name": None}, 7]}}, {"'; --": {"\u2028": 2**70}}, _DEEP,
)  # fmt: skip
_SPOILT = (
    ("version", "datasetVersion"), ("symlinks", "identifiers"), ("columnLineage", "fields"),
    ("columnLineage", "dataset"), ("lineage", "inputs"), ("lineage", "fields"), ("lineage", "entries"),
    ("lifecycleStateChange", "lifecycleStateChange"), ("lifecycleStateChange", "previousIdentifier"),
    ("parent", "run"), ("parent", "job"), ("parent", "root"), ("schema", "fields"), ("ownership", "owners"),
    ("tags", "tags"), ("documentation", "description"), ("datasetType", "datasetType"), (CONTENT_HASH, "digests"),
    (MODEL_CARD, "parameters"), (ROLE, "role"), (ROLLOUT, "traffic"), (ROLLOUT, "environment"),
    ("executionParameters", "parameters"), (METRICS, "metrics"), (ENVIRONMENT, "packages"),
    ("errorMessage", "message"), ("jobType", "processingType"), ("jobType", "jobType"),
    ("sourceCodeLocation", "version"), ("sourceCodeLocation", "repoUrl"), ("nobody:knows", "this"),
    ("version", "_deleted"), ("dbt_node", "unique_id"), ("icebergScanReport", "snapshotId"),
)  # fmt: skip


class Choices:
    """Choices made by the bytes of ``data``, one each; past their end the first option, and no."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def of(self, options: Sequence[T]) -> T:
        """One of ``options``; 0 chooses the first."""
        return options[next(self._bytes, 0) % len(options)]

    def wide(self, options: Sequence[T]) -> T:
        """One of up to 65,536 ``options``, by two bytes."""
        return options[(next(self._bytes, 0) << 8 | next(self._bytes, 0)) % len(options)]

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred."""
        return next(self._bytes, 0) >= 256 - percent * 256 // 100

    def name(self, hostile: bool) -> Json:
        """The namespace and name of a dataset; seldom of one that has no ordinary name."""
        if hostile and self.chance(20):
            return {"namespace": self.of((NAMESPACE, *HOSTILE)), "name": self.of(HOSTILE)}
        return {"namespace": NAMESPACE, "name": self.of(DATASETS)}


def run_id(number: int) -> str:
    return f"a0000000-0000-4000-8000-{number:012d}"


def served() -> list[bytes]:
    """A run that trains a model, a rollout of it, and, last, a prediction record of that."""
    model = {**_name("m"), "facets": {"datasetType": {"datasetType": "MODEL"}, "version": {"datasetVersion": "A"}}}
    service = {"jobType": {"processingType": "SERVICE", "integration": "X"}}
    events: list[Json] = [
        {"eventType": "COMPLETE", "job": _name("j1"), "inputs": [_name("a")], "outputs": [model]},
        {"eventType": "START", "job": {**_name("d"), "facets": service}, "inputs": [model]},
    ]
    for event, number in zip(events, (1, 3), strict=True):
        event |= {"run": {"runId": run_id(number)}, "producer": PRODUCER, "schemaURL": "urn:schema"}
        event["eventTime"] = format_time(BASE + number * SECOND)
    record = {"id": "p0", "time": format_time(BASE + 5 * SECOND), "deployment": _name("d")}
    return [json.dumps(told).encode() for told in (*events, record)]


class Teller:
    """Makes records that tell of some of FEATURES."""

    def __init__(self, features: frozenset[str]) -> None:
        self._features = features

    def event(self, data: bytes, time: int | None = None) -> bytes:
        """One event; at ``time`` (UTC microseconds), if that is given."""
        choices = Choices(data)
        told: Json = {"eventTime": self._time(choices, time), "producer": PRODUCER, "schemaURL": "urn:schema"}
        if "dialects" in self._features and choices.chance(50):
            told["producer"] = choices.of(DIALECTS)
        kind = choices.of(("run", "run", "run", "run", "run", "job", "dataset"))
        if "declarations" not in self._features:
            kind = "run"
        if kind == "dataset":
            return _written({**told, "dataset": self._dataset(choices, True)}, choices, self._features)
        number = choices.of(range(8))
        told["job"] = self._job(choices, number)
        if kind == "run":
            told["eventType"] = self._type(choices)
            told["run"] = {"runId": self._run_id(choices, number), "facets": self._run_facets(choices, number)}
        told["inputs"] = [self._dataset(choices, False, number % 4 == 3) for _ in range(choices.of((1, 0, 1, 2)))]
        told["outputs"] = [self._dataset(choices, True, number % 4 == 1) for _ in range(choices.of((1, 0, 1, 2)))]
        return _written(told, choices, self._features)

    def prediction(self, data: bytes) -> bytes:
        """One prediction record."""
        choices = Choices(data)
        deployment = {"namespace": NAMESPACE, "name": choices.of(("d", "d", "d", "d", "d", "j0", "'; --"))}
        told: Json = {"id": choices.of(PREDICTIONS), "time": self._time(choices, None), "deployment": deployment}
        if choices.chance(40):
            told["run"] = self._run_id(choices, choices.of((3, 7, 0, 99)))
        if choices.chance(50):
            told["model"] = choices.name("hostile" in self._features) if choices.chance(20) else _name("m")
            if choices.chance(60):
                told["model"]["version"] = choices.of(VERSIONS)
        if choices.chance(20):
            told["inputHash"] = choices.of(DIGESTS)
        return _written(told, choices, self._features)

    def _has(self, feature: str, choices: Choices, percent: int) -> bool:
        return feature in self._features and choices.chance(percent)

    def _time(self, choices: Choices, time: int | None) -> str:
        if time is None:
            coarse, fine = choices.of((0, 5, 10)) * SECOND, choices.of(range(0, 30_000, 250)) * 1_000
            time = BASE + choices.of((coarse, coarse, fine)) + choices.of((*[0] * 9, 1, 2, 30)) * HOUR
        text = format_time(time)
        if self._has("hostile", choices, 10):
            return choices.of((text[:-1], text[:-1] + "999+00:00", text.replace("T", " "), *_EXTREME_TIMES))
        return text

    def _type(self, choices: Choices) -> str:
        if self._has("failures", choices, 30):
            return choices.of(("FAIL", "ABORT"))
        if self._has("hostile", choices, 5):
            return choices.of(("complete", "OTHER", "", "İ"))
        return choices.of(("COMPLETE", "START", "COMPLETE", "START", "RUNNING"))

    def _run_id(self, choices: Choices, number: int) -> str:
        written = run_id(number)
        if self._has("hostile", choices, 10):
            return choices.of((written.upper(), written.replace("-", ""), f"urn:uuid:{written}"))
        return written

    def _job(self, choices: Choices, number: int) -> Json:
        name = JOBS[number % 4]
        kind = {"stream": "STREAMING", "d": "SERVICE"}.get(name, "BATCH") if "models" in self._features else None
        if self._has("hostile", choices, 8):
            name, kind = choices.of((*JOBS, *HOSTILE)), choices.of(("BATCH", "STREAMING", "SERVICE"))
        facets: Json = {}
        if kind:
            facets["jobType"] = {"processingType": kind, "integration": "X"}
        if self._has("descriptions", choices, 40):
            facets["sourceCodeLocation"] = {
                "version": choices.of(COMMITS),
                "repoUrl": choices.of(("git://a", "git://b")),
            }
        if self._has("entries", choices, 10):
            target = choices.of(({}, {"type": "JOB"}, _name("a"), _name("b")))
            facets["lineage"] = {"entries": [{**target, **self._entry(choices)}]}
        return {"namespace": NAMESPACE, "name": name, "facets": self._spoilt(facets, choices)}

    def _run_facets(self, choices: Choices, number: int) -> Json:
        facets: Json = {}
        if self._has("parents", choices, 40):
            facets["parent"] = _of_run(choices)
            if choices.chance(30):
                facets["parent"]["root"] = _of_run(choices)
        if number % 4 == 3 and self._has("models", choices, 60):
            traffic = [{**_name("m"), "version": choices.of(VERSIONS), "percent": p} for p in choices.of(_PERCENTS)]
            facets[ROLLOUT] = {"environment": choices.of(("prod", "prod", "test")), "traffic": traffic}
        if self._has("descriptions", choices, 40):
            facets["executionParameters"] = {
                "parameters": [{"key": choices.of(HOSTILE), "value": choices.of(WILD[:20])}]
            }
            facets[METRICS] = {"metrics": [{"name": "auc", "value": choices.of((0.9, -0.0, 2**70, "x"))}]}
            facets["errorMessage"] = {"message": choices.of(HOSTILE)}
        return self._spoilt(facets, choices)

    def _dataset(self, choices: Choices, is_output: bool, likes_model: bool = False) -> Json:
        name = choices.name("hostile" in self._features)
        if likes_model and self._has("models", choices, 50):
            name = _name("m")
        if self._has("dialects", choices, 25):
            name = _name(choices.of(PARTS))
        facets: Json = {}
        if self._has("versions", choices, 40):
            facets["version"] = {"datasetVersion": choices.of(VERSIONS)}
        if self._has("hashes", choices, 40):
            facets[CONTENT_HASH] = {"digests": [_digest(choices) for _ in range(choices.of((1, 1, 2)))]}
        if self._has("aliases", choices, 15):
            names = [choices.name("hostile" in self._features) for _ in range(choices.of((1, 0, 1, 2)))]
            facets["symlinks"] = {"identifiers": [{**each, "type": "TABLE"} for each in names]}
        if "models" in self._features and (name["name"] == "m" or choices.chance(5)):
            facets["datasetType"] = {"datasetType": choices.of(("MODEL", "MODEL", "MODEL", "MODEL", "TABLE"))}
            facets[MODEL_CARD] = {"framework": choices.of(HOSTILE), "parameters": {"p": choices.of(WILD[:20])}}
        if not is_output and self._has("models", choices, 15):
            facets[ROLE] = {"role": choices.of(("TRAIN", "VALIDATION", "TEST", "BASE_MODEL", "reference"))}
        if is_output:
            self._tell_output(facets, choices)
        if self._has("descriptions", choices, 40):
            self._describe(facets, choices)
        return {**name, "facets": self._spoilt(facets, choices)}

    def _tell_output(self, facets: Json, choices: Choices) -> None:
        if self._has("lifecycle", choices, 35):
            change = choices.of(("DROP", "CREATE", "OVERWRITE", "RENAME", "TRUNCATE", "ALTER"))
            facets["lifecycleStateChange"] = {"lifecycleStateChange": change, "previousIdentifier": choices.name(False)}
        if self._has("columns", choices, 35):
            facets["columnLineage"] = {
                "fields": {choices.of("uv"): {"inputFields": [_field(choices) for _ in range(choices.of((1, 0, 2)))]}},
                "dataset": [_field(choices) for _ in range(choices.of((0, 0, 0, 1)))],
            }
        if self._has("entries", choices, 20):
            facets["lineage"] = self._entry(choices)

    def _entry(self, choices: Choices) -> Json:
        inputs = [{**choices.name(False), "type": "DATASET"} for _ in range(choices.of((1, 0, 2)))]
        return {"inputs": inputs + [{"type": "JOB"}] * choices.of((0, 0, 1))}

    def _describe(self, facets: Json, choices: Choices) -> None:
        facets["schema"] = {"fields": [{"name": name, "type": "int"} for name in COLUMNS[: choices.of(range(4))]]}
        facets["ownership"] = {"owners": [{"name": choices.of(HOSTILE), "type": "OWNER"}]}
        facets["tags"] = {"tags": [{"key": choices.of(HOSTILE), "value": "1"}]}
        facets["documentation"] = {"description": choices.of(HOSTILE)}

    def _spoilt(self, facets: Json, choices: Choices) -> Json:
        """``facets``, seldom with one that is not as its schema has it."""
        if not self._has("wild", choices, 15):
            return facets
        facet, member = choices.of(_SPOILT)
        return {**facets, facet: {**facets.get(facet, {}), member: choices.of(WILD)}}


_EXTREME_TIMES = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")
_PERCENTS: tuple[tuple[Any, ...], ...] = ((100,), (50, 50), (50,), (), (2**70,), ("all",), (1e308, 1e308), (True,))


def _name(name: str) -> Json:
    return {"namespace": NAMESPACE, "name": name}


def _of_run(choices: Choices) -> Json:
    return {"run": {"runId": run_id(choices.of((100, 101, 0, 1)))}, "job": _name(choices.of(("p", "j0")))}


def _digest(choices: Choices) -> Json:
    told = {"algorithm": "sha256", "digest": choices.of(DIGESTS), "scope": choices.of(("FULL", "FULL", "SAMPLE"))}
    return {**told, "method": choices.of(("file", "file", "table")), "bytes": choices.of((1, 2**63 - 1, 2**63, None))}


def _field(choices: Choices) -> Json:
    told = {**_name(choices.of((*DATASETS, "cte", "q.s.t"))), "field": choices.of(COLUMNS)}
    if choices.chance(30):
        told["transformations"] = [
            {"type": choices.of(("DIRECT", "INDIRECT")), "masking": choices.of((True, None, "x"))}
        ]
    return told


def _written(told: Json, choices: Choices, features: frozenset[str]) -> bytes:
    """JSON as emitters write it: with or without white space, text as it is or escaped."""
    if "hostile" in features and choices.chance(20):
        return json.dumps(told, indent=1).encode()
    return json.dumps(told, separators=(",", ":")).encode()
