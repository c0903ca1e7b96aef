"""The Dockerfile and .dockerignore, read as a builder reads them (as much of both formats as ours use)."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its lines joined."""

    name: str
    value: str

    def words(self) -> list[str]:
        """The words of an exec form, or of a COPY."""
        if self.name == "COPY":
            return shlex.split(self.value)
        told: list[str] = json.loads(self.value[self.value.index("[") :])
        return told


def instructions() -> list[list[Instruction]]:
    """The Dockerfile, by stage; what stands before the first FROM is a stage of its own."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    stages: list[list[Instruction]] = [[]]
    for line in filter(None, lines):
        name, _, value = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, value.strip()))
    return stages


def the(stage: list[Instruction], name: str) -> Instruction:
    """The last instruction of this name."""
    return [each for each in stage if each.name == name][-1]


def let_through(path: str) -> bool:
    """Whether ``.dockerignore`` lets a path into the build: the last line that matches it or a parent decides."""
    parts = path.split("/")
    above = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    allowed = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            glob = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
            if any(re.fullmatch(glob, each) for each in above):
                allowed = line.startswith("!")
    return allowed
