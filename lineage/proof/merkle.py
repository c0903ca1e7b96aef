"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1, SHA-256): hashes, roots, proofs, verification.

Inclusion and consistency are both cases of one thing, the subtree proof of draft-ietf-plants-merkle-tree-certs: a
subtree ``[start, end)`` stands in the tree of ``size`` leaves. An inclusion proof is that of ``[index, index + 1)``, a
consistency proof that of ``[0, first)``.

>>> leaves = [leaf_hash(text) for text in (b"a", b"b", b"c")]
>>> proof = inclusion_proof(lambda start, end: root(leaves[start:end]), 2, 3)
>>> verify_inclusion(leaves[2], 2, 3, proof, root(leaves))
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from lineage.errors import ProofError

EMPTY_ROOT = sha256(b"").digest()
HASH_LENGTH = 32
MAX_SIZE = 2**63

SubtreeHash = Callable[[int, int], bytes]
"""MTH(D[start:end]); asked only where ``start`` is a multiple of the least power of two >= end - start."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 over 0x00 and the leaf's bytes (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 0x01 and the two hashes below (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the complete subtrees that a growing tree consists of, largest first: all that an append needs.

    ``roots`` are the given ones when a tree of ``size`` leaves is taken up again, one for each bit set in ``size``.
    """

    __slots__ = ("roots", "size")

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        self.size = size
        self.roots = list(roots)

    def push(self, hashed: bytes) -> list[bytes]:
        """Add one leaf hash; give the hashes of the subtrees that it completes, from level 1 up, without gaps."""
        completed: list[bytes] = []
        index = self.size
        while index & 1:
            hashed = node_hash(self.roots.pop(), hashed)
            completed.append(hashed)
            index >>= 1
        self.roots.append(hashed)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return join(self.roots)


def join(roots: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, largest first; that of the empty tree for none."""
    if not roots:
        return EMPTY_ROOT
    joined = roots[-1]
    for left in reversed(roots[:-1]):
        joined = node_hash(left, joined)
    return joined


def complete_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """(level, number) of the complete subtrees that ``[start, end)`` consists of, largest first.

    Subtree ``number`` of ``level`` spans the leaves from ``number << level`` to before ``number + 1 << level``. The
    caller guarantees that ``start`` is a multiple of the least power of two >= end - start.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """MTH over leaves already hashed (RFC 6962 section 2.1)."""
    frontier = Frontier()
    for hashed in leaf_hashes:
        frontier.push(hashed)
    return frontier.root()


@dataclass(frozen=True, slots=True)
class _Sibling:
    """One step from a subtree up to the root: the sibling's span, its side, and whether the subtree has it too."""

    start: int
    end: int
    left: bool
    shared: bool


def _climb(start: int, end: int, size: int) -> tuple[int, list[_Sibling]]:
    """Where the way from ``[start, end)`` up to the root over ``size`` leaves begins, and its siblings, lowest first.

    It begins at ``start`` where the subtree is a node of the tree, else inside, at its last complete part.
    """
    steps: list[_Sibling] = []
    low, high = 0, size
    while low < start or high > end:
        split = low + (1 << (high - low - 1).bit_length() - 1)
        if end <= split:
            steps.append(_Sibling(split, high, left=False, shared=False))
            high = split
        else:
            steps.append(_Sibling(low, split, left=True, shared=start < split))
            low = split
    steps.reverse()
    return low, steps


def subtree_proof(subtree_hash: SubtreeHash, start: int, end: int, size: int) -> list[bytes]:
    """SUBTREE_PROOF(start, end, D_size): that ``[start, end)`` is part of the tree over ``size`` leaves.

    Raises ProofError where that is no subtree.
    """
    _check_subtree(start, end, size)
    low, steps = _climb(start, end, size)
    proof = [subtree_hash(step.start, step.end) for step in steps]
    return proof if low == start else [subtree_hash(low, end), *proof]


def inclusion_proof(subtree_hash: SubtreeHash, index: int, size: int) -> list[bytes]:
    """PATH(index, D_size) of RFC 6962 section 2.1.1, lowest hash first. Raises ProofError unless 0 <= index < size."""
    return subtree_proof(subtree_hash, index, index + 1, size)


def consistency_proof(subtree_hash: SubtreeHash, first: int, second: int) -> list[bytes]:
    """PROOF(first, D_second) of RFC 6962 section 2.1.2. Raises ProofError unless 1 <= first <= second."""
    return subtree_proof(subtree_hash, 0, first, second)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree_root: bytes, tree_root: bytes
) -> None:
    """Check that the subtree with ``subtree_root`` is part of the tree with ``tree_root``. Raises ProofError."""
    _check_subtree(start, end, size)
    low, steps = _climb(start, end, size)
    hashes = list(proof) if low > start else [subtree_root, *proof]
    if len(hashes) != len(steps) + 1 or any(len(one) != HASH_LENGTH for one in proof):
        raise ProofError(f"The proof has the wrong shape for leaves {start} to {end} of {size}.")
    small = large = hashes.pop(0)
    for step, sibling in zip(steps, hashes, strict=True):
        large = node_hash(sibling, large) if step.left else node_hash(large, sibling)
        if step.shared:
            small = node_hash(sibling, small)
    if not (hmac.compare_digest(small, subtree_root) and hmac.compare_digest(large, tree_root)):
        raise ProofError("The proof leads to another root than the one given.")


def verify_subtree_inclusion(
    hashed: bytes, index: int, start: int, end: int, proof: Sequence[bytes], subtree_root: bytes
) -> None:
    """Check that leaf ``index`` has hash ``hashed`` in the subtree ``[start, end)``. Raises ProofError."""
    _check_subtree(start, end, end)
    if not start <= index < end:
        raise ProofError(f"Leaf {index} is not between {start} and {end}.")
    if len(hashed) != HASH_LENGTH:
        raise ProofError("A leaf hash has 32 bytes.")
    first = index - start
    verify_subtree_consistency(first, first + 1, end - start, proof, hashed, subtree_root)


def verify_inclusion(hashed: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> None:
    """Check that leaf ``index`` has hash ``hashed`` in the tree (RFC 9162 section 2.1.3.2). Raises ProofError."""
    verify_subtree_inclusion(hashed, index, 0, size, proof, tree_root)


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> None:
    """Check that the tree of ``first`` leaves is the start of that of ``second`` (RFC 9162 section 2.1.4.2).

    Raises ProofError, also for ``first`` = 0: nothing can be shown about an empty tree.
    """
    verify_subtree_consistency(0, first, second, proof, first_root, second_root)


def _check_subtree(start: int, end: int, size: int) -> None:
    if not 0 <= start < end <= size <= MAX_SIZE:
        raise ProofError(f"There are no leaves {start} to {end} in a tree of {size}.")
    if start % (1 << (end - start - 1).bit_length()):
        raise ProofError(f"Leaves {start} to {end} are no subtree.")
