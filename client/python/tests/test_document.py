"""The examples of docs/formats.md are the vectors' own."""

import re
import unittest
from pathlib import Path

from custody_verify import keys, merkle

from . import vectors

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "formats.md"


class Document(unittest.TestCase):
    """A value that no vector has is a slip of the pen."""

    def test_every_long_hexadecimal_value_is_in_a_vector(self):
        known = "".join(path.read_text(encoding="utf-8")
                        for path in sorted(vectors.FOLDER.glob("*.json")))
        known += f"{keys.P256_ORDER:064x}" + merkle.EMPTY_ROOT.hex() + keys.P256_PREFIX.hex()
        found = re.findall(r"\b[0-9a-f]{30,}\b", DOCUMENT.read_text(encoding="utf-8"))
        self.assertGreater(len(found), 10)
        for value in found:
            self.assertIn(value, known)

    def test_the_event_of_the_example_is_the_vector(self):
        text = DOCUMENT.read_text(encoding="utf-8")
        block = text.split('Example (`events.json`, "material received"')[1].split("## 5")[0]
        lines = [line for line in block.splitlines() if line.startswith("    ")]
        shown = "".join("".join(re.match(r"\s+((?:[0-9a-f]{2,}\s)+)\s", line + "  ")[1].split())
                        for line in lines)
        rows = {row["name"]: row for row in vectors.load("events.json")["events"]}
        self.assertEqual(shown, rows["material received"]["event"])


if __name__ == "__main__":
    unittest.main()
