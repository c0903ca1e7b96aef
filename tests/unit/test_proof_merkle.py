import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import ProofError
from lineage.proof import merkle

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "data" / "merkle"
EMPTY_SUBTREES = "a proof about no leaves at all, which these vectors accept, shows nothing and is refused here"


def vectors(family: str) -> list[Path]:
    return sorted(VECTORS.glob(f"{family}/**/*.json"))


def read(path: Path) -> dict:
    vector = json.loads(path.read_text())
    for field in {"root", "root1", "root2", "leafHash"} & vector.keys():
        vector[field] = base64.b64decode(vector[field])
    vector["proof"] = [base64.b64decode(one) for one in vector["proof"] or []]
    return vector


def verify(family: str, v: dict) -> None:
    if family == "inclusion":
        merkle.verify_inclusion(v["leafHash"], v["leafIdx"], v["treeSize"], v["proof"], v["root"])
    elif family == "consistency":
        merkle.verify_consistency(v["size1"], v["size2"], v["proof"], v["root1"], v["root2"])
    elif family == "subtreeinclusion":
        merkle.verify_subtree_inclusion(v["leafHash"], v["leafIdx"], v["start"], v["end"], v["proof"], v["root"])
    else:
        merkle.verify_subtree_consistency(v["start"], v["end"], v["size"], v["proof"], v["root1"], v["root2"])


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the public Merkle vectors (shared/data/merkle) are not here")
@pytest.mark.parametrize(
    ("family", "count", "accepted"),
    [
        ("inclusion", 98, 6),
        ("consistency", 98, 6),
        ("subtreeinclusion", 204, 12),
        ("subtreeconsistency", 118, 6),
    ],
)
def test_public_vectors_are_judged_as_they_say(family: str, count: int, accepted: int) -> None:
    valid = 0
    for path in vectors(family):
        vector = read(path)
        empty = family == "subtreeconsistency" and vector["start"] == vector["end"]
        if vector["wantErr"] or empty:
            with pytest.raises(ProofError):
                verify(family, vector)
        else:
            verify(family, vector)
            valid += 1
    assert (len(vectors(family)), valid) == (count, accepted), EMPTY_SUBTREES


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH word for word as RFC 6962 section 2.1 defines it."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return merkle.leaf_hash(leaves[0])
    k = largest_power_below(len(leaves))
    return merkle.node_hash(defined_root(leaves[:k]), defined_root(leaves[k:]))


def defined_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH word for word as RFC 6962 section 2.1.1 defines it."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*defined_path(m, leaves[:k]), defined_root(leaves[k:])]
    return [*defined_path(m - k, leaves[k:]), defined_root(leaves[:k])]


def defined_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF word for word as RFC 6962 section 2.1.2 defines it."""
    if m == len(leaves):
        return [] if whole else [defined_root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*defined_subproof(m, leaves[:k], whole), defined_root(leaves[k:])]
    return [*defined_subproof(m - k, leaves[k:], False), defined_root(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


LEAVES = [str(n).encode() for n in range(70)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]


def subtree_hash(start: int, end: int) -> bytes:
    return defined_root(LEAVES[start:end])


sizes = st.integers(1, len(LEAVES))


@given(st.integers(0, len(LEAVES)))
def test_root_is_the_rfcs_recursive_definition(size: int) -> None:
    assert merkle.root(HASHES[:size]) == defined_root(LEAVES[:size])


@given(sizes, st.data())
def test_inclusion_proof_is_the_rfcs_path_and_verifies(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(subtree_hash, index, size)
    assert proof == defined_path(index, LEAVES[:size])
    merkle.verify_inclusion(HASHES[index], index, size, proof, defined_root(LEAVES[:size]))


@given(sizes, st.data())
def test_inclusion_proof_holds_for_no_other_place(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else 1
    proof = merkle.inclusion_proof(subtree_hash, index, size)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(HASHES[index], other, size, proof, defined_root(LEAVES[:size]))


@given(sizes, st.data())
def test_consistency_proof_is_the_rfcs_subproof_and_verifies(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    proof = merkle.consistency_proof(subtree_hash, first, second)
    assert proof == defined_subproof(first, LEAVES[:second], True)
    roots = defined_root(LEAVES[:first]), defined_root(LEAVES[:second])
    merkle.verify_consistency(first, second, proof, *roots)
    forged = defined_root([b"forged", *LEAVES[1:first]])
    with pytest.raises(ProofError):
        merkle.verify_consistency(first, second, proof, forged, roots[1])


@given(sizes, st.data())
def test_every_subtree_is_proven_part_of_the_tree(size: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, size))
    start = data.draw(st.sampled_from(range(0, size - width + 1, 1 << (width - 1).bit_length())))
    end = start + width
    proof = merkle.subtree_proof(subtree_hash, start, end, size)
    merkle.verify_subtree_consistency(start, end, size, proof, subtree_hash(start, end), defined_root(LEAVES[:size]))


@given(st.integers(0, 200))
def test_frontier_taken_up_again_goes_on_as_if_never_left(size: int) -> None:
    hashes = [merkle.leaf_hash(str(n).encode()) for n in range(size + 3)]
    roots = [merkle.root(hashes[n << k : (n + 1) << k]) for k, n in merkle.complete_subtrees(0, size)]
    frontier = merkle.Frontier(size, roots)
    for hashed in hashes[size:]:
        frontier.push(hashed)
    assert frontier.root() == merkle.root(hashes)


@pytest.mark.parametrize(("start", "end", "size"), [(0, 0, 5), (3, 5, 8), (0, 6, 5), (-1, 1, 5), (0, 1, 2**63 + 1)])
def test_what_is_no_subtree_is_refused(start: int, end: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.subtree_proof(subtree_hash, start, end, size)


def test_proof_with_a_hash_of_another_length_is_refused() -> None:
    proof = merkle.inclusion_proof(subtree_hash, 1, 2)
    with pytest.raises(ProofError, match="shape"):
        merkle.verify_inclusion(HASHES[1], 1, 2, [proof[0] + b"x"], defined_root(LEAVES[:2]))
