"""Time stamps (RFC 3161): whom they convince, and that damage is never another time."""

import shutil
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from custody_verify.bundle import verify_bundle
from custody_verify.certificate import read_pem
from custody_verify.contents import parse_bundle
from custody_verify.der import INTEGER, OCTET_STRING, SEQUENCE, Reader, oid
from custody_verify.errors import Forged, Malformed, Untrusted
from custody_verify.report import Outcome
from custody_verify.timestamp import judge_checkpoint, verify_timestamp
from custody_verify.trust import parse_trust

from . import stamps, vectors

NOW_MS = vectors.load("bundles.json")["now_ms"]
BUNDLE = (vectors.FOLDER / "bundles/material.custody").read_bytes()
CHECKPOINT = parse_bundle(BUNDLE).text("checkpoint").encode("utf-8")


def outcome_of(response: bytes, authorities: str, stamped: bytes = CHECKPOINT) -> str:
    """As the step "timestamp" would say."""
    try:
        verify_timestamp(response, stamped, read_pem(authorities))
    except Untrusted:
        return stamps.UNKNOWN
    except (Malformed, Forged):
        return stamps.FALSE
    return stamps.VERIFIED


def carrying(response: bytes) -> bytes:
    """The bundle with an answer in its field 13."""
    size = len(response)
    return BUNDLE + bytes([13 << 3 | 2, size & 0x7F | 0x80, size >> 7]) + response


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class Stamps(unittest.TestCase):
    """Answers of authorities that are made here."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.good, cls.authorities = stamps.by_openssl_ts(cls.folder, CHECKPOINT)
        _, cls.strangers = stamps.by_openssl_ts(cls.folder, CHECKPOINT, tsa="stranger")

    def test_each_is_judged_as_it_must_be(self):
        count = 0
        for case in stamps.cases(self.folder, CHECKPOINT):
            with self.subTest(case.name):
                self.assertEqual(outcome_of(case.response, case.authorities), case.outcome)
                count += 1
        self.assertGreater(count, 60)

    def test_says_the_time_that_the_authority_states(self):
        root = stamps.identity(self.folder, "Root", ca=True)
        clock = stamps.identity(self.folder, "A clock", root)
        for time, utc_ms in ((b"20200601120000Z", 1_591_012_800_000),
                             (b"20200601120000.9Z", 1_591_012_800_000),
                             (b"202006011200Z", 1_591_012_800_000),
                             (b"20200601053000-0630", 1_591_012_800_000)):
            answer = stamps.answer(stamps.signed(clock, stamps.info(CHECKPOINT, time)))
            stamp = verify_timestamp(answer, CHECKPOINT, read_pem(root.pem))
            self.assertEqual((stamp.utc_ms, stamp.accuracy_ms, stamp.authority),
                             (utc_ms, 0, "A clock"), time)
        stamp = verify_timestamp(self.good, CHECKPOINT, read_pem(self.authorities))
        self.assertEqual((stamp.accuracy_ms, stamp.authority), (1_500, "Test clock"))

    def test_damaged_is_never_another_time(self):
        authorities = read_pem(self.authorities)
        stated = verify_timestamp(self.good, CHECKPOINT, authorities).utc_ms
        refused = 0
        for at, byte in enumerate(self.good):
            damaged = self.good[:at] + bytes([byte ^ 1 << at % 8]) + self.good[at + 1:]
            try:
                self.assertEqual(verify_timestamp(damaged, CHECKPOINT, authorities).utc_ms, stated)
            except (Malformed, Forged, Untrusted):
                refused += 1
        self.assertGreater(refused, len(self.good) // 2)

    def test_cut_anywhere_is_false(self):
        for end in range(len(self.good)):
            self.assertEqual(outcome_of(self.good[:end], self.authorities), stamps.FALSE, end)

    def test_numbers_without_measure_are_false(self):
        big = stamps.tlv(0x02, b"\x01" * 20_000)
        answer = stamps.tlv(0x30, stamps.tlv(0x30, big), b"\x30\0")
        self.assertEqual(outcome_of(answer, self.authorities), stamps.FALSE)

    def test_in_ber_is_not_called_false(self):
        in_ber = b"\x30\x80" + self.good[4:] + b"\0\0"
        self.assertEqual(outcome_of(in_ber, self.authorities), stamps.UNKNOWN)
        self.assertEqual(outcome_of(in_ber[:-1], self.authorities), stamps.FALSE)

    def test_many_certificates_of_one_name_end_the_search(self):
        roots = [stamps.identity(self.folder, "Root", ca=True) for _ in range(30)]
        clock = stamps.identity(self.folder, "Clock", roots[0])
        others = [stamps.identity(self.folder, "Root", root, ca=True, serial=number)
                  for number, root in enumerate(roots, 100)]
        token = stamps.signed(clock, stamps.info(CHECKPOINT), others=tuple([*roots, *others]))
        stranger = stamps.identity(self.folder, "Root", ca=True)
        self.assertEqual(outcome_of(stamps.answer(token), stranger.pem), stamps.UNKNOWN)

    def _judged(self, data: bytes, authorities: str, named: bytes = b""):
        trust = replace(vectors.trust("trust.toml"),
                        authorities=read_pem(authorities) if authorities else ())
        report = verify_bundle(data, trust, NOW_MS, named_timestamp=named)
        step = [outcome for _, id_, outcome, _ in report.steps if id_ == "timestamp"]
        return step, report.exit_code, report.stamped_at_ms > 0

    def test_one_that_the_bundle_carries(self):
        unproven, false = [Outcome.NOT_YET_PROVEN], [Outcome.PROOF_FALSE]
        good = carrying(self.good)
        self.assertEqual(self._judged(BUNDLE, self.authorities), ([], 0, False))
        self.assertEqual(self._judged(good, self.authorities), ([Outcome.VERIFIED], 0, True))
        # It takes nothing away.
        self.assertEqual(self._judged(good, self.strangers), (unproven, 0, False))
        self.assertEqual(self._judged(good, ""), (unproven, 0, False))
        self.assertEqual(self._judged(carrying(self.good[:-1]), self.authorities),
                         (false, 6, False))

    def test_one_that_the_reader_brings_goes_first(self):
        bad = carrying(self.good[:-1])
        self.assertEqual(self._judged(bad, self.authorities, self.good),
                         ([Outcome.VERIFIED], 0, True))
        for authorities in ("", self.strangers):
            self.assertEqual(self._judged(BUNDLE, authorities, self.good),
                             ([Outcome.CANNOT_BE_CHECKED], 3, False))
        self.assertEqual(self._judged(carrying(self.good), self.authorities, b"no DER"),
                         ([Outcome.PROOF_FALSE], 6, False))

    def test_over_a_checkpoint_alone(self):
        trust = replace(vectors.trust("trust.toml"), authorities=read_pem(self.authorities))
        for file in (CHECKPOINT, BUNDLE):
            self.assertEqual(judge_checkpoint(file, self.good, trust)[0], Outcome.VERIFIED)
        spoiled = CHECKPOINT.replace(b"\n\n", b"\nmore\n\n")
        self.assertEqual(judge_checkpoint(spoiled, self.good, trust)[0], Outcome.PROOF_FALSE)
        with self.assertRaises(Malformed):
            judge_checkpoint(b"no checkpoint", self.good, trust)
        with self.assertRaises(Malformed):
            judge_checkpoint(CHECKPOINT, self.good, replace(trust, authorities=()))

    def test_the_trust_file_names_authorities(self):
        text = (vectors.FOLDER / "trust.toml").read_text(encoding="utf-8")
        trust = parse_trust(text + f'timestamp_ca = """\n{self.authorities}"""\n', str)
        self.assertEqual(len(trust.authorities), 1)
        trust = parse_trust(text + 'timestamp_ca = "ca.pem"\n',
                            lambda name: {"ca.pem": self.authorities + self.strangers}[name])
        self.assertEqual(len(trust.authorities), 2)
        with self.assertRaises(Malformed):
            parse_trust(text + 'timestamp_ca = "no\\ncertificate"\n', str)


class Der(unittest.TestCase):
    """What is no DER is refused."""

    def test_one_spelling(self):
        self.assertEqual(Reader(b"\x04\x01x", "x").take(OCTET_STRING).content, b"x")
        long = b"\x04\x81\x80" + bytes(128)
        self.assertEqual(len(Reader(long, "x").take(OCTET_STRING).content), 128)
        for bad in (b"", b"\x04", b"\x04\x02x", b"\x04\x81\x01x", b"\x04\x82\0\x01x", b"\x24\x80x",
                    b"\x04\x80\0\0", b"\x1f\x01\x01x", b"\x04\x85\0\0\0\0\x01x", b"\x04\xffx"):
            with self.assertRaises(Malformed, msg=bad.hex()):
                Reader(bad, "x").any()

    def test_contents(self):
        for bad in (b"\x02\0", b"\x02\x02\0\x7f", b"\x02\x02\xff\x80", b"\x01\x02\0\0",
                    b"\x05\x01x", b"\x06\0", b"\x06\x01\x80", b"\x06\x03\x2a\x80\x01",
                    b"\x03\0", b"\x03\x01\x08", b"\x10\0", b"\x11\0", b"\x22\0", b"\x1e\x01x"):
            with self.assertRaises(Malformed, msg=bad.hex()):
                Reader(bad, "x").any()
        self.assertEqual(oid(Reader(bytes.fromhex("06072a8648ce3d0201"), "x").any()),
                         "1.2.840.10045.2.1")
        # Nobody has to reckon with numbers of some thousand digits.
        long = b"\xff" * 59_999 + b"\x01"
        self.assertEqual(oid(Reader(b"\x06\x82\xea\x60" + long, "x").any()), long.hex())
        self.assertEqual(oid(Reader(bytes.fromhex("0603883703"), "x").any()), "2.999.3")

    def test_what_is_wanted_is_there_and_nothing_else(self):
        reader = Reader(b"\x02\x01\x07\x30\0", "x")
        self.assertIsNone(reader.maybe(SEQUENCE))
        reader.take(INTEGER)
        self.assertRaises(Malformed, reader.end)
        self.assertRaises(Malformed, reader.take, INTEGER)


if __name__ == "__main__":
    unittest.main()
