"""Every vector is judged as its file says."""

import unittest

from custody_verify import index, merkle, note, pae, subject
from custody_verify.bundle import verify_bundle
from custody_verify.contents import decode_entry
from custody_verify.errors import Forged, Malformed
from custody_verify.event import parse_signed_event
from custody_verify.keys import PublicKey
from custody_verify.receipt import verify_receipt
from custody_verify.report import Outcome
from custody_verify.schema import message_type
from custody_verify.wire import Message, decode_lenient, decode_strict

from . import vectors


def result_of(judge) -> str:
    """"good", "false" or "malformed"."""
    try:
        judge()
    except Forged:
        return "false"
    except Malformed:
        return "malformed"
    return "good"


def read_event(data: bytes, ledger: str) -> Message:
    """An event as it would be read in a signed event with a signature that is not looked at."""
    from custody_verify import event as module  # pylint: disable=import-outside-toplevel
    parsed = decode_strict(data, message_type("Event"))
    field = parsed.one_of("body")
    if field is None or parsed.text("ledger") != ledger:
        raise Malformed("no body, or another ledger")
    module.check_body(parsed.message(field.name))
    module._check_subjects(parsed, parsed.message(field.name))
    module.check_header(parsed)
    return parsed


class Vectors(unittest.TestCase):
    """One test for each file."""

    def test_events(self):
        file = vectors.load("events.json")
        for row in file["events"]:
            data = bytes.fromhex(row["event"])
            good = result_of(lambda: read_event(data, file["ledger"])) == "good"
            self.assertEqual(good, row["valid"], row["name"])
            if good:
                self.assertEqual(pae.event_digest(data).hex(), row["event_digest"])
                event = read_event(data, file["ledger"])
                self.assertEqual(
                    [(subject.kind_name(ref.number("kind")), ref.data("id").hex(),
                      ref.number("role")) for ref in event.items("subjects")],
                    [(s["kind"], s["id"], s["role"]) for s in row["subjects"]])

    def test_statements(self):
        for row in vectors.load("statements.json")["statements"]:
            data = pae.encode(row["payload_type"], bytes.fromhex(row["statement"]))
            self.assertEqual(data.hex(), row["signed_bytes"])
            key = PublicKey(bytes.fromhex(row["spki"]))
            self.assertEqual(key.key_id.hex(), row["key_id"])
            result = result_of(lambda: key.verify(data, bytes.fromhex(row["signature"])))
            self.assertEqual(result, "good" if row["valid"] else "false", row["name"])

    def _signed_event(self, text: str, ledger: str):
        signed = decode_strict(bytes.fromhex(text), message_type("SignedEvent"))
        return parse_signed_event(signed, ledger)

    def test_signed_events(self):
        file = vectors.load("signed_events.json")
        for row in file["signed_events"]:
            result = result_of(lambda: self._signed_event(row["signed_event"], file["ledger"]))
            self.assertEqual(result == "good", row["valid"], row["name"])

    def test_batches(self):
        file = vectors.load("batches.json")
        for row in file["batches"]["good"]:
            leaves = [merkle.leaf_hash(pae.event_digest(e)) for e in vectors.unhex(row["events"])]
            self.assertEqual(merkle.root_of(leaves).hex(), row["events_root"])
            for text in row["signed_events"]:
                self.assertTrue(self._signed_event(text, file["ledger"]).signatures[0].batch)
        for row in file["batches"]["bad"]:
            result = result_of(lambda: self._signed_event(row["signed_event"], file["ledger"]))
            self.assertEqual(result, "malformed", row["name"])

    def test_entries(self):
        file = vectors.load("entries.json")
        for row in file["good"]:
            leaf = decode_entry(bytes.fromhex(row["entry"]), row["index"])
            self.assertEqual(leaf.leaf_hash.hex(), row["leaf_hash"])
        for row in file["bad"]:
            result = result_of(lambda: decode_strict(bytes.fromhex(row["entry"]),
                                                     message_type("Entry")))
            self.assertEqual(result, "malformed", row["why"])

    def test_merkle_tree(self):
        file = vectors.load("merkle.json")
        leaves = [merkle.leaf_hash(entry) for entry in vectors.unhex(file["entries"])]
        for size, root in enumerate(file["roots_by_size"]):
            self.assertEqual(merkle.root_of(leaves[:size]).hex(), root)
        for row in file["inclusion"]:
            result = result_of(lambda: merkle.verify_inclusion(
                row["index"], row["size"], bytes.fromhex(row["leaf"]),
                vectors.unhex(row["proof"]), bytes.fromhex(row["root"])))
            self.assertEqual(result == "good", row["valid"], row["name"])
        for row in file["consistency"]:
            result = result_of(lambda: merkle.verify_consistency(
                row["size1"], row["size2"], vectors.unhex(row["proof"]),
                bytes.fromhex(row["root1"]), bytes.fromhex(row["root2"])))
            self.assertEqual(result == "good", row["valid"], row["name"])

    @staticmethod
    def _leaf(row) -> index.Leaf:
        return index.Leaf(bytes.fromhex(row["key"]), row["count"], bytes.fromhex(row["head"]))

    def test_subject_index(self):
        file = vectors.load("index.json")
        leaves = []
        for row in file["subjects"]:
            kind = subject.KIND_NAMES.index(row["kind"])
            self.assertEqual(index.key_of((kind, bytes.fromhex(row["id"]))).hex(), row["key"])
            leaves.append(self._leaf(row))
            self.assertEqual(index.leaf_hash(leaves[-1]).hex(), row["leaf_hash"])
        leaves.sort(key=lambda leaf: leaf.key)
        for count, root in enumerate(file["roots_of_first_by_key"]):
            self.assertEqual(index.root_of(leaves[:count]).hex(), root)
        for row in file["proofs"]:
            proof = index.Proof(vectors.unhex(row["siblings"]),
                                self._leaf(row["leaf"]) if row["leaf"] else None)
            try:
                found = index.verify_proof(bytes.fromhex(row["root"]), bytes.fromhex(row["key"]),
                                           proof)
                result = "present" if found else "absent"
            except (Malformed, Forged):
                result = "false"
            self.assertEqual(result, row["result"], row["name"])

    def test_seals_hold_the_roots_of_the_index(self):
        last = vectors.load("entries.json")["good"][-1]
        leaf = decode_entry(bytes.fromhex(last["entry"]), last["index"])
        seal = leaf.entry.message("seal")
        self.assertEqual(seal.data("index_root").hex(), vectors.load("index.json")["root"])

    def test_checkpoints(self):
        file = vectors.load("checkpoints.json")
        log, witness = note.NoteKey(file["log_key"]), note.NoteKey(file["witness_key"])
        for row in file["notes"]:
            data = bytes.fromhex(row["note"])
            result = result_of(lambda: note.open_checkpoint(data, file["origin"], [log], [witness]))
            self.assertEqual(result, row["result"], row["name"])
            if row["name"] == "cosigned":
                opened = note.open_checkpoint(data, file["origin"], [log], [witness])
                self.assertEqual(opened.cosignatures[0].time_s, file["cosigned_at_s"])
                self.assertEqual(opened.root.hex(), file["root"])

    def test_receipts(self):
        file = vectors.load("receipts.json")
        trust = vectors.trust(file["trust"])
        for row in file["receipts"]:
            try:
                _, report = verify_receipt(bytes.fromhex(row["receipt"]), trust)
                result = "good" if report.level("A") == Outcome.VERIFIED else "false"
            except Malformed:
                result = "malformed"
            self.assertEqual(result, row["result"], row["name"])

    def test_bundles(self):
        file = vectors.load("bundles.json")
        for row in file["bundles"]:
            data = (vectors.FOLDER / row["file"]).read_bytes()
            trust = vectors.trust(row["trust"])
            if row["outcome"] == "no bundle":
                with self.assertRaises(Malformed, msg=row["file"]):
                    verify_bundle(data, trust, file["now_ms"])
                continue
            report = verify_bundle(data, trust, file["now_ms"])
            self.assertEqual(str(report.outcome), row["outcome"], row["file"])
            for level, outcome in row["levels"].items():
                self.assertEqual(str(report.level(level)), outcome, f"{row['file']} {level}")

    def test_every_signed_message_is_read_alike_by_both_readers(self):
        for row in vectors.load("entries.json")["good"]:
            data = bytes.fromhex(row["entry"])
            type_ = message_type("Entry")
            self.assertEqual(_plain(decode_strict(data, type_)), _plain(decode_lenient(data, type_)))


def _plain(value):
    if isinstance(value, Message):
        return {name: _plain(item) for name, item in value.values.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    unittest.main()
