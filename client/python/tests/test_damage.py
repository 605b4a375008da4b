"""A damaged bundle is refused, or still means the same: never success with another meaning."""

import json
import unittest

from custody_verify.bundle import verify_bundle
from custody_verify.errors import Malformed
from custody_verify.report import Outcome
from custody_verify.schema import message_type
from custody_verify.wire import Message, decode_lenient

from . import vectors

NOW_MS = 1_795_000_060_000


def meaning(data: bytes) -> str:
    """What a bundle says: everything in it but the proofs, which carry no statement of their own."""
    return json.dumps(_plain(decode_lenient(data, message_type("Bundle"))), sort_keys=True)


def _plain(value):
    if isinstance(value, Message):
        return {name: _plain(item) for name, item in value.values.items()
                # A node that no root needs is not looked at, nor is an unsigned line of the note.
                if not (value.type.name == "Bundle" and name == "nodes")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


class Damage(unittest.TestCase):
    """Over the bundle about one subject and the one of the whole log."""

    def setUp(self):
        self.trust = vectors.trust("trust.toml")

    def _verified(self, data: bytes) -> bool:
        try:
            report = verify_bundle(data, self.trust, NOW_MS)
        except Malformed:
            return False
        return all(report.level(level) == Outcome.VERIFIED for level in "ABC") \
            and report.outcome == Outcome.VERIFIED

    def _check(self, good: bytes, damaged: bytes, what: str):
        if self._verified(damaged):
            self.assertEqual(meaning(damaged), meaning(good), what)

    def test_any_byte_flipped(self):
        good = (vectors.FOLDER / "bundles/material.custody").read_bytes()
        self.assertTrue(self._verified(good))
        accepted = 0
        for at in range(len(good)):
            damaged = bytearray(good)
            damaged[at] ^= 1 << at % 8
            if self._verified(bytes(damaged)):
                accepted += 1
                self.assertEqual(meaning(bytes(damaged)), meaning(good), f"byte {at}")
        # What is accepted is accepted because it says the same; there is little of it.
        self.assertLess(accepted, 20)

    def test_any_byte_missing(self):
        good = (vectors.FOLDER / "bundles/material.custody").read_bytes()
        for at in range(0, len(good), 7):
            self._check(good, good[:at] + good[at + 1:], f"without byte {at}")

    def test_cut_anywhere(self):
        good = (vectors.FOLDER / "bundles/whole-log.custody").read_bytes()
        for end in range(0, len(good), 11):
            self._check(good, good[:end], f"the first {end} bytes")

    def test_a_part_of_another_bundle_at_the_end(self):
        good = (vectors.FOLDER / "bundles/material.custody").read_bytes()
        other = (vectors.FOLDER / "bundles/whole-log.custody").read_bytes()
        self.assertFalse(self._verified(good + other))


class Reading(unittest.TestCase):
    """What a reader must not let through."""

    def setUp(self):
        self.trust = vectors.trust("trust.toml")
        self.good = (vectors.FOLDER / "bundles/material.custody").read_bytes()

    def test_a_bundle_about_another_subject_cannot_be_checked(self):
        asked = (11, bytes.fromhex("a0" * 15 + "11"))
        report = verify_bundle(self.good, self.trust, NOW_MS, asked)
        self.assertEqual(report.outcome, Outcome.CANNOT_BE_CHECKED)
        asked = (11, bytes.fromhex("a0" * 15 + "10"))
        self.assertEqual(verify_bundle(self.good, self.trust, NOW_MS, asked).outcome,
                         Outcome.VERIFIED)

    def test_a_verdict_is_never_taken_for_proven(self):
        # request (10) {container_ids (2)}, verdict (11) {value GO}
        asking = self.good + bytes.fromhex("5212" + "1210" + "a0" * 16) + bytes.fromhex("5a020801")
        report = verify_bundle(asking, self.trust, NOW_MS)
        self.assertEqual((report.exit_code, report.stated_verdict), (3, "GO"))
        report = verify_bundle(asking, self.trust, NOW_MS, evidence_only=True)
        self.assertEqual((report.exit_code, report.level("D")), (0, Outcome.NOT_YET_PROVEN))

    def test_unknown_fields_around_the_proofs_are_skipped(self):
        # Field 99 of a later version.
        report = verify_bundle(self.good + bytes.fromhex("9a0601ff"), self.trust, NOW_MS)
        self.assertEqual(report.outcome, Outcome.VERIFIED)


if __name__ == "__main__":
    unittest.main()
