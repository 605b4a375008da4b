"""Level C: nothing about the carried subjects was left out, by the index of the seal (section 10.4)."""

from __future__ import annotations

from . import index, subject
from .contents import Contents
from .errors import Forged, Malformed
from .report import Outcome, Report
from .subject import describe
from .wire import Message


def judge(contents: Contents, report: Report) -> None:
    """Adds the step "index". The seal must have been found good."""
    if ("C", "seal", Outcome.VERIFIED) not in [step[:3] for step in report.steps]:
        report.add("C", "index", Outcome.CANNOT_BE_CHECKED, "it rests on the seal")
        return
    root = contents.leaves[-1].entry.message("seal").data("index_root")
    proven = set()
    try:
        for proof in contents.bundle.items("index_proofs"):
            named = subject.key_of(proof.message("subject"))
            if named in proven:
                raise Malformed(f"{describe(named)} has two index proofs")
            _judge_proof(contents, proof, root)
            proven.add(named)
    except (Malformed, Forged) as error:
        report.add("C", "index", Outcome.PROOF_FALSE, str(error))
        return
    lacking = [key for key in sorted(contents.chains) if key not in proven]
    if lacking or not proven:
        report.add("C", "index", Outcome.CANNOT_BE_CHECKED,
                   f"the bundle has no index proof of {len(lacking)} subjects"
                   + (f", {describe(lacking[0])} among them" if lacking else ""))
        return
    report.add("C", "index", Outcome.VERIFIED,
               f"{len(proven)} subjects: the carried chains are all that the index knows"
               + ("" if report.witnessed_at_ms else "; the index is the operator's word"))


def _judge_proof(contents: Contents, message: Message, root: bytes) -> None:
    named = subject.key_of(message.message("subject"))
    key, count = index.key_of(named), message.number("event_count")
    value = message.data("other_value")
    if message.number("depth") != len(message.items("path")):
        raise Malformed(f"{describe(named)}: the depth is not the length of the path")
    if bool(value) != bool(message.data("other_key")) or (value and (len(value) != 40 or count)):
        raise Malformed(f"{describe(named)}: a proof of absence of a wrong form")
    if message.data("head") and not count:
        raise Malformed(f"{describe(named)}: a head, and no entry is counted")
    if message.data("other_key") == key:
        raise Malformed(f"{describe(named)}: absence shown by the subject itself")
    leaf = None
    if count:
        leaf = index.Leaf(key, count, message.data("head"))
    elif value:
        leaf = index.Leaf(message.data("other_key"), int.from_bytes(value[:8], "big"), value[8:])
    if leaf is not None and (len(leaf.key) != 32 or len(leaf.head) != 32):
        raise Malformed(f"{describe(named)}: a leaf of a wrong form")
    found = index.verify_proof(root, key, index.Proof(message.items("path"), leaf))
    chain = contents.chains.get(named)
    if chain is None:
        return
    if len(chain) != (found.count if found else 0):
        raise Forged(f"{describe(named)} has {found.count if found else 0} entries, the bundle "
                     f"lists {len(chain)}: the rest is withheld or made up")
    last = contents.find(chain[-1]) if chain else None
    if found is not None and last is not None and last.leaf_hash != found.head:
        raise Forged(f"{describe(named)}: the last entry of the bundle is not the head")
