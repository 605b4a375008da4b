"""Level A: every entry under a signed checkpoint, in one computation of the root (section 10.2).

Subtrees in which the bundle carries an entry are computed, the others must stand among the nodes.
So a node that contradicts an entry is never looked at.
"""

from __future__ import annotations

from typing import Optional

from . import merkle
from .contents import Contents
from .errors import Forged, Malformed, Unvouched
from .note import Checkpoint, open_checkpoint
from .policy import quorum_time
from .report import Outcome, Report
from .trust import Trust

NODE_LEVEL_MAX = 62
CLOCK_SLACK_MS = 600_000
SECONDS_MAX = 253_402_300_799  # The end of year 9999.


class _Lacks(Exception):
    """A node that the root needs and the bundle lacks."""


def judge(contents: Contents, trust: Trust, now_ms: int, report: Report) -> None:
    """Adds the steps "checkpoint", "witnesses", "inclusion", "ledger"; level C: "seal"."""
    note = contents.bundle.text("checkpoint").encode("utf-8")
    checkpoint = judge_checkpoint(note, trust, now_ms, report)
    if checkpoint is None:
        return
    _root(contents, checkpoint, report)
    judge_beginning(contents, trust, report)
    _seal(contents, checkpoint, report)


def judge_checkpoint(note: bytes, trust: Trust, now_ms: int,
                     report: Report) -> Optional[Checkpoint]:
    """Adds the steps "checkpoint" and "witnesses"; None: nothing can rest on it."""
    opened = open_trusted(note, trust, report)
    if opened is None:
        return None
    _witnesses(opened, trust, now_ms, report)
    if opened.size == 0:
        report.add("A", "inclusion", Outcome.PROOF_FALSE, "the checkpoint is of an empty log")
        return None
    return opened


def open_trusted(note: bytes, trust: Trust, report: Report) -> Optional[Checkpoint]:
    """Adds the step "checkpoint"; None: no key of the log that is trusted vouches for it."""
    witnesses = list(trust.policy.witnesses.values()) if trust.policy else []
    try:
        opened = open_checkpoint(note, trust.ledger, trust.log_keys, witnesses,
                                 trust.retired_log_keys)
    except Unvouched as error:
        report.add("A", "checkpoint", Outcome.CANNOT_BE_CHECKED, str(error))
        return None
    except (Malformed, Forged) as error:
        report.add("A", "checkpoint", Outcome.PROOF_FALSE,
                   f"the checkpoint is not signed by a trusted log key: {error}")
        return None
    report.add("A", "checkpoint", Outcome.VERIFIED,
               f"size {opened.size}, signed by {opened.log_signatures[0].name}")
    report.tree_size = opened.size
    return opened


def _witnesses(checkpoint: Checkpoint, trust: Trust, now_ms: int, report: Report) -> None:
    policy = trust.policy
    if policy is None or not policy.quorum:
        report.add("A", "witnesses", Outcome.NOT_YET_PROVEN,
                   "no quorum of witnesses is asked for: that there is no other history is the "
                   "operator's word")
        return
    time_s = quorum_time(policy, checkpoint.cosignatures)
    if time_s is None:
        report.add("A", "witnesses", Outcome.CANNOT_BE_CHECKED,
                   f"{len(checkpoint.cosignatures)} known cosignatures do not meet the quorum "
                   f"'{policy.quorum}'")
        return
    seen_ms = min(time_s, SECONDS_MAX) * 1000
    report.witnessed_at_ms = seen_ms
    age_ms = now_ms - seen_ms
    old = trust.maximum_age_ms > 0 and not -CLOCK_SLACK_MS <= age_ms <= trust.maximum_age_ms
    report.add("A", "witnesses", Outcome.CANNOT_BE_CHECKED if old else Outcome.VERIFIED,
               f"quorum '{policy.quorum}' saw the checkpoint {age_ms // 1000} s before now"
               + (f", the limit is {trust.maximum_age_ms // 1000} s" if old else ""))


def _root(contents: Contents, checkpoint: Checkpoint, report: Report) -> None:
    last = contents.leaves[-1]
    if last.index >= checkpoint.size:
        report.add("A", "inclusion", Outcome.PROOF_FALSE,
                   f"entry {last.index} lies beyond the checkpoint's size {checkpoint.size}")
        return
    try:
        root = _range_root(contents, _nodes(contents), 0, checkpoint.size)
    except Malformed as error:
        report.add("A", "inclusion", Outcome.PROOF_FALSE, str(error))
    except _Lacks as error:
        report.add("A", "inclusion", Outcome.CANNOT_BE_CHECKED, str(error))
    else:
        if root != checkpoint.root:
            report.add("A", "inclusion", Outcome.PROOF_FALSE,
                       f"the entries lead to root {root.hex()}, the checkpoint has "
                       f"{checkpoint.root.hex()}")
        else:
            report.add("A", "inclusion", Outcome.VERIFIED,
                       f"all {len(contents.leaves)} entries are in the log")


def _nodes(contents: Contents) -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    for node in contents.bundle.items("nodes"):
        name = (node.number("level"), node.number("index"))
        if name[0] > NODE_LEVEL_MAX:
            raise Malformed(f"a node of level {name[0]}")
        merkle.check_hashes([node.data("hash")])
        if name in nodes:
            raise Malformed(f"node {name[1]} of level {name[0]} stands twice")
        nodes[name] = node.data("hash")
    return nodes


def _range_root(contents: Contents, nodes: dict[tuple[int, int], bytes], begin: int,
                end: int) -> bytes:
    """The root of the leaves [begin, end). At most 64 deep."""
    count = end - begin
    carried = contents.has_between(begin, end)
    if count == 1 and carried:
        leaf = contents.find(begin)
        assert leaf is not None
        return leaf.leaf_hash
    if not carried and count & (count - 1) == 0:
        level = count.bit_length() - 1
        if (level, begin >> level) not in nodes:
            raise _Lacks(f"the bundle lacks node {begin >> level} of level {level}, which the root "
                         "needs")
        return nodes[(level, begin >> level)]
    split = begin + (1 << (count - 1).bit_length() - 1)
    return merkle.node_hash(_range_root(contents, nodes, begin, split),
                            _range_root(contents, nodes, split, end))


def judge_beginning(contents: Contents, trust: Trust, report: Report) -> None:
    """Adds the step "ledger"."""
    first = contents.leaves[0]
    if first.index != 0:
        report.add("A", "ledger", Outcome.CANNOT_BE_CHECKED,
                   "the bundle lacks entry 0, by which the ledger is known")
    elif first.leaf_hash != trust.entry0_leaf_hash:
        report.add("A", "ledger", Outcome.PROOF_FALSE,
                   f"entry 0 has leaf hash {first.leaf_hash.hex()}, trusted is "
                   f"{trust.entry0_leaf_hash.hex()}: another log of the same name")
    else:
        report.add("A", "ledger", Outcome.VERIFIED, "entry 0 is the trusted one")


def _seal(contents: Contents, checkpoint: Checkpoint, report: Report) -> None:
    last = contents.leaves[-1]
    stated = contents.bundle.number("seal_index")
    if stated != checkpoint.size - 1:
        report.add("C", "seal", Outcome.PROOF_FALSE,
                   f"the seal is said to be entry {stated}, the last of the checkpoint is "
                   f"{checkpoint.size - 1}")
    elif last.index != checkpoint.size - 1:
        report.add("C", "seal", Outcome.CANNOT_BE_CHECKED, "the bundle lacks the seal")
    elif not last.entry.has("seal") or len(last.entry.message("seal").data("index_root")) != 32:
        report.add("C", "seal", Outcome.PROOF_FALSE, f"entry {last.index}, the last, is no seal")
    else:
        count = last.entry.message("seal").number("subject_count")
        report.add("C", "seal", Outcome.VERIFIED,
                   f"entry {last.index} seals an index of {count} subjects")
