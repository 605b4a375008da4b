"""The form of the fields of an event (docs/formats.md section 4.3).

The grammar of label scans (ISBT 128, GS1) is a rule of admission and is not judged here.
"""

from __future__ import annotations

from . import subject
from .errors import Malformed
from .schema import Field
from .wire import Message

TEXT_BYTES_MAX = 1_000
NOTE_BYTES_MAX = 16 << 10


def _length(name: str, value: bytes, want: int) -> None:
    if value and len(value) != want:
        raise Malformed(f"{name} has {len(value)} bytes, not {want}")


def _text(name: str, text: str, bytes_max: int) -> None:
    data = text.encode("utf-8")
    if len(data) > bytes_max:
        raise Malformed(f"{name} has {len(data)} bytes, at most {bytes_max} are allowed")
    if any(byte == 0x7F or (byte < 0x20 and byte not in b"\n\t") for byte in data):
        raise Malformed(f"{name} holds a control character")


def check_header(event: Message) -> None:
    """The header of an event. Raises Malformed."""
    id_ = event.data("event_id")
    if len(id_) != 16 or id_[6] >> 4 != 7 or id_[8] >> 6 != 2:
        raise Malformed("event_id is not a UUID of version 7")
    time = event.message("occurred_at")
    if time.number("utc_ms") <= 0 or time.number("source") == 0:
        raise Malformed("occurred_at is missing")
    if not -840 <= time.number("offset_minutes") <= 840:
        raise Malformed(f"occurred_at.offset_minutes is {time.number('offset_minutes')}")
    for name, most in (("device_ids", 32), ("attachments", 32), ("scans", 64),
                       ("expected_heads", 64)):
        if len(event.items(name)) > most:
            raise Malformed(f"more than {most} {name}")
    _length("site_id", event.data("site_id"), 16)
    if any(len(device) != 16 for device in event.items("device_ids")):
        raise Malformed("a device id is not 16 bytes")
    _check_positions(event)
    reason = event.message("reason")
    _text("reason.code", reason.text("code"), 64)
    _text("reason.text", reason.text("text"), TEXT_BYTES_MAX)
    _length("policy_hash", event.data("policy_hash"), 32)
    for attachment in event.items("attachments"):
        check_body(attachment)
    _length("corrects", event.data("corrects"), 32)
    _length("annuls", event.data("annuls"), 32)
    _check_group(event)


def _check_positions(event: Message) -> None:
    count = len(event.items("subjects"))
    for head in event.items("expected_heads"):
        if head.number("subject_position") >= count:
            raise Malformed("an expected head names a subject_position beyond the subjects")
        _length("expected_head.head", head.data("head"), 32)
    for scan in event.items("scans"):
        if scan.number("subject_position") >= count:
            raise Malformed("a scan names a subject_position beyond the subjects")
        _length("scan.device_id", scan.data("device_id"), 16)
        if not 1 <= len(scan.text("raw").encode("utf-8")) <= 512:
            raise Malformed("a raw scan has not 1 to 512 bytes")


def _check_group(event: Message) -> None:
    if not event.has("group"):
        return
    group = event.message("group")
    part, parts = group.number("part"), group.number("parts")
    if len(group.data("id")) != 16 or not 1 <= part <= parts <= 1_024:
        raise Malformed(f"group part {part} of {parts}")


def check_body(message: Message) -> None:
    """A body, or a message within it, with everything that stands in it. Raises Malformed."""
    _check_known(message)
    for name, value in message.values.items():
        field = message.type.by_name[name]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Message):
                check_body(item)
            elif isinstance(item, (bytes, str)):
                _check_value(message, field, item)


def _check_known(message: Message) -> None:
    name = message.type.name
    if name == "Decimal" and message.number("decimals") > 9:
        raise Malformed("a decimal number has more than 9 decimals")
    if name in ("Document", "Commitment") and len(message.data("sha256")) != 32:
        raise Malformed(f"a {name.lower()} has no sha256 of 32 bytes")
    if name == "ExternalIdentifier":
        scheme, value = message.text("scheme"), message.text("value")
        _text("scheme", scheme, 64)
        _text("value", value, 128)
        if not scheme or not value or any("A" <= c <= "Z" for c in scheme):
            raise Malformed("an external identifier needs a scheme in lower case and a value")
    if name == "SubjectRef":
        subject.check_id(*subject.key_of(message))


def _check_value(message: Message, field: Field, value: object) -> None:
    if not value:
        return
    if field.touches is not None:
        subject.check_id(field.touches[0],
                         value.encode("utf-8") if isinstance(value, str) else value)  # type: ignore
    elif isinstance(value, str):
        note = message.type.name == "PredecessorLog"
        _text(field.name, value, NOTE_BYTES_MAX if note else TEXT_BYTES_MAX)
    elif isinstance(value, bytes):
        if field.name == "key_id":
            _length(field.name, value, 32)
        elif field.name.endswith(("_id", "_ids")):
            _length(field.name, value, 16)
