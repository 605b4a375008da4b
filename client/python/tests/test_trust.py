"""trust.toml and policies: what is not understood is refused."""

import unittest

from custody_verify import subject
from custody_verify.errors import Malformed
from custody_verify.note import COSIGNATURE, Verified
from custody_verify.policy import parse_policy, quorum_time
from custody_verify.trust import parse_trust

from . import vectors

GOOD = (vectors.FOLDER / "trust.toml").read_text(encoding="utf-8")
WITNESS = vectors.load("checkpoints.json")["witness_key"]
LOG = vectors.load("checkpoints.json")["log_key"]


def no_file(name: str) -> str:
    """No policy is read from a file."""
    raise Malformed(name)


class TrustFile(unittest.TestCase):
    """Files that must be refused, and what they say when they are good."""

    def test_good(self):
        trust = parse_trust(GOOD, no_file)
        self.assertEqual((trust.ledger, len(trust.log_keys), trust.maximum_age_ms),
                         ("vectors.example/ledger", 1, 0))

    def test_refused(self):
        key_line = GOOD.splitlines()[2]
        for text in ("", GOOD + "extra = 1\n", GOOD.replace("entry0_leaf_hash", "entry0"),
                     GOOD.replace(key_line, "log_keys = []"),
                     GOOD.replace("vectors.example/ledger+", "other.example/ledger+"),
                     GOOD.replace(key_line, key_line.replace("]", ", " + key_line.split("[")[1])),
                     GOOD + 'maximum_age = "15min"\n', GOOD + "policy = 7\n",
                     GOOD + 'policy = """\nquorum none\n"""\nmaximum_age = "15min"\n',
                     "ledger = "):
            with self.assertRaises(Malformed, msg=text):
                parse_trust(text, no_file)

    def test_retired_keys(self):
        key_line = GOOD.splitlines()[2]
        key = key_line.split('"')[1]
        entry = f'retired_log_keys = [{{key = "{key}", last_size = 7}}]\n'
        for text in (GOOD + entry, GOOD + "retired_log_keys = 7\n",
                     GOOD + "retired_log_keys = [7]\n",
                     GOOD + 'retired_log_keys = [{key = "x", last_size = 7}]\n',
                     GOOD + f'retired_log_keys = [{{key = "{key}"}}]\n',
                     GOOD + f'retired_log_keys = [{{key = "{key}", last_size = 0}}]\n',
                     GOOD + f'retired_log_keys = [{{key = "{key}", last_size = true}}]\n'):
            with self.assertRaises(Malformed, msg=text):
                parse_trust(text, no_file)  # The first: the key is in use.

    def test_age(self):
        policy = f'policy = """\nwitness w {WITNESS}\nquorum w\n"""\n'
        trust = parse_trust(GOOD + policy + 'maximum_age = "15min"\n', no_file)
        self.assertEqual(trust.maximum_age_ms, 900_000)
        for age in ("0s", "15", "15m", "-1s", "3661d", "1.5h"):
            with self.assertRaises(Malformed, msg=age):
                parse_trust(GOOD + policy + f'maximum_age = "{age}"\n', no_file)


class Policy(unittest.TestCase):
    """C2SP tlog-policy."""

    def test_quorum_time(self):
        policy = parse_policy(f"# one\nwitness w {WITNESS}\ngroup g all w\nquorum g\n")
        key = policy.witnesses["w"]
        old, new = (Verified(key.name, key.key_id, COSIGNATURE, time) for time in (5, 9))
        stranger = Verified("stranger", key.key_id, COSIGNATURE, 99)
        self.assertEqual(quorum_time(policy, [old, new, stranger]), 9)
        self.assertIsNone(quorum_time(policy, [stranger]))
        self.assertEqual(quorum_time(parse_policy("quorum none\n"), []), 0)

    def test_refused(self):
        for text in ("", f"witness w {WITNESS}\n", "quorum w\n", "quorum none\nquorum none\n",
                     f"witness w {LOG}\nquorum w\n", f"log {WITNESS}\nquorum none\n",
                     f"witness w {WITNESS}\nwitness v {WITNESS}\nquorum w\n",
                     f"witness none {WITNESS}\nquorum none\n",
                     f"witness w {WITNESS}\ngroup g 2 w\nquorum g\n",
                     f"witness w {WITNESS}\ngroup g 0 w\nquorum g\n",
                     f"witness w {WITNESS}\ngroup g any w w\nquorum g\n",
                     f"witness w {WITNESS}\r\nquorum w\n", "other x\nquorum none\n"):
            with self.assertRaises(Malformed, msg=text):
                parse_policy(text)


class Subjects(unittest.TestCase):
    """Names of subjects as people write them."""

    def test_parse_and_describe(self):
        for text in ("container:" + "0a" * 16, "identifier:isbt128:W1234",
                     "series:" + "0b" * 16 + "2026-11"):
            parsed = subject.parse(text)
            self.assertTrue(subject.valid_id(*parsed), text)
            self.assertTrue(subject.describe(parsed).startswith(text.split(":")[0] + " "))

    def test_refused(self):
        for text in ("container", "container:0a", "vial:" + "0a" * 16, "identifier:none",
                     "identifier::x", "series:" + "0b" * 16 + "2026-13", ":" + "0a" * 16):
            with self.assertRaises(Malformed, msg=text):
                subject.parse(text)


if __name__ == "__main__":
    unittest.main()
