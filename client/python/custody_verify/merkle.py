"""The Merkle tree of RFC 6962 (docs/formats.md section 7)."""

from __future__ import annotations

import hashlib
from typing import Sequence

from .errors import Forged, Malformed

TREE_SIZE_MAX = 1 << 63
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes that are all at hand."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def check_hashes(hashes: Sequence[bytes]) -> None:
    """Raises Malformed unless each is 32 bytes."""
    for value in hashes:
        if len(value) != 32:
            raise Malformed(f"digest has {len(value)} bytes, want 32")


def _shape(index: int, size: int) -> tuple[int, int]:
    """How many hashes lie below the right border of the tree, and how many on it."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, bin(index >> inner).count("1")


def _chain(value: bytes, proof: Sequence[bytes], index: int, right_only: bool = False) -> bytes:
    for place, sibling in enumerate(proof):
        if index >> place & 1:
            value = node_hash(sibling, value)
        elif not right_only:
            value = node_hash(value, sibling)
    return value


def _border(value: bytes, proof: Sequence[bytes]) -> bytes:
    for left in proof:
        value = node_hash(left, value)
    return value


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes],
                     root: bytes) -> None:
    """Leaf `index` of the tree of `size` leaves with this root is `leaf`.

    Raises Malformed (index, size or length of the proof) or Forged (another root).
    """
    if size > TREE_SIZE_MAX or index >= size:
        raise Malformed(f"index {index} is not below the tree size {size}")
    inner, border = _shape(index, size)
    if len(proof) != inner + border:
        raise Malformed(f"proof has {len(proof)} hashes, want {inner + border}")
    check_hashes(proof)
    if _border(_chain(leaf, proof[:inner], index), proof[inner:]) != root:
        raise Forged(f"inclusion proof of index {index} leads to another root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes,
                       root2: bytes) -> None:
    """The tree of `size2` leaves begins with the tree of `size1` leaves. Raises as above."""
    if size1 == 0 or size1 > size2 or size2 > TREE_SIZE_MAX:
        raise Malformed(f"no consistency proof from size {size1} to size {size2}")
    check_hashes(proof)
    if size1 == size2:
        if proof:
            raise Malformed(f"proof has {len(proof)} hashes, want 0")
        if root1 != root2:
            raise Forged("two roots for the same tree size")
        return
    inner, border = _shape(size1 - 1, size2)
    shift = (size1 & -size1).bit_length() - 1
    inner -= shift
    seeded = size1 & (size1 - 1) == 0
    want = inner + border + (0 if seeded else 1)
    if len(proof) != want:
        raise Malformed(f"proof has {len(proof)} hashes, want {want}")
    seed, path = (root1, proof) if seeded else (proof[0], proof[1:])
    mask = (size1 - 1) >> shift
    if _border(_chain(seed, path[:inner], mask, right_only=True), path[inner:]) != root1:
        raise Forged("consistency proof does not lead to the smaller tree's root")
    if _border(_chain(seed, path[:inner], mask), path[inner:]) != root2:
        raise Forged("consistency proof does not lead to the larger tree's root")
