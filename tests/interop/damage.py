#!/usr/bin/env python3
"""Writes damaged copies of a bundle: damage.py BUNDLE FOLDER. Prints the names, one a line.

Each copy says something else than the bundle, or lacks a part of what shows it; none may be verified.
"""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client" / "python"))

from custody_verify.contents import parse_bundle  # noqa: E402
from custody_verify.wire import LENGTH, VARINT, raw_fields  # noqa: E402

ENTRIES, NODES, SUBJECTS, SEAL_INDEX, REQUEST, OPENINGS = 5, 6, 7, 8, 10, 12


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def encode(fields: list) -> bytes:
    out = b""
    for number, wire, value in fields:
        out += varint(number << 3 | wire)
        out += varint(value) if wire == VARINT else varint(len(value)) + value
    return out


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def copies(data: bytes):
    """(name, bytes) of each damaged copy."""
    fields = list(raw_fields(data))
    places = {number: [i for i, field in enumerate(fields) if field[0] == number]
              for number in {field[0] for field in fields}}

    def replaced(at: int, value) -> bytes:
        return encode(fields[:at] + [(fields[at][0], fields[at][1], value)] + fields[at + 1:])

    def without(at: int) -> bytes:
        return encode(fields[:at] + fields[at + 1:])

    entries = places[ENTRIES]
    for share in range(8):
        at = entries[(len(entries) - 1) * share // 7]
        for place in (len(fields[at][2]) // 3, len(fields[at][2]) * 2 // 3):
            yield f"entry-{share}-byte-{place}", replaced(at, flipped(fields[at][2], place))
    # Exactly one of the entries between goes away.
    yield "entry-missing", without(entries[len(entries) // 2])
    yield "entry-0-missing", without(entries[0])
    first, second = entries[3], entries[4]
    swapped = list(fields)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    yield "entries-swapped", encode(swapped)
    yield "entry-twice", encode(fields[:first] + [fields[first]] + fields[first:])
    needed = places[NODES]
    yield "all-nodes-missing", encode([field for field in fields if field[0] != NODES])
    yield "all-nodes-twice", encode(fields[:needed[0]] + [fields[needed[0]]] + fields[needed[0]:])
    for share in range(4):
        at = places[SUBJECTS][(len(places[SUBJECTS]) - 1) * share // 3]
        parts = list(raw_fields(fields[at][2]))
        if len(parts) == 2:
            # Without its last index: a varint ends where a byte has no top bit.
            packed = parts[1][2]
            end = max([i + 1 for i in range(len(packed) - 1) if packed[i] < 0x80], default=0)
            yield f"chain-{share}-cut", replaced(at, encode([parts[0], (2, LENGTH, packed[:end])]))
    yield "no-chains", encode([field for field in fields if field[0] != SUBJECTS])
    at = places[SEAL_INDEX][0]
    yield "another-seal", replaced(at, fields[at][2] - 1)
    note = fields[places[4][0]][2]
    lines = note.split(b"\n")
    yield "another-size", replaced(places[4][0], note.replace(b"\n" + lines[1] + b"\n",
                                                             b"\n" + lines[1] + b"1\n", 1))
    yield "another-root", replaced(places[4][0], note.replace(lines[2], b"A" * 43 + b"=", 1))
    yield "no-checkpoint", without(places[4][0])
    yield "another-ledger", replaced(places[2][0], b"elsewhere.example/ledger")
    yield "another-format", replaced(places[1][0], 2)
    yield "no-question", encode([field for field in fields if field[0] != REQUEST])
    for at in places.get(OPENINGS, [])[:1]:
        opening = {number: value for number, _, value in raw_fields(fields[at][2])}
        for number, name in ((1, "commitment"), (2, "salt"), (3, "value")):
            lie = {**opening, number: flipped(opening[number], 0)}
            yield f"opening-{name}", replaced(at, encode([(n, LENGTH, v) for n, v in lie.items()]))
        # True in itself, and about nothing in the log.
        salt, value = bytes(32), b"never recorded"
        foreign = {1: hashlib.sha256(salt + value).digest(), 2: salt, 3: value}
        yield "opening-foreign", encode(fields + [
            (OPENINGS, LENGTH, encode([(n, LENGTH, v) for n, v in foreign.items()]))])
    for share in range(1, 6):
        yield f"cut-{share}", data[:len(data) * share // 6]
    yield "empty", b""
    yield "noise", bytes(range(256)) * 8


def main() -> int:
    data = Path(sys.argv[1]).read_bytes()
    parse_bundle(data)
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, damaged in copies(data):
        if damaged == data:
            raise SystemExit(f"{name} changes nothing")
        (folder / f"{name}.custody").write_bytes(damaged)
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
