"""The shop of "Ask the graph in Cypher": what its pipelines tell, in seconds after 10:00 of 2026-05-01.

Raw files become orders; orders and customers become features and labels; two versions of a model are trained on these
and served one after the other. One run of ``clean`` fails halfway, and somebody reads what it left behind. Neither
mails, as their job declares, nor segments, as its last run tells, are made from customers any longer.
"""

from __future__ import annotations

from typing import Any

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.keys import Base, dataset_key, job_key, run_key, store_key
from lineage.model import Changes, Dataset, Flow, Job, Name, NameScope, Node, RunType, Version
from lineage.model import Run as RunNode
from tests.unit.fold_rules.story import Run, Told, dataset, dataset_event, encoded, job_event, run

CHURN = "models|churn"
TAGS = {"tags": {"tags": [{"key": "pii", "value": "strict"}, {"key": "crm"}]}}


def shop() -> tuple[Changes, int]:
    """The graph as one list of changes, and of how many events it is made."""
    events = encoded([*_declared(), *_first_day(), *_after_the_failure()])
    taken = [(index, 0, parse_event(event)) for index, event in enumerate(events)]
    return Fold(MemoryFacts()).take(taken), len(events)


def crowd(size: int = 2_000) -> Changes:
    """So many more of what queries begin at, tied to nothing: among few nodes the planner may as well scan."""
    made: list[Node] = []
    for number in map(str, range(size)):
        job, model, version = job_key("crowd", number), dataset_key("crowd", number), store_key(Base.VERSION, number)
        made.append(Job(job, "crowd", number, is_deployment=True))
        made.append(Dataset(model, "crowd", number, is_model=True))
        made.append(RunNode(run_key(number, "crowd", number), number, Name("crowd", number), type=RunType.SERVICE))
        made.append(Version(version, model, "crowd", number, int(number)))
        made.append(Flow(store_key(Base.FLOW, number), job, None))
    names = {(NameScope.DIGEST, node.name, node.key): True for node in made if isinstance(node, Version)}
    return Changes({node.key: node for node in made}, {}, dict(names))


def _declared() -> list[Told]:
    customers, holdout = dataset("shop|customers"), dataset("shop|holdout")
    made = {"outputs": [dataset("shop|mailing")], **_owned("team:mail")}
    return [
        dataset_event("shop|customers", -9, facets={**TAGS, **_owned("team:crm")}),
        job_event("export", -8, inputs=[customers], **made),
        job_event("export", -7, inputs=[holdout], **made),
    ]


def _first_day() -> list[Run]:
    return [
        _writes(_job("c1", "clean", "team:data"), "shop|orders", digest="1b1b1b1b", symlinks=["s3://shop|orders"])
        .reads("shop|raw", digest="0a0a0a0a").start(0).complete(10),
        _writes(_job("l1", "load", "team:crm"), "shop|customers").start(0).complete(20),
        _writes(_job("g1", "segment", "team:crm"), "shop|segments").reads("shop|customers").start(21).complete(22),
        _writes(_job("g2", "segment", "team:crm"), "shop|segments").reads("shop|holdout").start(23).complete(24),
        _rollout("e1", "segment-api").reads("shop|segments").start(25),
        _rollout("e2", "mail-api").reads("shop|mailing").start(26),
        _writes(_job("b1", "build", "team:data", "c0ffee1"), "shop|features", digest="2c2c2c2c")
        .writes("shop|labels", digest="8d8d8d8d", lifecycle="OVERWRITE")
        .reads("shop|orders", digest="1b1b1b1b").reads("shop|customers").start(30).complete(40),
        _writes(_job("t1", "train", "team:ml", "c0ffee1"), CHURN, model=True, version="1", digest="4e4e4e4e")
        .reads("shop|features", digest="2c2c2c2c", role="TRAIN").reads("shop|labels", digest="8d8d8d8d", role="TRAIN")
        .reads("shop|holdout", digest="3d3d3d3d", role="TEST").start(50).complete(60),
        _rollout("s1", "churn-api").traffic((CHURN, "1", 100)).reads(CHURN, model=True, version="1").start(70),
    ]  # fmt: skip


def _after_the_failure() -> list[Run]:
    return [
        _writes(_job("c2", "clean", "team:data"), "shop|orders", version="half")
        .reads("shop|raw", digest="0a0a0a0a").of_run(errorMessage={"message": "disk full"}).start(80).fail(90),
        _writes(_job("a1", "adhoc", "team:bi"), "shop|report").reads("shop|orders", version="half")
        .start(91).complete(92),
        _writes(_job("c3", "clean", "team:data"), "shop|orders", digest="5f5f5f5f")
        .reads("shop|raw", digest="0a0a0a0a").start(95).complete(100),
        _writes(_job("b2", "build", "team:data", "c0ffee2"), "shop|features", digest="6a6a6a6a")
        .writes("shop|labels", digest="9e9e9e9e", lifecycle="OVERWRITE")
        .reads("shop|orders", digest="5f5f5f5f").reads("shop|customers").start(110).complete(120),
        _writes(_job("t2", "train", "team:ml", "c0ffee2"), CHURN, model=True, version="2", digest="7b7b7b7b")
        .reads("shop|features", digest="6a6a6a6a", role="TRAIN").reads("shop|labels", digest="9e9e9e9e", role="TRAIN")
        .reads(CHURN, model=True, version="1", role="BASE_MODEL").start(130).complete(140),
        _rollout("s2", "churn-api").traffic((CHURN, "2", 100)).reads(CHURN, model=True, version="2").start(150),
    ]  # fmt: skip


def _job(short: str, name: str, team: str, commit: str | None = None) -> Run:
    told = run(short, job=name).of_job(**_owned(team))
    return told.of_job(sourceCodeLocation={"version": commit, "repoUrl": "git://shop"}) if commit else told


def _rollout(short: str, deployment: str) -> Run:
    return run(short, job=deployment, kind="SERVICE").of_job(**_owned("team:web"))


def _writes(told: Run, name: str, **facets: Any) -> Run:
    return told.writes(name, lifecycle="OVERWRITE", **facets)


def _owned(team: str) -> dict[str, Any]:
    return {"ownership": {"owners": [{"name": team, "type": "team"}]}}
