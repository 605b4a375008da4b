"""A bundle after its form was checked: entries decoded, hashed, found by index (section 10)."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Optional

from . import merkle, subject
from .errors import Malformed
from .event import ENTRY_BYTES_MAX
from .schema import message_type
from .subject import Subject
from .wire import Message, decode_lenient, decode_strict

BUNDLE_BYTES_MAX = 256 << 20
ENTRIES_MAX = 100_000
SUBJECTS_MAX = 100_000
NODES_MAX = 2_000_000
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Leaf:
    """An entry of the log."""

    index: int
    entry: Message
    leaf_hash: bytes


@dataclass
class Contents:
    """`leaves` ascend by index; `chains` are the indices that the bundle lists for each subject."""

    bundle: Message
    leaves: list[Leaf] = field(default_factory=list)
    chains: dict[Subject, list[int]] = field(default_factory=dict)
    _indices: list[int] = field(default_factory=list)

    def find(self, index: int) -> Optional[Leaf]:
        """The leaf at an index, if the bundle carries it."""
        at = bisect.bisect_left(self._indices, index)
        return self.leaves[at] if at < len(self.leaves) and self._indices[at] == index else None

    def has_between(self, begin: int, end: int) -> bool:
        """Whether the bundle carries a leaf of [begin, end)."""
        at = bisect.bisect_left(self._indices, begin)
        return at < len(self._indices) and self._indices[at] < end

    def read(self) -> None:
        """Fills leaves and chains. Raises Malformed: the bundle contradicts itself."""
        for source in self.bundle.items("entries"):
            try:
                self.take(decode_entry(source.data("entry"), source.number("index")))
            except Malformed as error:
                raise Malformed(f"entry {source.number('index')}: {error}") from None
        for item in self.bundle.items("subjects"):
            key = subject.key_of(item.message("subject"))
            subject.check_id(*key)
            if key in self.chains:
                raise Malformed(f"{subject.describe(key)} stands twice")
            self.chains[key] = item.items("indices")

    def take(self, leaf: Leaf) -> None:
        """The next entry. Raises Malformed if it cannot come behind the one before."""
        if self.leaves:
            before = self.leaves[-1]
            if leaf.index <= before.index:
                raise Malformed("it is out of order")
            if leaf.entry.number("recorded_at_ms") < before.entry.number("recorded_at_ms"):
                raise Malformed("its time of recording goes back")
        self.leaves.append(leaf)
        self._indices.append(leaf.index)


def decode_entry(data: bytes, index: int) -> Leaf:
    """The entry that stands at `index`. Raises Malformed."""
    if not 1 <= len(data) <= ENTRY_BYTES_MAX:
        raise Malformed(f"it has {len(data)} bytes, want 1..{ENTRY_BYTES_MAX}")
    entry = decode_strict(data, message_type("Entry"))
    if entry.number("index") != index:
        raise Malformed(f"it says that its index is {entry.number('index')}")
    if entry.one_of("content") is None:
        raise Malformed("it holds neither an event nor a seal")
    return Leaf(index, entry, merkle.leaf_hash(data))


def parse_bundle(data: bytes) -> Message:
    """Raises Malformed if the bytes are no bundle: there is nothing to judge."""
    if not 1 <= len(data) <= BUNDLE_BYTES_MAX:
        raise Malformed(f"a bundle of {len(data)} bytes, want 1..{BUNDLE_BYTES_MAX}")
    bundle = decode_lenient(data, message_type("Bundle"))
    if bundle.number("format_version") != FORMAT_VERSION:
        raise Malformed(f"a bundle of format version {bundle.number('format_version')}; "
                        f"this program reads {FORMAT_VERSION}")
    if not bundle.items("entries"):
        raise Malformed("the bundle has no entries, so it shows nothing")
    for name, most in (("entries", ENTRIES_MAX), ("subjects", SUBJECTS_MAX), ("nodes", NODES_MAX)):
        if len(bundle.items(name)) > most:
            raise Malformed(f"the bundle has {len(bundle.items(name))} {name}, at most {most}")
    return bundle
