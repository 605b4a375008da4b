#!/usr/bin/env python3
"""Writes custody_verify/schema.json from the .proto files.

    tools/make_schema.py            writes it (needs protoc)
    tools/make_schema.py --check    exit 1 if it is not what the .proto files say

protoc turns the files into a descriptor set, which this script reads with the package's own reader.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
PROTO = PACKAGE.parents[1] / "proto"
sys.path.insert(0, str(PACKAGE))

from custody_verify.wire import raw_fields  # noqa: E402

TYPES = {3: "int64", 4: "uint64", 5: "int32", 8: "bool", 9: "string", 11: "message", 12: "bytes",
         13: "uint32", 14: "enum", 17: "sint32", 18: "sint64"}
ROOTS = ["Event", "Entry", "SignatureStatement", "BatchStatement", "Bundle", "Receipt"]
OBSERVATION = 1
CATALOGUE, TOUCHES, TOUCHES_REFS = 50100, 50101, 50102


def parts(data: bytes, number: int) -> list:
    """The values of a field."""
    return [value for n, _, value in raw_fields(data) if n == number]


def last(data: bytes, number: int, default):
    """The value of a single field."""
    found = parts(data, number)
    return found[-1] if found else default


def read_field(data: bytes, oneofs: list[str]) -> dict:
    row = {"number": last(data, 3, 0), "name": last(data, 1, b"").decode(),
           "type": TYPES[last(data, 5, 0)]}
    if last(data, 4, 1) == 3:
        row["repeated"] = True
    if row["type"] in ("message", "enum"):
        row["of"] = last(data, 6, b"").decode().rsplit(".", 1)[-1]
    if parts(data, 9):
        row["oneof"] = oneofs[parts(data, 9)[-1]]
    options = last(data, 8, b"")
    touch = last(options, TOUCHES, None)
    if touch is not None:
        row["touches"] = [last(touch, 1, 0), last(touch, 2, 0)]
    if last(options, TOUCHES_REFS, 0):
        row["touches_refs"] = True
    return row


def read_message(data: bytes) -> dict:
    oneofs = [last(oneof, 1, b"").decode() for oneof in parts(data, 8)]
    table = {"fields": sorted((read_field(f, oneofs) for f in parts(data, 2)),
                              key=lambda row: row["number"])}
    row = last(last(data, 7, b""), CATALOGUE, None)
    if row is not None:
        table["code"] = last(row, 1, b"").decode()
        table["observation"] = last(row, 2, 0) == OBSERVATION
        table["evaluated"] = bool(last(row, 7, 0))
    return table


def make() -> str:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        subprocess.run(["protoc", "-I", str(PROTO), "--include_imports",
                        f"--descriptor_set_out={out}", "custody/v1/event.proto",
                        "custody/v1/record.proto", "custody/v1/bundle.proto"], check=True)
        files = [f for f in parts(out.read_bytes(), 1) if last(f, 2, b"") == b"custody.v1"]
    messages = {last(m, 1, b"").decode(): read_message(m) for f in files for m in parts(f, 4)}
    enums = {last(e, 1, b"").decode(): {last(v, 1, b"").decode(): last(v, 2, 0)
                                        for v in parts(e, 2)} for f in files for e in parts(f, 5)}
    used, open_ = set(), list(ROOTS)
    while open_:
        name = open_.pop()
        if name not in used:
            used.add(name)
            open_ += [row["of"] for row in messages[name]["fields"] if row["type"] == "message"]
    kept = {row["of"] for name in used for row in messages[name]["fields"]
            if row["type"] == "enum"}
    lines = ['{"messages": {']
    lines += [f' "{name}": {json.dumps(messages[name])},' for name in sorted(used)]
    lines[-1] = lines[-1][:-1]
    lines.append('}, "enums": {')
    lines += [f' "{name}": {json.dumps(enums[name])},' for name in sorted(kept)]
    lines[-1] = lines[-1][:-1]
    return "\n".join(lines) + "\n}}\n"


def main() -> int:
    target = PACKAGE / "custody_verify" / "schema.json"
    text = make()
    if "--check" in sys.argv[1:]:
        if target.read_text(encoding="ascii") != text:
            print(f"{target} is not what the .proto files say; run {sys.argv[0]}", file=sys.stderr)
            return 1
        return 0
    target.write_text(text, encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
