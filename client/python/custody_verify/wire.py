"""Protocol Buffers wire format: a strict reader and a lenient one, without a protobuf library.

Strict (docs/formats.md section 2) is for everything that is signed or hashed: one message has one
encoding. Lenient is for what merely carries such bytes (bundles, receipts): unknown fields are
skipped, the last value of a single field wins.
"""

from __future__ import annotations

from typing import Iterator, Optional

from .errors import Malformed
from .schema import Field, MessageType

NESTING_MAX = 32
FIELD_NUMBER_MAX = (1 << 29) - 1

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

_VARINT_TYPES = {"int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "enum"}
_DEFAULTS: dict[str, object] = {"string": "", "bytes": b"", "bool": False}


class Message:
    """A decoded message: its exact bytes and its fields by name."""

    __slots__ = ("type", "raw", "values")

    def __init__(self, type_: MessageType, raw: bytes) -> None:
        self.type = type_
        self.raw = raw
        self.values: dict[str, object] = {}

    def has(self, name: str) -> bool:
        """Whether the field stands in the encoding."""
        return name in self.values

    def _get(self, name: str) -> object:
        field = self.type.by_name[name]
        if name in self.values:
            return self.values[name]
        if field.repeated:
            return []
        return _DEFAULTS.get(field.type, 0)

    def data(self, name: str) -> bytes:
        """A bytes field; empty when absent."""
        value = self._get(name)
        assert isinstance(value, bytes)
        return value

    def text(self, name: str) -> str:
        """A string field; empty when absent."""
        value = self._get(name)
        assert isinstance(value, str)
        return value

    def number(self, name: str) -> int:
        """An integer, boolean or enum field; 0 when absent."""
        value = self._get(name)
        assert isinstance(value, int)
        return value

    def items(self, name: str) -> list:
        """A repeated field; an empty list when absent."""
        value = self._get(name)
        assert isinstance(value, list)
        return value

    def message(self, name: str) -> "Message":
        """A message field; an empty message when absent."""
        value = self.values.get(name)
        if value is None:
            inner = self.type.by_name[name].message
            assert inner is not None
            return Message(inner, b"")
        assert isinstance(value, Message)
        return value

    def one_of(self, group: str) -> Optional[Field]:
        """The member of a oneof that stands in the encoding."""
        for name in self.values:
            if self.type.by_name[name].oneof == group:
                return self.type.by_name[name]
        return None


def read_varint(data: bytes, at: int, end: int, strict: bool) -> tuple[int, int]:
    """The number at `at` and where it ends. At most 64 bits; strict: in its shortest form."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise Malformed(f"truncated varint at byte {at}")
        byte = data[at]
        at += 1
        if shift == 63 and byte > 1:
            raise Malformed(f"varint over 64 bits at byte {at}")
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if strict and byte == 0 and shift > 0:
                raise Malformed(f"varint is not minimal at byte {at}")
            return value, at
    raise Malformed(f"varint over 64 bits at byte {at}")


def raw_fields(data: bytes) -> Iterator[tuple[int, int, object]]:
    """(field number, wire type, number or bytes) of each field, whatever the schema."""
    at, end = 0, len(data)
    while at < end:
        tag, at = read_varint(data, at, end, strict=False)
        number, wire = tag >> 3, tag & 7
        if number == 0 or number > FIELD_NUMBER_MAX:
            raise Malformed("impossible field number")
        if wire == VARINT:
            value, at = read_varint(data, at, end, strict=False)
            yield number, wire, value
            continue
        if wire == LENGTH:
            size, at = read_varint(data, at, end, strict=False)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise Malformed(f"wire type {wire} is not allowed")
        if size > end - at:
            raise Malformed("length beyond the end")
        yield number, wire, data[at:at + size]
        at += size


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _scalar(field: Field, value: int, strict: bool) -> object:
    """A varint as the field's type. Strict: no number that another reader would cut down."""
    kind = field.type
    if kind == "bool":
        if strict and value > 1:
            raise Malformed(f"{field.name}: boolean is neither 0 nor 1")
        return value != 0
    if kind in ("uint32", "sint32"):
        if strict and value > 0xFFFFFFFF:
            raise Malformed(f"{field.name}: number over 32 bits")
        value &= 0xFFFFFFFF
    elif kind in ("int32", "enum"):
        number = _signed(value)
        if strict and not -(1 << 31) <= number < 1 << 31:
            raise Malformed(f"{field.name}: number over 32 bits")
        number = ((number & 0xFFFFFFFF) ^ (1 << 31)) - (1 << 31)
        if strict and kind == "enum" and number not in (field.enum or ()):
            raise Malformed(f"{field.name}: unknown value {number}")
        return number
    if kind in ("sint32", "sint64"):
        return (value >> 1) ^ -(value & 1)
    return _signed(value) if kind == "int64" else value


def _text(field: Field, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{field.name}: text is not UTF-8") from None


def decode_strict(data: bytes, type_: MessageType) -> Message:
    """The message, if `data` is its one encoding. Raises Malformed."""
    return _strict(data, type_, 1)


def _strict(data: bytes, type_: MessageType, depth: int) -> Message:
    if depth > NESTING_MAX:
        raise Malformed("nesting is deeper than 32")
    message = Message(type_, data)
    at, end, previous = 0, len(data), 0
    oneofs: set[str] = set()
    while at < end:
        tag, at = read_varint(data, at, end, strict=True)
        number, wire = tag >> 3, tag & 7
        field = type_.by_number.get(number)
        if field is None:
            raise Malformed(f"{type_.name}: unknown field {number}")
        packed = field.repeated and field.type in _VARINT_TYPES
        if number < previous:
            raise Malformed(f"{type_.name}.{field.name}: field out of order")
        if number == previous and (not field.repeated or packed):
            raise Malformed(f"{type_.name}.{field.name}: field twice")
        previous = number
        if field.oneof:
            if field.oneof in oneofs:
                raise Malformed(f"{type_.name}.{field.name}: two members of a oneof")
            oneofs.add(field.oneof)
        want = VARINT if field.type in _VARINT_TYPES and not packed else LENGTH
        if wire != want:
            raise Malformed(f"{type_.name}.{field.name}: wrong wire type")
        implicit = not field.repeated and not field.oneof and field.type != "message"
        if want == VARINT:
            value, at = read_varint(data, at, end, strict=True)
            if value == 0 and implicit:
                raise Malformed(f"{type_.name}.{field.name}: explicit default")
            message.values[field.name] = _scalar(field, value, True)
            continue
        size, at = read_varint(data, at, end, strict=True)
        if size > end - at:
            raise Malformed(f"{type_.name}.{field.name}: length beyond the end")
        part = data[at:at + size]
        at += size
        if size == 0 and (implicit or packed):
            raise Malformed(f"{type_.name}.{field.name}: explicit default")
        if packed:
            message.values[field.name] = _packed(field, part, True)
        else:
            _put(message, field, _part(field, part, depth))
    return message


def _part(field: Field, part: bytes, depth: int) -> object:
    if field.type == "message":
        assert field.message is not None
        return _strict(part, field.message, depth + 1)
    return _text(field, part) if field.type == "string" else part


def _packed(field: Field, part: bytes, strict: bool) -> list:
    numbers, at = [], 0
    while at < len(part):
        value, at = read_varint(part, at, len(part), strict)
        numbers.append(_scalar(field, value, strict))
    return numbers


def _put(message: Message, field: Field, value: object) -> None:
    if field.repeated:
        items = message.values.setdefault(field.name, [])
        assert isinstance(items, list)
        items.append(value)
    else:
        message.values[field.name] = value


def decode_lenient(data: bytes, type_: MessageType, depth: int = 1) -> Message:
    """The message as any protobuf library would read it. Raises Malformed."""
    if depth > 100:
        raise Malformed("nesting is deeper than 100")
    message = Message(type_, data)
    # Occurrences of a single message field are merged, which is what reading them as one does.
    merged: dict[str, bytes] = {}
    for number, wire, value in raw_fields(data):
        field = type_.by_number.get(number)
        if field is None:
            continue
        is_number = field.type in _VARINT_TYPES
        if is_number and field.repeated and wire == LENGTH:
            assert isinstance(value, bytes)
            for item in _packed(field, value, False):
                _put(message, field, item)
        elif is_number and wire == VARINT:
            assert isinstance(value, int)
            _clear_oneof(message, field, merged)
            _put(message, field, _scalar(field, value, False))
        elif not is_number and wire == LENGTH:
            assert isinstance(value, bytes)
            _clear_oneof(message, field, merged)
            if field.type == "message":
                assert field.message is not None
                if not field.repeated:
                    merged[field.name] = value = merged.get(field.name, b"") + value
                _put(message, field, decode_lenient(value, field.message, depth + 1))
            else:
                _put(message, field, _text(field, value) if field.type == "string" else value)
        # A known number with another wire type is an unknown field.
    return message


def _clear_oneof(message: Message, field: Field, merged: dict[str, bytes]) -> None:
    if not field.oneof:
        return
    other = message.one_of(field.oneof)
    if other is not None and other.number != field.number:
        del message.values[other.name]
        merged.pop(other.name, None)
