"""Content hashes of directories (``lineageGraph_contentHash``, method ``tree``).

The digest is the SHA-256 of the line ``lineage-tree/1\\n`` and, for each entry in the order of the bytes of its path,
of

====================  =======================================================================================
1 byte                ``f`` for a file, ``l`` for a link that is kept as a link
8 bytes, big-endian   length of the path, then the path: relative, POSIX, the very bytes that the file system holds
8 bytes, big-endian   size of the content, then its SHA-256 (32 bytes): of a file its bytes, of a link its target's text
====================  =======================================================================================

Each part has its length before it, so no two lists of entries have one encoding. What was decided:

- Content counts, and its names; times, owners and permissions, the executable bit too, do not.
- Empty directories leave no trace, as in object stores and git. An empty tree has a digest too.
- Names are bytes: no unicode normalisation, so that NFC and NFD are two names.
- A link to a file is that file, as a reader sees it: a tree and its copy with links resolved are equal. A link to a
  directory inside the tree is kept as a link (so loops end), and so is one that leads nowhere. One to a directory
  outside is refused, as the digest would not cover what a reader reads. Sockets, FIFOs and devices are refused.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from lineage_ingest.emit.digest import ATTEMPTS, Digest, FileState, digest_if_still, hash_file
from lineage_ingest.emit.errors import ContentMovingError, HashingError

MAGIC = b"lineage-tree/1\n"


class TreeEntry(NamedTuple):
    """One line of a tree: ``kind`` f or l, the relative POSIX ``path``, ``size`` in bytes and ``digest`` (32 bytes)."""

    kind: Literal[b"f", b"l"]
    path: bytes
    size: int
    digest: bytes


class Found(NamedTuple):
    """A name in a tree: ``target`` is the text of a link that is kept as one."""

    path: bytes
    file: Path
    target: bytes | None


def encode_tree(entries: Iterable[TreeEntry]) -> Iterator[bytes]:
    """The encoding that is hashed, in pieces, of entries with distinct paths in any order."""
    yield MAGIC
    for kind, path, size, digest in sorted(entries, key=lambda entry: entry.path):
        yield b"".join((kind, len(path).to_bytes(8), path, size.to_bytes(8), digest))


def hash_tree(path: str | os.PathLike[str]) -> Digest:
    """SHA-256 of a directory: method ``tree``, scope FULL; ``bytes`` counts the content of its files.

    Memory grows with the number of files, not with their size. Raises ContentMovingError when something changed at
    each of ``ATTEMPTS`` attempts, HashingError for what is no directory, can't be read or would not be covered.
    """
    root = Path(path)
    for _ in range(ATTEMPTS):
        digest = _hash_if_still(root)
        if digest is not None:
            return digest
    msg = f"{root} changed each of the {ATTEMPTS} times that it was being hashed; hash it when its writer is done."
    raise ContentMovingError(msg)


def hash_path(path: str | os.PathLike[str]) -> Digest:
    """:func:`hash_tree` of a directory, :func:`lineage_ingest.emit.digest.hash_file` of anything else."""
    return hash_tree(path) if Path(path).is_dir() else hash_file(path)


def _hash_if_still(root: Path) -> Digest | None:
    before = list(_walk(root))
    states: dict[bytes, FileState] = {}
    entries: list[TreeEntry] = []
    for found in before:
        if found.target is not None:
            digest = hashlib.sha256(found.target).digest()
            entries.append(TreeEntry(b"l", found.path, len(found.target), digest))
            continue
        hashed = digest_if_still(found.file)
        if hashed is None:
            return None
        content, state = hashed
        states[found.path] = state
        entries.append(TreeEntry(b"f", found.path, state.size, content))
    if not _is_still(root, before, states):
        return None
    whole = hashlib.sha256()
    for piece in encode_tree(entries):
        whole.update(piece)
    size = sum(entry.size for entry in entries if entry.kind == b"f")
    return Digest(whole.hexdigest(), method="tree", bytes=size)


def _is_still(root: Path, before: list[Found], states: dict[bytes, FileState]) -> bool:
    # A file hashed early may have changed while a later one was being hashed.
    try:
        after = list(_walk(root))
        same = all(FileState.of(found.file.stat()) == states[found.path] for found in before if found.target is None)
    except OSError:
        return False
    return same and sorted(before) == sorted(after)


def _walk(root: Path) -> Iterator[Found]:
    top = root.resolve()

    def fail(error: OSError) -> None:
        msg = f"{error.filename} can't be read: {error.strerror}."
        raise HashingError(msg) from error

    for folder, folders, files in os.walk(root, onerror=fail):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in files + links:
            yield _find(root, top, Path(folder) / name)


def _find(root: Path, top: Path, file: Path) -> Found:
    path = os.fsencode(file.relative_to(root).as_posix())
    if not file.is_symlink() or file.is_file():
        return Found(path, file, None)
    if file.is_dir() and not file.resolve().is_relative_to(top):
        msg = f"{file} leads to a directory outside of {root}, which the digest would not cover; copy it in."
        raise HashingError(msg)
    return Found(path, file, os.fsencode(file.readlink()))
