"""DER (X.690) as time stamps and certificates need it: one element after the other, never a tree.

Nothing recurses into what was sent: the depth is that of the structures which this program knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .errors import Malformed, Untrusted

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTF8, NUMERIC, PRINTABLE, T61, IA5 = 0x0A, 0x0C, 0x12, 0x13, 0x14, 0x16
UTC_TIME, GENERALIZED_TIME, VISIBLE, UNIVERSAL, BMP = 0x17, 0x18, 0x1A, 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31
CONSTRUCTED = 0x20

_UNIVERSAL_MAX = 0x3F  # Identifiers of the class "universal" are below.
_NEST_MAX = 5
_LENGTH_BYTES_MAX = 4
_OID_BYTES_MAX = 64


@dataclass(frozen=True)
class Element:
    """`tag` is the whole identifier byte; `encoding` is the element with its tag and length."""

    tag: int
    content: bytes
    encoding: bytes


class Reader:
    """The elements of some bytes, in their order. Raises Malformed at the first that is none."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._at, self._what = data, 0, what

    @property
    def more(self) -> bool:
        """Whether an element follows."""
        return self._at < len(self._data)

    def next(self) -> Element:
        """Any element, its content as it stands."""
        start, end, begin = self._at, *_extent(self._data, self._at, self._what)
        self._at = end
        return Element(self._data[start], self._data[begin:end], self._data[start:end])

    def maybe(self, *tags: int) -> Optional[Element]:
        """The next element if it has one of the tags, else None and nothing is read."""
        if not self.more or self._data[self._at] not in tags:
            return None
        element = self.next()
        check_primitive(element, self._what)
        return element

    def take(self, *tags: int) -> Element:
        """The next element, which must have one of the tags."""
        element = self.maybe(*tags)
        if element is None:
            raise self._lacks(tags[0])
        return element

    def maybe_list(self, tag: int) -> Optional[Element]:
        """As maybe, for a list of elements; whether its tag says "constructed" does not matter."""
        if not self.more or self._data[self._at] | CONSTRUCTED != tag:
            return None
        return self.next()

    def take_list(self, tag: int) -> Element:
        """As maybe_list; it must be there."""
        element = self.maybe_list(tag)
        if element is None:
            raise self._lacks(tag)
        return element

    def _lacks(self, tag: int) -> Malformed:
        return Malformed(f"{self._what}: no element of type {tag:#04x} at byte {self._at}")

    def take_string(self, tag: int) -> Element:
        """As take; the segments of a string that came in pieces (BER) are only looked over."""
        element = self.maybe(tag, tag | CONSTRUCTED)
        if element is None:
            raise self._lacks(tag)
        if element.tag != tag:
            joined = _pieces(element.content, 0, self._what)
            check_primitive(Element(tag, joined, b""), self._what)
        return element

    def any(self) -> Element:
        """The next element of any type."""
        element = self.next()
        check_primitive(element, self._what)
        return element

    def end(self) -> None:
        """Raises Malformed if something follows."""
        if self.more:
            raise Malformed(f"{self._what}: {len(self._data) - self._at} bytes too many")


def read_only(data: bytes, tag: int, what: str) -> Element:
    """The one element of which the bytes consist."""
    reader = Reader(data, what)
    element = reader.take(tag)
    reader.end()
    return element


def inside(element: Element, what: str) -> Reader:
    """The elements that an element consists of."""
    return Reader(element.content, what)


def integer(element: Element) -> int:
    """The value of an INTEGER."""
    return int.from_bytes(element.content, "big", signed=True)


def oid(element: Element) -> str:
    """The value of an OBJECT IDENTIFIER, "1.2.840"; in hexadecimal if it is absurdly long."""
    if len(element.content) > _OID_BYTES_MAX:
        return element.content.hex()
    arcs, value = [], 0
    for byte in element.content:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in [first, arcs[0] - 40 * first, *arcs[1:]])


def check_primitive(element: Element, what: str) -> None:
    """Raises Malformed if an element of a universal type cannot have this content."""
    tag, content = element.tag, element.content
    if tag > _UNIVERSAL_MAX:
        return
    if tag & ~CONSTRUCTED in (SEQUENCE & ~CONSTRUCTED, SET & ~CONSTRUCTED):
        good = bool(tag & CONSTRUCTED)
    elif tag in _GOOD:
        good = _GOOD[tag](content)
    else:
        good = tag & ~CONSTRUCTED not in _NEVER_CONSTRUCTED
    if not good:
        raise Malformed(f"{what}: an element of type {tag:#04x} with a content that it cannot have")


def _good_integer(content: bytes) -> bool:
    if len(content) < 2:
        return len(content) == 1
    return not (content[0] == 0 and content[1] < 0x80 or content[0] == 0xFF and content[1] >= 0x80)


def _good_oid(content: bytes) -> bool:
    if not content or content[-1] >= 0x80:
        return False
    begins = [0] + [i + 1 for i in range(len(content) - 1) if content[i] < 0x80]
    return all(content[i] != 0x80 for i in begins)


_GOOD = {
    BOOLEAN: lambda content: len(content) == 1,
    INTEGER: _good_integer,
    ENUMERATED: _good_integer,
    BIT_STRING: lambda content: len(content) > 0 and content[0] <= 7,
    NULL: lambda content: not content,
    OID: _good_oid,
    BMP: lambda content: len(content) % 2 == 0,
    UNIVERSAL: lambda content: len(content) % 4 == 0,
}
_NEVER_CONSTRUCTED = (BOOLEAN, INTEGER, ENUMERATED, NULL, OID)


def _extent(data: bytes, at: int, what: str) -> tuple[int, int]:
    """(end, begin of the content) of the element at `at`."""
    if at + 2 > len(data):
        raise Malformed(f"{what} is cut off at byte {len(data)}")
    if data[at] & 0x1F == 0x1F:
        raise Malformed(f"{what}: a tag of several bytes at byte {at}")
    length, begin = data[at + 1], at + 2
    if length == 0x80:
        if data[at] & CONSTRUCTED and _closed(data, begin):
            raise Untrusted(f"{what} is in BER with a length that is left open; this program reads "
                            "DER (openssl ts -reply -in FILE -out FILE.der writes it again)")
        raise Malformed(f"{what}: an open length at byte {at}")
    if length > 0x80:
        count = length & 0x7F
        if count > _LENGTH_BYTES_MAX or begin + count > len(data):
            raise Malformed(f"{what}: a length of {count} bytes at byte {at}")
        length, begin = int.from_bytes(data[begin:begin + count], "big"), begin + count
        if length < 0x80 or length < 1 << 8 * (count - 1):
            raise Malformed(f"{what}: a length longer than it needs to be at byte {at}")
    if begin + length > len(data):
        raise Malformed(f"{what} is cut off: the element at byte {at} has {length} bytes")
    return begin + length, begin


def _closed(data: bytes, at: int) -> bool:
    """Whether each open length from here on has its end, as BER wants. One pass."""
    open_count = 1
    while open_count and at + 2 <= len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if tag == 0 and length == 0:
            open_count -= 1
        elif length == 0x80:
            open_count += 1
        else:
            count = length & 0x7F if length > 0x80 else 0
            at += count + (int.from_bytes(data[at:at + count], "big") if count else length)
    return open_count == 0 and at <= len(data)


def _pieces(data: bytes, depth: int, what: str) -> bytes:
    if depth >= _NEST_MAX:
        raise Malformed(f"{what}: a string in too many pieces")
    reader, joined = Reader(data, what), b""
    while reader.more:
        piece = reader.next()
        joined += _pieces(piece.content, depth + 1, what) if piece.tag & CONSTRUCTED \
            else piece.content
    return joined
