#!/usr/bin/env python3
"""Writes the proofs in a bundle and in the vectors for the Go program: proofs.py BUNDLE FOLDER.

    note                      the checkpoint            inclusion       every entry of the bundle
    consistency               of the vectors            bad/...         one line each that must fail
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "client" / "python"))

from custody_verify import merkle  # noqa: E402
from custody_verify.contents import Contents, parse_bundle  # noqa: E402
from custody_verify.note import parse_checkpoint_text, parse_note  # noqa: E402


def path_of(index: int, begin: int, end: int, root_of) -> list[bytes]:
    """RFC 6962 PATH(index, [begin, end)), leaf side first."""
    if end - begin == 1:
        return []
    split = begin + (1 << (end - begin - 1).bit_length() - 1)
    if index < split:
        return path_of(index, begin, split, root_of) + [root_of(split, end)]
    return path_of(index, split, end, root_of) + [root_of(begin, split)]


def main() -> int:
    bundle = parse_bundle(Path(sys.argv[1]).read_bytes())
    folder = Path(sys.argv[2])
    (folder / "bad").mkdir(parents=True, exist_ok=True)
    contents = Contents(bundle)
    contents.read()
    note = bundle.text("checkpoint").encode("utf-8")
    _, size, root = parse_checkpoint_text(parse_note(note).text)
    nodes = {(n.number("level"), n.number("index")): n.data("hash") for n in bundle.items("nodes")}

    def root_of(begin: int, end: int) -> bytes:
        count = end - begin
        if count == 1 and contents.find(begin) is not None:
            return contents.find(begin).leaf_hash
        if count & (count - 1) == 0 and not contents.has_between(begin, end):
            return nodes[(count.bit_length() - 1, begin >> count.bit_length() - 1)]
        split = begin + (1 << (count - 1).bit_length() - 1)
        return merkle.node_hash(root_of(begin, split), root_of(split, end))

    (folder / "note").write_bytes(note)
    (folder / "bad" / "note").write_bytes(note.replace(str(size).encode(), str(size + 1).encode(), 1))
    lines = [" ".join([str(leaf.index), str(size), leaf.leaf_hash.hex(), root.hex(),
                       *(h.hex() for h in path_of(leaf.index, 0, size, root_of))])
             for leaf in contents.leaves]
    (folder / "inclusion").write_text("\n".join(lines) + "\n", encoding="ascii")
    (folder / "bad" / "inclusion").write_text(
        lines[0].replace(contents.leaves[0].leaf_hash.hex(), contents.leaves[1].leaf_hash.hex()),
        encoding="ascii")
    vectors = json.loads((ROOT / "tests/vectors/formats/merkle.json").read_text(encoding="ascii"))
    rows = [(row["valid"], " ".join([str(row["size1"]), str(row["size2"]), row["root1"],
                                     row["root2"], *row["proof"]]))
            for row in vectors["consistency"]]
    (folder / "consistency").write_text("\n".join(line for good, line in rows if good) + "\n",
                                        encoding="ascii")
    for place, line in enumerate(line for good, line in rows if not good):
        (folder / "bad" / f"consistency-{place}").write_text(line, encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
