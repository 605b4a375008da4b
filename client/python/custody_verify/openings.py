"""Openings of salted commitments: what a bundle discloses (docs/formats.md section 10.3)."""

from __future__ import annotations

import hashlib
from typing import Iterator

from .contents import Contents
from .errors import Malformed
from .report import Outcome, Report
from .schema import message_type
from .wire import Message, decode_lenient

OPENINGS_MAX = 100_000
VALUE_BYTES_MAX = 64 << 10
SALT_BYTES = 32
COMMITMENT_BYTES = 32


def judge(contents: Contents, report: Report) -> None:
    """Level B: adds the step "openings", if the bundle has any."""
    openings = contents.bundle.items("openings")
    if not openings:
        return
    if len(openings) > OPENINGS_MAX:
        report.add("B", "openings", Outcome.CANNOT_BE_CHECKED,
                   f"{len(openings)} openings, at most {OPENINGS_MAX}")
        return
    places: dict[bytes, list[tuple[int, str]]] = {}
    for index, field, commitment in _commitments(contents):
        places.setdefault(commitment, []).append((index, field))
    disclosed = []
    for number, opening in enumerate(openings):
        fault = _fault(opening, places)
        if fault:
            report.add("B", "openings", Outcome.PROOF_FALSE, f"opening {number} {fault}")
            return
        for index, field in places[opening.data("commitment")]:
            disclosed.append((index, field, opening.data("value")))
    report.disclosed = disclosed
    report.add("B", "openings", Outcome.VERIFIED,
               f"{len(openings)} of {len(places)} commitments are opened, truly")


def _fault(opening: Message, places: dict) -> str:
    commitment, salt, value = (opening.data(name) for name in ("commitment", "salt", "value"))
    if len(commitment) != COMMITMENT_BYTES:
        return "has no commitment of 32 bytes"
    if len(value) > VALUE_BYTES_MAX:
        return "has a value over the limit"
    if len(salt) != SALT_BYTES or hashlib.sha256(salt + value).digest() != commitment:
        return "does not open its commitment"
    return "" if commitment in places else "opens nothing that the entries hold"


def _commitments(contents: Contents) -> Iterator[tuple[int, str, bytes]]:
    """(index of the entry, names of fields, commitment)."""
    for leaf in contents.leaves:
        if not leaf.entry.has("signed_event"):
            continue
        try:
            event = decode_lenient(leaf.entry.message("signed_event").data("event"),
                                   message_type("Event"))
        except Malformed:
            continue  # The step "signatures" says so.
        for field, commitment in _within(event, ""):
            yield leaf.index, field, commitment


def _within(message: Message, path: str) -> Iterator[tuple[str, bytes]]:
    if message.type.name == "Commitment":
        yield path, message.data("sha256")
        return
    for name, value in message.values.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Message):
                yield from _within(item, f"{path}.{name}" if path else name)
