"""Subjects: names, forms of ids, and which subjects an event touches (docs/formats.md section 4)."""

from __future__ import annotations

import re
from typing import Iterator

from .errors import Malformed
from .schema import Field, enum_number
from .wire import Message

KIND_NAMES = ("", "ledger", "person", "device", "series", "site", "principal", "product", "policy",
              "donor", "donation", "material", "batch", "container", "identifier", "shipment",
              "patient", "order", "case")
LEDGER = enum_number("SubjectKind", "SUBJECT_KIND_LEDGER")
PERSON = enum_number("SubjectKind", "SUBJECT_KIND_PERSON")
DEVICE = enum_number("SubjectKind", "SUBJECT_KIND_DEVICE")
SERIES = enum_number("SubjectKind", "SUBJECT_KIND_SERIES")
CONTAINER = enum_number("SubjectKind", "SUBJECT_KIND_CONTAINER")
IDENTIFIER = enum_number("SubjectKind", "SUBJECT_KIND_IDENTIFIER")

# A subject: (kind, id).
Subject = tuple[int, bytes]

_MONTH = re.compile(rb"[0-9]{4}-(0[1-9]|1[0-2])")
_IDENTIFIER = re.compile(rb"[!-9;-~]+:[!-~]+")


def kind_name(kind: int) -> str:
    """The kind in the subject index; empty for a kind that is not known."""
    return KIND_NAMES[kind] if 0 <= kind < len(KIND_NAMES) else ""


def valid_id(kind: int, id_: bytes) -> bool:
    """Whether the id has the form of its kind."""
    if not kind_name(kind):
        return False
    if kind == IDENTIFIER:
        return 3 <= len(id_) <= 128 and _IDENTIFIER.fullmatch(id_) is not None
    if kind == SERIES:
        return len(id_) == 23 and _MONTH.fullmatch(id_[16:]) is not None
    return len(id_) == 16


def check_id(kind: int, id_: bytes) -> None:
    """Raises Malformed unless the id has the form of its kind."""
    if not valid_id(kind, id_):
        name = kind_name(kind) or f"subject of kind {kind}"
        raise Malformed(f"id of a {name} has the wrong form ({len(id_)} bytes)")


def key_of(ref: Message) -> Subject:
    """The subject that a SubjectRef names, whatever its role."""
    return ref.number("kind"), ref.data("id")


def describe(subject: Subject) -> str:
    """For people; an id that is no id is shown in hexadecimal."""
    kind, id_ = subject
    name = kind_name(kind) or "subject"
    if kind == IDENTIFIER and valid_id(kind, id_):
        return f"{name} {id_.decode('ascii')}"
    if kind == SERIES and valid_id(kind, id_):
        return f"{name} {id_[:16].hex()} {id_[16:].decode('ascii')}"
    return f"{name} {id_.hex()}"


def parse(text: str) -> Subject:
    """"container:<32 hex>", "identifier:<text>", "series:<32 hex>YYYY-MM". Raises Malformed."""
    name, colon, id_text = text.partition(":")
    if not colon or name not in KIND_NAMES[1:]:
        raise Malformed(f"'{text}' is no subject; write for example container:4f1c...")
    kind = KIND_NAMES.index(name)
    try:
        if kind == IDENTIFIER:
            id_ = id_text.encode("ascii")
        elif kind == SERIES:
            id_ = bytes.fromhex(id_text[:32]) + id_text[32:].encode("ascii")
        else:
            id_ = bytes.fromhex(id_text)
    except ValueError:
        raise Malformed(f"'{text}' has no id in hexadecimal digits") from None
    check_id(kind, id_)
    return kind, id_


def touched(body: Message) -> list[tuple[Subject, int]]:
    """What an event touches: (subject, role) by field number, depth first, each subject once."""
    found: dict[Subject, int] = {}
    for subject, role in _walk(body):
        if subject[1] and subject not in found:
            found[subject] = role
    return list(found.items())


def _walk(message: Message) -> Iterator[tuple[Subject, int]]:
    for number in sorted(message.type.by_number):
        field = message.type.by_number[number]
        for value in _values(message, field):
            if field.touches is not None:
                yield (field.touches[0], _id_bytes(value)), field.touches[1]
            elif field.touches_refs:
                yield key_of(value), value.number("role")
            elif field.type == "message":
                yield from _walk(value)


def _values(message: Message, field: Field) -> list:
    if field.name not in message.values:
        return []
    value = message.values[field.name]
    return value if isinstance(value, list) else [value]


def _id_bytes(value: object) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else value  # type: ignore[return-value]
