"""Which code runs: the commit that git's files name, read without git itself (OpenLineage ``sourceCodeLocation``).

The commit is what is checked out; changes that were never committed can't be seen this way.
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from openlineage.client.facet_v2 import source_code_location_job

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """A place in a repository: its URL (``file:`` where it has no remote), the commit, the branch, the path inside."""

    url: str
    commit: str
    branch: str | None = None
    path: str | None = None

    def facet(self) -> source_code_location_job.SourceCodeLocationJobFacet:
        """As a job facet."""
        return source_code_location_job.SourceCodeLocationJobFacet(
            type="git", url=self.url, repoUrl=self.url, version=self.commit, branch=self.branch, path=self.path
        )


def find_code(path: Path) -> CodeLocation | None:
    """The repository that a file or folder stands in, at the commit checked out; None if there is none, it has no
    commit, or the file isn't in it: the commit then says nothing of the file."""
    path = path.absolute()
    for folder in (path, *path.parents):
        git = _git_folder(folder / ".git")
        if git is not None:
            return _read(git, folder, path)
    return None


def _git_folder(entry: Path) -> Path | None:
    if entry.is_dir():
        return entry
    if entry.is_file():
        # A linked worktree or a submodule: a file that says where.
        target = _text(entry).removeprefix("gitdir:").strip()
        return (entry.parent / target).resolve() if target else None
    return None


def _read(git: Path, top: Path, path: Path) -> CodeLocation | None:
    common = (git / (_text(git / "commondir") or ".")).resolve()
    head = _text(git / "HEAD")
    reference = head.removeprefix("ref: ") if head.startswith("ref: ") else None
    commit = head if reference is None else _resolve(reference, git, common)
    if not _COMMIT.fullmatch(commit) or (path.is_file() and not _is_tracked(git / "index", path.relative_to(top))):
        return None
    return CodeLocation(
        url=_remote(common / "config") or top.as_uri(),
        commit=commit,
        branch=reference.removeprefix("refs/heads/") if reference else None,
        path=path.relative_to(top).as_posix() if path != top else None,
    )


def _is_tracked(index: Path, path: Path) -> bool:
    """Whether git's index (gitformat-index) names a file. Version 4 shortens names: what it holds is taken for all."""
    try:
        content = index.read_bytes()
    except OSError:
        return True
    whole_names = content[:4] == b"DIRC" and int.from_bytes(content[4:8]) in (2, 3)
    return not whole_names or path.as_posix().encode() + b"\0" in content


def _resolve(reference: str, git: Path, common: Path) -> str:
    loose = _text(git / reference) or _text(common / reference)
    if loose:
        return loose
    for line in _text(common / "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return ""


def _remote(config: Path) -> str | None:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(_text(config))
    except configparser.Error:
        return None
    url = parser.get('remote "origin"', "url", fallback=None)
    return _without_credentials(url) if url else None


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc:
        return url
    user, host = parts.netloc.rsplit("@", 1)
    # ssh://git@host needs its user; https://user:token@host would tell a secret to all who read the graph.
    keep = parts.scheme == "ssh" and ":" not in user
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if keep else host))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
