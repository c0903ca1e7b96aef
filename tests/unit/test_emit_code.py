"""The commit that runs, read from git's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineage_ingest.emit import find_code

COMMIT = "693e35482bc2e526ced2b5f9f76ef83dec6ec691"


@pytest.fixture
def git(tmp_path: Path) -> Path:
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")
    return git


def remote(git: Path, url: str) -> None:
    (git / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n')


def test_commit_branch_and_path_are_found_from_below(git: Path) -> None:
    remote(git, "https://git.example/team/repo.git")
    found = find_code(git.parent / "jobs" / "train.py")
    assert found is not None
    assert (found.url, found.commit, found.branch) == ("https://git.example/team/repo.git", COMMIT, "main")
    assert found.path == "jobs/train.py"


def test_packed_and_detached_heads_are_read(git: Path) -> None:
    (git / "refs" / "heads" / "main").unlink()
    (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{'0' * 40} refs/tags/v1\n{COMMIT} refs/heads/main\n")
    packed = find_code(git.parent)
    (git / "HEAD").write_text(COMMIT)
    detached = find_code(git.parent)
    assert packed is not None
    assert detached is not None
    assert (packed.commit, packed.branch, packed.url) == (COMMIT, "main", git.parent.as_uri())
    assert (detached.commit, detached.branch) == (COMMIT, None)


def test_linked_worktree_is_followed_to_its_repository(git: Path, tmp_path: Path) -> None:
    linked = git / "worktrees" / "side"
    linked.mkdir(parents=True)
    (linked / "HEAD").write_text("ref: refs/heads/main\n")
    (linked / "commondir").write_text("../..\n")
    (tmp_path / "side").mkdir()
    (tmp_path / "side" / ".git").write_text("gitdir: ../.git/worktrees/side\n")
    found = find_code(tmp_path / "side")
    assert found is not None
    assert found.commit == COMMIT


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://user:secret@git.example/repo", "https://git.example/repo"),
        ("https://token@git.example:8443/repo", "https://git.example:8443/repo"),
        ("ssh://git@git.example/repo", "ssh://git@git.example/repo"),
        ("git@git.example:team/repo.git", "git@git.example:team/repo.git"),
        ("https://git.example/50%25", "https://git.example/50%25"),
    ],
)
def test_credentials_in_the_remote_are_never_told(git: Path, url: str, told: str) -> None:
    remote(git, url)
    found = find_code(git.parent)
    assert found is not None
    assert found.url == told


def test_no_commit_and_broken_files_mean_no_location(git: Path) -> None:
    (git / "refs" / "heads" / "main").unlink()
    assert find_code(git.parent) is None
    (git / "HEAD").write_bytes(b"\xff\xfe")
    assert find_code(git.parent) is None


@pytest.mark.parametrize("version", [2, 4])
def test_a_file_that_is_not_in_the_repository_has_no_commit(git: Path, version: int) -> None:
    names = b"jobs/train.py\0" if version == 2 else b"train.py\0"
    (git / "index").write_bytes(b"DIRC" + version.to_bytes(4) + (1).to_bytes(4) + b"\0" * 62 + names)
    (git.parent / "jobs").mkdir()
    for name in ("train.py", "scratch.py"):
        (git.parent / "jobs" / name).write_text("")
    assert find_code(git.parent / "jobs" / "train.py") is not None
    assert (find_code(git.parent / "jobs" / "scratch.py") is None) == (version == 2)
