"""X.509 certificates of authorities of time (RFC 5280): form, names, extensions, signatures.

The form is read here, so what is refused does not change with the version of `cryptography`, which
reads the extensions and keys of the few certificates that count.
"""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Optional

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from . import der
from .errors import Malformed, Untrusted

Name = tuple  # Comparable: as RFC 5280 7.1 compares, without regard to case and to spaces.

DIGESTS = {
    "1.2.840.113549.2.5": hashes.MD5, "1.3.14.3.2.26": hashes.SHA1,
    "2.16.840.1.101.3.4.2.4": hashes.SHA224, "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384, "2.16.840.1.101.3.4.2.3": hashes.SHA512,
    "2.16.840.1.101.3.4.2.7": hashes.SHA3_224, "2.16.840.1.101.3.4.2.8": hashes.SHA3_256,
    "2.16.840.1.101.3.4.2.9": hashes.SHA3_384, "2.16.840.1.101.3.4.2.10": hashes.SHA3_512}
RSA_SIGNATURES = {
    "1.2.840.113549.1.1.4": hashes.MD5, "1.2.840.113549.1.1.5": hashes.SHA1,
    "1.2.840.113549.1.1.14": hashes.SHA224, "1.2.840.113549.1.1.11": hashes.SHA256,
    "1.2.840.113549.1.1.12": hashes.SHA384, "1.2.840.113549.1.1.13": hashes.SHA512}
_ECDSA_SIGNATURES = {
    "1.2.840.10045.4.1": hashes.SHA1, "1.2.840.10045.4.3.1": hashes.SHA224,
    "1.2.840.10045.4.3.2": hashes.SHA256, "1.2.840.10045.4.3.3": hashes.SHA384,
    "1.2.840.10045.4.3.4": hashes.SHA512}
_EDWARDS = {"1.3.101.112": ed25519.Ed25519PublicKey, "1.3.101.113": ed448.Ed448PublicKey}
_PSS, _MGF1 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"

# Compared as text; other types of strings byte by byte.
_TEXTS = {der.UTF8: "utf-8", der.PRINTABLE: "latin-1", der.T61: "latin-1", der.IA5: "latin-1",
          der.VISIBLE: "latin-1", der.BMP: "utf-16-be", der.UNIVERSAL: "utf-32-be"}
# What may stand as a value in a name, apart from types that nobody has defined.
_NAME_TYPES = {der.BIT_STRING, der.UTF8, der.SEQUENCE, der.NUMERIC, der.PRINTABLE, der.T61, der.IA5,
               der.UNIVERSAL, der.BMP, 0x07, 0x08, 0x09, 0x0B, 0x0D, 0x0E, 0x0F, 0x1D}
_COMMON_NAME = "2.5.4.3"
_SPACES = re.compile("[\t\n\v\f\r ]+")
_PEM = re.compile("-----BEGIN ((?:X509 )?CERTIFICATE)-----[ \t\r]*\n(.*?)-----END \\1-----", re.S)


@dataclass(frozen=True)
class Certificate:
    """A certificate of the right form; nobody vouches for it yet."""

    encoding: bytes
    signed: bytes  # What the signature is over.
    algorithm: der.Element
    signature: bytes  # Without its first byte; empty if that is not 0.
    version: int
    serial: int
    issuer: Name
    subject: Name
    common_name: str  # May be empty.
    not_before: der.Element
    not_after: der.Element
    key_info: bytes

    @cached_property
    def extensions(self) -> Optional[x509.Extensions]:
        """None: they cannot be read."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return x509.load_der_x509_certificate(self.encoding).extensions
        except Exception:  # pylint: disable=broad-except
            # Which errors and warnings there are changes with the version of the library.
            return None

    @cached_property
    def public_key(self):
        """None: of a kind that is not known, or no key."""
        try:
            return load_der_public_key(self.key_info)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return None

    def extension(self, kind):
        """The value of an extension, or None."""
        for item in self.extensions or ():
            if isinstance(item.value, kind):
                return item.value
        return None

    def valid_at(self, utc_s: int) -> bool:
        """The first second of its time counts, the last does not."""
        begin, end = _seconds(self.not_before), _seconds(self.not_after)
        return begin is not None and end is not None and begin <= utc_s < end

    def signed_by(self, issuer: "Certificate") -> bool:
        """Whether the signature on this certificate is the issuer's."""
        # The algorithm stands twice, and only once under the signature.
        if issuer.public_key is None or not self.signature or not self._same_algorithm():
            return False
        try:
            return _verified(issuer.public_key, self.algorithm, self.signature, self.signed)
        except (InvalidSignature, Malformed, ValueError, UnsupportedAlgorithm):
            return False

    def _same_algorithm(self) -> bool:
        reader = der.inside(der.read_only(self.signed, der.SEQUENCE, "certificate"), "certificate")
        reader.maybe(0xA0)
        reader.next()
        return reader.next().encoding == self.algorithm.encoding


def read_pem(text: str) -> tuple[Certificate, ...]:
    """The certificates of a text, up to the first that cannot be read. Raises Malformed if none."""
    found = []
    for match in _PEM.finditer(text):
        try:
            found.append(parse(base64.b64decode("".join(match[2].split()), validate=True)))
        except (Malformed, Untrusted, binascii.Error):
            break
    if not found:
        raise Malformed("the authorities of time hold no certificate")
    return tuple(found)


def parse(data: bytes) -> Certificate:
    """Raises Malformed."""
    outer = der.inside(der.read_only(data, der.SEQUENCE, "certificate"), "certificate")
    signed = outer.take(der.SEQUENCE)
    algorithm = outer.take(der.SEQUENCE)
    algorithm_of(algorithm)
    signature = outer.take_string(der.BIT_STRING)
    outer.end()
    reader = der.inside(signed, "certificate")
    version = reader.maybe(0xA0)
    serial = reader.take(der.INTEGER)
    algorithm_of(reader.take(der.SEQUENCE))
    issuer = reader.take_list(der.SEQUENCE)
    validity = der.inside(reader.take(der.SEQUENCE), "certificate")
    not_before, not_after = (validity.take(der.UTC_TIME, der.GENERALIZED_TIME) for _ in range(2))
    validity.end()
    subject = reader.take_list(der.SEQUENCE)
    key_info = reader.take(der.SEQUENCE)
    key_reader = der.inside(key_info, "certificate")
    algorithm_of(key_reader.take(der.SEQUENCE))
    key_reader.take_string(der.BIT_STRING)
    key_reader.end()
    for tag in (0x81, 0x82):
        reader.maybe(tag)
    _check_extensions(reader.maybe(0xA3))
    reader.end()
    whole = signature.tag == der.BIT_STRING and signature.content[0] == 0
    return Certificate(
        data, signed.encoding, algorithm, signature.content[1:] if whole else b"",
        der.integer(der.read_only(version.content, der.INTEGER, "certificate")) if version else 0,
        der.integer(serial), name_of(issuer), name_of(subject), _common_name(subject), not_before,
        not_after, key_info.encoding)


def algorithm_of(element: der.Element) -> tuple[str, Optional[der.Element]]:
    """(identifier, parameters) of an AlgorithmIdentifier. Raises Malformed."""
    reader = der.inside(element, "algorithm")
    identifier = der.oid(reader.take(der.OID))
    parameters = reader.any() if reader.more else None
    reader.end()
    return identifier, parameters


def name_of(element: der.Element) -> Name:
    """A name such that equal ones are equal. Raises Malformed."""
    return tuple(tuple(sorted((type_, *_compared(value)) for type_, value in part))
                 for part in _parts(element))


def _parts(element: der.Element) -> list[list[tuple[str, der.Element]]]:
    parts, reader = [], der.inside(element, "name")
    while reader.more:
        part, items = [], der.inside(reader.take_list(der.SET), "name")
        while items.more:
            pair = der.inside(items.take(der.SEQUENCE), "name")
            part.append((der.oid(pair.take(der.OID)), pair.take(*_NAME_TYPES)))
            pair.end()
        parts.append(part)
    return parts


def _text(value: der.Element) -> str:
    try:
        return value.content.decode(_TEXTS[value.tag])
    except UnicodeDecodeError:
        raise Malformed("name: a text in no encoding of its type") from None


def _compared(value: der.Element) -> tuple[int, bytes]:
    if value.tag not in _TEXTS:
        return value.tag, value.content
    text = _SPACES.sub(" ", _text(value)).strip(" ")
    return der.UTF8, text.encode("utf-8").lower()


def _common_name(subject: der.Element) -> str:
    for part in _parts(subject):
        for type_, value in part:
            if type_ == _COMMON_NAME and value.tag in _TEXTS:
                return _text(value)
    return ""


def _check_extensions(element: Optional[der.Element]) -> None:
    if element is None:
        return
    outer = der.inside(element, "certificate")
    reader = der.inside(outer.take_list(der.SEQUENCE), "certificate")
    outer.end()
    while reader.more:
        extension = der.inside(reader.take(der.SEQUENCE), "extension")
        extension.take(der.OID)
        extension.maybe(der.BOOLEAN)
        extension.take_string(der.OCTET_STRING)
        extension.end()


def _seconds(time: der.Element) -> Optional[int]:
    text = time.content.decode("latin-1")
    if time.tag == der.UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return posix_seconds(text[:-1]) if re.fullmatch("[0-9]{14}Z", text) else None


def posix_seconds(digits: str) -> Optional[int]:
    """Of YYYYMMDDHHMMSS in UTC; None: there is no such moment."""
    try:
        moment = datetime(int(digits[:4]), *(int(digits[i:i + 2]) for i in range(4, 14, 2)),
                          tzinfo=timezone.utc)
    except ValueError:
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)


def _verified(key, algorithm: der.Element, signature: bytes, data: bytes) -> bool:
    """True, or raises; False: an algorithm that does not fit the key, or is not known."""
    identifier, parameters = algorithm_of(algorithm)
    if identifier in _EDWARDS and isinstance(key, _EDWARDS[identifier]):
        key.verify(signature, data)
    elif identifier in RSA_SIGNATURES and isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), RSA_SIGNATURES[identifier]())
    elif identifier in _ECDSA_SIGNATURES and isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(_ECDSA_SIGNATURES[identifier]()))
    elif identifier == _PSS and isinstance(key, rsa.RSAPublicKey):
        digest, mask_digest, salt = _pss(parameters)
        key.verify(signature, data, padding.PSS(padding.MGF1(mask_digest), salt), digest)
    else:
        return False
    return True


def _pss(parameters: Optional[der.Element]):
    """(hash, hash of the mask, bytes of salt), RFC 4055; SHA-1 and 20 bytes where it is silent."""
    if parameters is None or parameters.tag != der.SEQUENCE:
        raise Malformed("RSASSA-PSS without parameters")
    reader = der.inside(parameters, "RSASSA-PSS")
    digest, mask, salt = (reader.maybe(tag) for tag in (0xA0, 0xA1, 0xA2))
    reader.maybe(0xA3)
    reader.end()
    mask_digest: type = hashes.SHA1
    if mask is not None:
        identifier, inner = algorithm_of(der.read_only(mask.content, der.SEQUENCE, "RSASSA-PSS"))
        if identifier != _MGF1 or inner is None:
            raise Malformed("RSASSA-PSS with a mask that is not known")
        mask_digest = _digest(inner)
    return (_digest(der.read_only(digest.content, der.SEQUENCE, "RSASSA-PSS"))()
            if digest else hashes.SHA1(), mask_digest(),
            der.integer(der.read_only(salt.content, der.INTEGER, "RSASSA-PSS")) if salt else 20)


def _digest(element: der.Element) -> type:
    identifier, _ = algorithm_of(element)
    if identifier not in DIGESTS:
        raise Malformed(f"the hash {identifier} is not known")
    return DIGESTS[identifier]
