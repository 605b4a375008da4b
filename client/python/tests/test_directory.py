"""A whole log as a folder: what is exported is judged, and no file can be changed unseen."""

import shutil
import tempfile
import unittest
from pathlib import Path

from custody_verify import index, merkle
from custody_verify.contents import parse_bundle
from custody_verify.directory import TILE_WIDTH, tile_path, verify_directory
from custody_verify.errors import Malformed
from custody_verify.report import Outcome

from . import vectors

NOW_MS = vectors.load("bundles.json")["now_ms"]


def write_log(folder: Path) -> None:
    """The log of the vectors, less than one tile, as `custody log export` lays it out."""
    bundle = parse_bundle((vectors.FOLDER / "bundles/whole-log.custody").read_bytes())
    entries = [entry.data("entry") for entry in bundle.items("entries")]
    assert len(entries) < TILE_WIDTH
    files = {
        "checkpoint": bundle.text("checkpoint").encode("utf-8"),
        tile_path("entries", 0, len(entries)):
            b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries),
        tile_path("0", 0, len(entries)): b"".join(merkle.leaf_hash(entry) for entry in entries),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


class Directory(unittest.TestCase):
    """Over one good folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        write_log(self.folder)

    def judge(self, trust: str = "trust.toml"):
        return verify_directory(self.folder, vectors.trust(trust), NOW_MS)

    def test_a_true_log_is_verified_on_every_level(self):
        report = self.judge()
        self.assertEqual([report.level(level) for level in "ABC"], [Outcome.VERIFIED] * 3,
                         report.to_text())
        self.assertEqual(report.exit_code, 0)

    def test_a_bit_of_any_file_is_noticed(self):
        for path in [path for path in self.folder.rglob("*") if path.is_file()]:
            good = path.read_bytes()
            for at in {0, len(good) // 3, len(good) // 2, len(good) - 2}:
                damaged = bytearray(good)
                damaged[at] ^= 1
                path.write_bytes(bytes(damaged))
                try:
                    self.assertEqual(self.judge().outcome, Outcome.PROOF_FALSE, f"{path} {at}")
                except Malformed:
                    pass
            path.write_bytes(good)

    def test_a_missing_or_longer_file_is_noticed(self):
        for path in [path for path in self.folder.rglob("*") if path.is_file()]:
            good = path.read_bytes()
            path.unlink()
            if path.name == "checkpoint":
                self.assertRaises(Malformed, self.judge)
            else:
                self.assertEqual(self.judge().outcome, Outcome.PROOF_FALSE, str(path))
            path.write_bytes(good + b"more")
            self.assertEqual(self.judge().outcome, Outcome.PROOF_FALSE, str(path))
            path.write_bytes(good)

    def test_another_log_is_refused(self):
        self.assertEqual(self.judge("trust-another-entry0.toml").outcome, Outcome.PROOF_FALSE)

    def test_paths(self):
        self.assertEqual(tile_path("0", 1_234_067, TILE_WIDTH), "tile/0/x001/x234/067")
        self.assertEqual(tile_path("entries", 5, 17), "tile/entries/005.p/17")


class Tree(unittest.TestCase):
    """The growing index against the whole computation."""

    def test_as_the_root_of_all_leaves(self):
        tree, leaves = index.Tree(), {}
        for number in range(300):
            key = index.key_of((11, (number % 120).to_bytes(16, "big")))
            leaf = index.Leaf(key, number + 1, merkle.leaf_hash(str(number).encode()))
            tree.put(leaf)
            leaves[key] = leaf
            self.assertEqual(tree.root(), index.root_of(list(leaves.values())))
        self.assertEqual(index.Tree().root(), index.EMPTY)


if __name__ == "__main__":
    unittest.main()
