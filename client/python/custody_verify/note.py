"""C2SP signed notes and checkpoints (docs/formats.md section 8)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Optional, Sequence

from . import merkle
from .errors import Forged, Malformed, Unvouched
from .keys import PublicKey

NOTE_BYTES_MAX = 64 << 10
SIGNATURES_MAX = 100
NAME_BYTES_MAX = 255
ED25519, COSIGNATURE = 0x01, 0x04

_DASH = "\u2014 "
# The White_Space property of Unicode 15.
_SPACES = set(map(chr, [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028,
                        0x2029, 0x202F, 0x205F, 0x3000]))


def from_base64(text: str) -> bytes:
    """Canonical base64 with padding, nothing else. Raises Malformed."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Malformed("not canonical base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Malformed("not canonical base64")
    return data


def parse_decimal(text: str) -> int:
    """ASCII digits without sign and leading zeros, at most 64 bits. Raises Malformed."""
    good = text.isascii() and text.isdigit() and len(text) <= 20 and (text == "0" or text[0] != "0")
    if not good or int(text) >= 1 << 64:
        raise Malformed("number is not a plain decimal of at most 64 bits")
    return int(text)


def check_name(name: str) -> None:
    """Raises Malformed unless `name` may name a key."""
    if not 1 <= len(name.encode("utf-8")) <= NAME_BYTES_MAX:
        raise Malformed("key name has not 1 to 255 bytes")
    if any(c < " " or c == "+" or c in _SPACES for c in name):
        raise Malformed("key name holds white space, '+' or a control character")


@dataclass(frozen=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A text that ends in a newline, and its signatures."""

    text: str
    signatures: list[NoteSignature]


def parse_note(data: bytes) -> Note:
    """Raises Malformed if it is not a note in its one spelling."""
    if len(data) > NOTE_BYTES_MAX:
        raise Malformed(f"note has {len(data)} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("note is not valid UTF-8") from None
    if any(c < " " and c != "\n" for c in text):
        raise Malformed("note holds a control byte")
    separator = text.rfind("\n\n")
    if separator < 0:
        raise Malformed("note has no empty line before its signatures")
    block = text[separator + 2:]
    if not block.endswith("\n"):
        raise Malformed("note has no signature, or does not end in a newline")
    lines = block[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise Malformed(f"note has more than {SIGNATURES_MAX} signatures")
    signatures = [_parse_line(line) for line in lines]
    if len({(s.name, s.key_id) for s in signatures}) != len(signatures):
        raise Malformed("note has two signatures of one key")
    return Note(text[:separator + 1], signatures)


def _parse_line(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise Malformed("signature line does not begin with a dash and a space")
    name, space, blob_text = line[len(_DASH):].partition(" ")
    if not space:
        raise Malformed("signature line holds no signature")
    check_name(name)
    blob = from_base64(blob_text)
    if len(blob) <= 4:
        raise Malformed("signature line holds a key id at most")
    return NoteSignature(name, blob[:4], blob[4:])


@dataclass(frozen=True)
class Verified:
    """A signature that was found true; `time_s` is that of a cosignature, else 0."""

    name: str
    key_id: bytes
    type: int
    time_s: int


class NoteKey:
    """A public key that may sign notes under a name."""

    def __init__(self, vkey: str) -> None:
        """From "<name>+<8 hex>+<base64(type || key)>". Raises Malformed."""
        parts = vkey.split("+", 2)
        if len(parts) != 3 or len(parts[1]) != 8:
            raise Malformed("vkey is not of the form name+id+key")
        blob = from_base64(parts[2])
        if len(blob) != 33 or blob[0] not in (ED25519, COSIGNATURE):
            raise Malformed("vkey is of a type that is not supported")
        self.name, self.type, raw = parts[0], blob[0], blob[1:]
        check_name(self.name)
        self.key = PublicKey.from_ed25519(raw)
        material = self.name.encode("utf-8") + b"\n" + blob
        self.key_id = hashlib.sha256(material).digest()[:4]
        if self.key_id.hex() != parts[1]:
            raise Malformed("key id of the vkey does not belong to its key")

    def verify(self, text: str, signature: bytes) -> Verified:
        """Raises Forged unless `signature` is this key's over the text of a note."""
        if self.type == ED25519:
            self.key.verify(text.encode("utf-8"), signature)
            return Verified(self.name, self.key_id, self.type, 0)
        if len(signature) != 72:
            raise Forged(f"cosignature has {len(signature)} bytes, want 72")
        time_s = int.from_bytes(signature[:8], "big")
        if not 1 <= time_s < 1 << 63:
            raise Forged(f"cosignature of {self.name} has the time {time_s}")
        message = f"cosignature/v1\ntime {time_s}\n{text}".encode("utf-8")
        self.key.verify(message, signature[8:])
        return Verified(self.name, self.key_id, self.type, time_s)


def open_note(data: bytes, keys: Sequence[NoteKey]) -> tuple[str, list[Verified]]:
    """The text, and the true signatures of known keys, at least one.

    Raises Malformed; Forged if a known key's signature is false or no key is known.
    """
    note = parse_note(data)
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(keys):
        raise Malformed("two verifiers have the same name and key id")
    verified = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            verified.append(key.verify(note.text, signature.signature))
    if not verified:
        raise Forged("note has no signature of a known key")
    return note.text, verified


@dataclass(frozen=True)
class Checkpoint:
    """What the log signed: so many entries have this root."""

    origin: str
    size: int
    root: bytes
    log_signatures: list[Verified]
    cosignatures: list[Verified]


def parse_checkpoint_text(text: str) -> tuple[str, int, bytes]:
    """(origin, size, root). Raises Malformed unless it is exactly three lines."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] != "":
        raise Malformed("checkpoint does not have exactly three lines")
    check_name(lines[0])
    size, root = parse_decimal(lines[1]), from_base64(lines[2])
    merkle.check_hashes([root])
    if size > merkle.TREE_SIZE_MAX:
        raise Malformed(f"checkpoint size {size} is above 2^63")
    if size == 0 and root != merkle.EMPTY_ROOT:
        raise Malformed("checkpoint of size 0 has a root of another tree")
    return lines[0], size, root


@dataclass(frozen=True)
class RetiredKey:
    """A log key out of use, and the largest checkpoint, in entries, that it may have signed."""

    key: NoteKey
    last_size: int


def open_checkpoint(data: bytes, origin: str, log_keys: Sequence[NoteKey],
                    witnesses: Optional[Sequence[NoteKey]] = None,
                    retired: Sequence[RetiredKey] = ()) -> Checkpoint:
    """Verifies first, then parses. Raises Malformed or Forged; Unvouched if only keys signed that
    were retired before."""
    old_keys = [old.key for old in retired]
    text, verified = open_note(data, [*log_keys, *old_keys, *(witnesses or ())])
    by_log = [v for v in verified if v.type == ED25519]
    if not by_log:
        raise Forged(f"checkpoint is not signed by a known key of the log {origin}")
    stated, size, root = parse_checkpoint_text(text)
    if stated != origin:
        raise Forged(f"checkpoint is of the log {stated}, want {origin}")
    too_late = {old.key.key_id for old in retired if size > old.last_size}
    if all(signature.key_id in too_late for signature in by_log):
        raise Unvouched(f"the checkpoint of {size} entries is signed only by a log key "
                        f"({by_log[0].key_id.hex()}) that was retired before")
    return Checkpoint(origin, size, root, by_log, [v for v in verified if v.type == COSIGNATURE])
