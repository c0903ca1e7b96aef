"""An answer as PROV-JSON (W3C Member Submission of 24 April 2013, over PROV-DM).

A version, dataset, model or column is an entity; a run, on the logical level a job, an activity. READ_BY is ``used``,
WROTE ``wasGeneratedBy``, and what no activity stands between ``wasDerivedFrom``. A run's job is its plan, in one
``wasAssociatedWith`` for each owner of the job, or one without an agent; the plan is an entity of its own, as a job may
also be an activity. An impact's arrows say what comes before what, not which edge it was: an entity's to an activity is
``used``, an activity's to an entity ``wasGeneratedBy``.

Identifiers are ``lineage:`` and the Relay id; ``lineage`` is the one prefix declared, as ``prov`` and ``xsd`` are the
specification's own.
"""

from __future__ import annotations

from typing import Any

from lineage.answer import Thing, View, kind_of, label, name_of, namespace_of, thing_id
from lineage.exports.drawing import Arrow, Drawing, Graphic, draw, moment
from lineage.keys import job_key
from lineage.model import Job, Owner, Run, Version

PREFIX = "urn:lineage-graph:"

Document = dict[str, dict[str, Any]]


def to_prov(view: View, answer: Graphic) -> Document:
    """``answer`` as one PROV-JSON document: JSON values, ready to be written. Sections without members are left out."""
    drawing = draw(view, answer)
    document: Document = {"prefix": {"lineage": PREFIX}}
    for thing in drawing.things.values():
        section = "activity" if _is_activity(thing) else "entity"
        document.setdefault(section, {})[_name(thing)] = _attributes(thing)
    for number, arrow in enumerate(drawing.arrows, start=1):
        _relate(document, drawing, arrow, number)
    _associate(document, view, [thing for thing in drawing.things.values() if isinstance(thing, Run)])
    return document


def _is_activity(thing: Thing) -> bool:
    return isinstance(thing, Run | Job)


def _name(thing: Thing) -> str:
    return f"lineage:{thing_id(thing)}"


def _attributes(thing: Thing) -> dict[str, Any]:
    told: dict[str, Any] = {
        "prov:label": label(thing),
        "prov:type": _qualified(f"lineage:{kind_of(thing).value}"),
        "lineage:namespace": namespace_of(thing),
        "lineage:name": name_of(thing),
    }
    if isinstance(thing, Run):
        times = {"prov:startTime": thing.started_at, "prov:endTime": thing.ended_at}
        told.update({name: moment(time) for name, time in times.items() if time is not None})
        told.update({"lineage:runId": thing.run_id} | ({"lineage:commit": thing.commit} if thing.commit else {}))
    if isinstance(thing, Version):
        told["lineage:writtenAt"] = {"$": moment(thing.written_at), "type": "xsd:dateTime"}
        told.update({"lineage:version": list(thing.declared)} if thing.declared else {})
        digests = [f"{digest.algorithm}:{digest.digest}" for digest in thing.digests]
        told.update({"lineage:digest": digests} if digests else {})
    return told


def _qualified(name: str) -> dict[str, str]:
    return {"$": name, "type": "prov:QUALIFIED_NAME"}


def _relate(document: Document, drawing: Drawing, arrow: Arrow, number: int) -> None:
    source, target = drawing.things[arrow.source], drawing.things[arrow.target]
    before, after = f"lineage:{arrow.source}", f"lineage:{arrow.target}"
    match _is_activity(source), _is_activity(target):
        case False, True:
            section, told = "used", {"prov:activity": after, "prov:entity": before}
        case True, False:
            section, told = "wasGeneratedBy", {"prov:entity": after, "prov:activity": before}
        case True, True:
            section, told = "wasInformedBy", {"prov:informed": after, "prov:informant": before}
        case _:
            section, told = "wasDerivedFrom", {"prov:generatedEntity": after, "prov:usedEntity": before}
    more: dict[str, Any] = {f"lineage:{name}": value for name, value in arrow.attributes.items() if name != "role"}
    if section == "used" and "role" in arrow.attributes:
        more["prov:role"] = _qualified(f"lineage:{arrow.attributes['role']}")
    document.setdefault(section, {})[f"_:{section}{number}"] = told | more


def _associate(document: Document, view: View, runs: list[Run]) -> None:
    jobs = _jobs(view, runs)
    for number, run in enumerate(runs, start=1):
        job = jobs.get(job_key(*run.job))
        if job is None:
            continue
        plan = _attributes(job) | {"prov:type": [_qualified(f"lineage:{kind_of(job).value}"), _qualified("prov:Plan")]}
        name = _name(job).replace(":", ":plan-", 1)
        document.setdefault("entity", {})[name] = plan
        told = {"prov:activity": _name(run), "prov:plan": name}
        agents = [{"prov:agent": _agent(document, owner)} for owner in job.owners]
        for place, agent in enumerate(agents or [{}], start=1):
            document.setdefault("wasAssociatedWith", {})[f"_:wasAssociatedWith{number}-{place}"] = told | agent


def _jobs(view: View, runs: list[Run]) -> dict[bytes, Job]:
    keys = sorted({job_key(*run.job) for run in runs})
    return {node.key: node for node in view.graph.fetch(keys) if isinstance(node, Job)}


def _agent(document: Document, owner: Owner) -> str:
    """The agent of ``owner``: its name as hexadecimal, since a name may hold what an identifier may not."""
    name = f"lineage:agent-{owner.name.encode(errors='surrogatepass').hex()}"
    document.setdefault("agent", {})[name] = {"prov:label": owner.name}
    return name
