"""Is this receipt true? (docs/formats.md section 6.4)"""

from __future__ import annotations

from . import merkle
from .contents import Leaf, decode_entry
from .errors import Forged, Malformed, Unvouched
from .note import open_checkpoint
from .report import Outcome, Report
from .schema import message_type
from .trust import Trust
from .wire import decode_lenient

INCLUSION_MAX = 63
RECEIPT_BYTES_MAX = 256 << 10


def verify_receipt(data: bytes, trust: Trust) -> tuple[Leaf, Report]:
    """The entry of the receipt, and what was found. Raises Malformed if it is no receipt."""
    if not 1 <= len(data) <= RECEIPT_BYTES_MAX:
        raise Malformed(f"a receipt of {len(data)} bytes")
    receipt = decode_lenient(data, message_type("Receipt"))
    leaf = decode_entry(receipt.data("entry"), receipt.number("index"))
    proof = receipt.items("inclusion")
    if len(proof) > INCLUSION_MAX:
        raise Malformed(f"receipt: {len(proof)} hashes, at most {INCLUSION_MAX}")
    report = Report(ledger=trust.ledger)
    try:
        checkpoint = open_checkpoint(receipt.text("checkpoint").encode("utf-8"), trust.ledger,
                                     trust.log_keys, retired=trust.retired_log_keys)
        report.tree_size = checkpoint.size
        report.add("A", "checkpoint", Outcome.VERIFIED, f"size {checkpoint.size}")
        merkle.verify_inclusion(leaf.index, checkpoint.size, leaf.leaf_hash, proof,
                                checkpoint.root)
        report.add("A", "inclusion", Outcome.VERIFIED, f"entry {leaf.index} is in the log")
    except Unvouched as error:
        report.add("A", "checkpoint", Outcome.CANNOT_BE_CHECKED, str(error))
    except Forged as error:
        report.add("A", "proof", Outcome.PROOF_FALSE, str(error))
    if leaf.index == 0 and leaf.leaf_hash != trust.entry0_leaf_hash:
        report.add("A", "ledger", Outcome.PROOF_FALSE, "entry 0 is not the trusted one")
    return leaf, report
