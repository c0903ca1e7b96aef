"""The enumerations of the model and of answers, as the schema names them."""

from __future__ import annotations

import strawberry

from lineage.answer import Certainty, Consequence, Kind
from lineage.answer.difference import Aspect, Change, Content
from lineage.model import Binding, EdgeKind, Evidence, Role, RunState, RunType

strawberry.enum(Kind, description="What a thing is.")
strawberry.enum(Evidence, description="How an edge is known, the strongest first.")
strawberry.enum(Binding, description="How a read found its version, the strongest first.")
strawberry.enum(Role, description="What an input is to the run that reads it.")
strawberry.enum(RunType, description="A deployment's runs are SERVICE runs: rollouts.")
strawberry.enum(RunState, description="The state of a run's last attempt.")
strawberry.enum(Consequence, description="What to do about a hit.")
strawberry.enum(Certainty, description="EXACT: settled. CANDIDATES: one of those given.")
strawberry.enum(Aspect, description="In what two things differ.")
strawberry.enum(Change, description="ADDED: only b has it. REMOVED: only a has it.")
strawberry.enum(Content, description="What the content hashes of two versions say; UNKNOWN: none compare.")
strawberry.enum(EdgeKind, name="LinkKind", description="READ_BY and WROTE tie versions and runs; FEEDS, what is wired.")

__all__ = [
    "Aspect",
    "Binding",
    "Certainty",
    "Change",
    "Consequence",
    "Content",
    "EdgeKind",
    "Evidence",
    "Kind",
    "Role",
    "RunState",
    "RunType",
]
