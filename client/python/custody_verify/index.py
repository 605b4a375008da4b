"""The subject index: keys, hashes, roots and proofs (docs/formats.md section 9)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Optional, Sequence

from .errors import Forged, Malformed
from .subject import Subject, kind_name

EMPTY = bytes(32)
DEPTH_MAX = 256


@dataclass(frozen=True)
class Leaf:
    """A subject in the index: how many entries touch it, and the leaf hash of the newest."""

    key: bytes
    count: int
    head: bytes


def key_of(subject: Subject) -> bytes:
    """SHA-256(kind name || 0x00 || id)."""
    return hashlib.sha256(kind_name(subject[0]).encode("ascii") + b"\x00" + subject[1]).digest()


def leaf_hash(leaf: Leaf) -> bytes:
    """SHA-256(0x02 || key || count u64be || head)."""
    value = leaf.count.to_bytes(8, "big") + leaf.head
    return hashlib.sha256(b"\x02" + leaf.key + value).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x03 || left || right)."""
    return hashlib.sha256(b"\x03" + left + right).digest()


def bit(key: bytes, depth: int) -> int:
    """Which way the key goes at a depth: 0 left, 1 right."""
    return key[depth // 8] >> (7 - depth % 8) & 1


def root_of(leaves: Sequence[Leaf], depth: int = 0) -> bytes:
    """The root over leaves of distinct keys that agree in their first `depth` bits."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    sides: tuple[list[Leaf], list[Leaf]] = ([], [])
    for leaf in leaves:
        sides[bit(leaf.key, depth)].append(leaf)
    return node_hash(root_of(sides[0], depth + 1), root_of(sides[1], depth + 1))


@dataclass(frozen=True)
class Proof:
    """The path of a key: siblings from the root down, and the leaf where it ends, if any."""

    siblings: list[bytes] = field(default_factory=list)
    leaf: Optional[Leaf] = None


def verify_proof(root: bytes, key: bytes, proof: Proof) -> Optional[Leaf]:
    """The leaf of `key` in the index with this root; None: the index does not hold it.

    Raises Malformed (a form that no index has) or Forged (another root).
    """
    if len(proof.siblings) > DEPTH_MAX or any(len(s) != 32 for s in proof.siblings):
        raise Malformed("index proof has a wrong number or length of hashes")
    if proof.siblings and proof.siblings[-1] == EMPTY:
        raise Malformed("index proof goes on below a lone leaf or an empty subtree")
    leaf = proof.leaf
    if leaf is not None:
        if any(bit(leaf.key, d) != bit(key, d) for d in range(len(proof.siblings))):
            raise Malformed("leaf of the index proof is not on the path of the key")
        if leaf.count == 0:
            raise Malformed("leaf of the index proof counts no event")
    value = EMPTY if leaf is None else leaf_hash(leaf)
    for depth in range(len(proof.siblings) - 1, -1, -1):
        sibling = proof.siblings[depth]
        value = node_hash(sibling, value) if bit(key, depth) else node_hash(value, sibling)
    if value != root:
        raise Forged("index proof leads to another root")
    return leaf if leaf is not None and leaf.key == key else None


class _Inner:
    """A subtree of two leaves or more."""

    def __init__(self) -> None:
        self.children: list[Optional["_Node"]] = [None, None]
        self.hash: Optional[bytes] = None


_Node = Leaf | _Inner


def _hash(node: Optional[_Node]) -> bytes:
    if node is None:
        return EMPTY
    if isinstance(node, Leaf):
        return leaf_hash(node)
    if node.hash is None:
        node.hash = node_hash(_hash(node.children[0]), _hash(node.children[1]))
    return node.hash


def _put(node: Optional[_Node], leaf: Leaf, depth: int) -> _Node:
    if node is None or isinstance(node, Leaf) and node.key == leaf.key:
        return leaf
    if isinstance(node, Leaf):
        inner = _Inner()
        inner.children[bit(node.key, depth)] = node
        node = inner
    side = bit(leaf.key, depth)
    node.children[side] = _put(node.children[side], leaf, depth + 1)
    node.hash = None
    return node


class Tree:
    """The index as it grows; hashes what changed since the last root."""

    def __init__(self) -> None:
        self._top: Optional[_Node] = None

    def put(self, leaf: Leaf) -> None:
        """Sets the value of a key."""
        self._top = _put(self._top, leaf, 0)

    def root(self) -> bytes:
        """As root_of() all leaves."""
        return _hash(self._top)
