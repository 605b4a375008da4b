"""C2SP tlog-policy: which witnesses must have seen a checkpoint (docs/formats.md section 11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Sequence

from .errors import Malformed
from .note import COSIGNATURE, ED25519, NoteKey, Verified

POLICY_BYTES_MAX = 64 << 10
LOGS_MAX, WITNESSES_MAX, GROUPS_MAX, MEMBERS_MAX = 32, 64, 64, 64


@dataclass
class WitnessPolicy:
    """Witnesses and groups by name; `quorum` is one of them, or empty for none."""

    logs: list[NoteKey] = field(default_factory=list)
    witnesses: dict[str, NoteKey] = field(default_factory=dict)
    # Name -> (threshold, members).
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = ""


class _Parser:
    def __init__(self) -> None:
        self.policy = WitnessPolicy()
        self.members: set[str] = set()
        self.keys: set[bytes] = set()
        self.quorum_seen = False

    def _defined(self, name: str) -> bool:
        return name in self.policy.witnesses or name in self.policy.groups

    def _key(self, vkey: str, type_: int) -> NoteKey:
        key = NoteKey(vkey)
        if key.type != type_:
            raise Malformed(f"{vkey} is of the wrong type of key")
        if key.key.spki in self.keys:
            raise Malformed(f"{vkey}: the same key stands twice")
        self.keys.add(key.key.spki)
        return key

    def _new_name(self, name: str) -> None:
        if name == "none" or self._defined(name):
            raise Malformed(f"the name {name} is taken")

    def take(self, words: list[str]) -> None:
        """One statement. Raises Malformed."""
        kind = words[0]
        if kind == "log" and 2 <= len(words) <= 3 and len(self.policy.logs) < LOGS_MAX:
            self.policy.logs.append(self._key(words[1], ED25519))
        elif (kind == "witness" and 3 <= len(words) <= 4
              and len(self.policy.witnesses) < WITNESSES_MAX):
            self._new_name(words[1])
            self.policy.witnesses[words[1]] = self._key(words[2], COSIGNATURE)
        elif (kind == "group" and 4 <= len(words) <= 3 + MEMBERS_MAX
              and len(self.policy.groups) < GROUPS_MAX):
            self._group(words)
        elif kind == "quorum" and len(words) == 2:
            self._quorum(words[1])
        else:
            raise Malformed(f"'{kind}' is no statement of this form, or one too many")

    def _group(self, words: list[str]) -> None:
        members = words[3:]
        for member in members:
            if not self._defined(member):
                raise Malformed(f"{member} is not defined on an earlier line")
            if member in self.members:
                raise Malformed(f"{member} is a member of two groups, or twice of one")
            self.members.add(member)
        self._new_name(words[1])
        self.policy.groups[words[1]] = (_threshold(words[2], len(members)), members)

    def _quorum(self, name: str) -> None:
        if self.quorum_seen:
            raise Malformed("a second quorum")
        self.quorum_seen = True
        if name != "none" and not self._defined(name):
            raise Malformed(f"{name} is not defined on an earlier line")
        self.policy.quorum = "" if name == "none" else name


def _threshold(word: str, members: int) -> int:
    if word in ("all", "any"):
        return members if word == "all" else 1
    good = word.isascii() and word.isdigit() and word[0] != "0" and len(word) <= 3
    if not good or int(word) > members:
        raise Malformed(f"threshold {word}, want 1..{members} (the members)")
    return int(word)


def parse_policy(text: str) -> WitnessPolicy:
    """Raises Malformed "line N: what is wrong"."""
    if len(text.encode("utf-8")) > POLICY_BYTES_MAX:
        raise Malformed("the policy is too long")
    parser = _Parser()
    for number, line in enumerate(text.split("\n"), 1):
        if any((c < " " and c != "\t") or c == "\x7f" for c in line):
            raise Malformed(f"line {number}: a control byte")
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            parser.take(words)
        except Malformed as error:
            raise Malformed(f"line {number}: {error}") from None
    if not parser.quorum_seen:
        raise Malformed("no quorum line")
    return parser.policy


def quorum_time(policy: WitnessPolicy, cosignatures: Sequence[Verified]) -> Optional[int]:
    """The latest T, POSIX seconds, such that the cosignatures not older than T meet the quorum."""
    return _time_of(policy, policy.quorum, cosignatures) if policy.quorum else 0


def _time_of(policy: WitnessPolicy, name: str,
             cosignatures: Sequence[Verified]) -> Optional[int]:
    if name in policy.witnesses:
        key = policy.witnesses[name]
        return max((c.time_s for c in cosignatures if c.name == key.name
                    and c.key_id == key.key_id and c.type == COSIGNATURE), default=None)
    threshold, members = policy.groups[name]
    times = [_time_of(policy, member, cosignatures) for member in members]
    newest = sorted((t for t in times if t is not None), reverse=True)
    return newest[threshold - 1] if len(newest) >= threshold else None
