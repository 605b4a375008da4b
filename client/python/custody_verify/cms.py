"""CMS SignedData with one signer (RFC 5652), as RFC 3161 wants it in a time stamp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from . import certificate, der
from .certificate import DIGESTS, RSA_SIGNATURES, Certificate, Name
from .errors import Forged, Malformed, Untrusted

WHAT = "the token of the time stamp"
_PSS = "1.2.840.113549.1.1.10"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


@dataclass(frozen=True)
class Signer:
    """What one SignerInfo says. `signed` is that over which the signature goes."""

    issuer: Name
    serial: int
    digest: str
    algorithm: str
    attributes: dict[str, list[der.Element]]
    signed: bytes
    signature: bytes


@dataclass(frozen=True)
class SignedData:
    """A content with its signatures, none of which was looked at yet."""

    digests: list[str]
    content_type: str
    content: bytes
    certificates: list[Certificate]
    signers: list[Signer]


def parse(content_info: der.Element) -> SignedData:
    """Raises Malformed."""
    type_, inner = _content_info(content_info)
    if type_ != _SIGNED_DATA or inner is None:
        raise Malformed(f"{WHAT} is no signed data")
    reader = der.inside(der.read_only(inner.content, der.SEQUENCE, WHAT), WHAT)
    reader.take(der.INTEGER)
    digests = [certificate.algorithm_of(item)[0] for item in _each(reader.take_list(der.SET))]
    content_type, carried = _content_info(reader.take(der.SEQUENCE))
    if carried is None:
        raise Malformed(f"{WHAT} holds no content")
    content = der.read_only(carried.content, der.OCTET_STRING, WHAT).content
    certificates = reader.maybe_list(0xA0)
    reader.maybe_list(0xA1)
    signers = [_signer(item) for item in _each(reader.take_list(der.SET))]
    reader.end()
    return SignedData(
        digests, content_type, content,
        [certificate.parse(item.encoding) for item in _each(certificates)] if certificates else [],
        signers)


def certificate_of_signer(data: SignedData) -> Certificate:
    """That of the one signer. Raises Forged."""
    if len(data.signers) != 1:
        raise Forged(f"{WHAT} has {len(data.signers)} signatures, want 1")
    signer = data.signers[0]
    for item in data.certificates:
        if (item.issuer, item.serial) == (signer.issuer, signer.serial):
            return item
    raise Forged(f"{WHAT} lacks the certificate of its signer; ask the authority for it (certReq)")


def verify(data: SignedData, chain: Sequence[Certificate]) -> None:
    """Raises Forged or Malformed unless the first certificate of the chain signed the data,
    Untrusted if it signs in a way that is not checked here.

    chain  from the signer to the authority, already trusted; what the signature names must be in it
    """
    signer = data.signers[0]
    _check_signing_certificate(signer, chain)
    for name in data.digests:
        _digest(name)
    digest = _digest(signer.digest)
    if digest not in [_digest(name) for name in data.digests]:
        raise Forged(f"{WHAT} is signed with a hash that it does not announce")
    if der.oid(_single(signer, _CONTENT_TYPE, der.OID)) != data.content_type:
        raise Forged(f"{WHAT} was signed as another type of content")
    if _single(signer, _MESSAGE_DIGEST, der.OCTET_STRING).content != _hash(digest, data.content):
        raise Forged("the signature of the time stamp is over other contents")
    _check_signature(chain[0], digest, signer)


def _each(element: der.Element) -> list[der.Element]:
    reader, items = der.inside(element, WHAT), []
    while reader.more:
        items.append(reader.next())
    if any(item.tag != der.SEQUENCE for item in items):
        raise Malformed(f"{WHAT}: a part of another type than SEQUENCE")
    return items


def _content_info(element: der.Element) -> tuple[str, Optional[der.Element]]:
    reader = der.inside(element, WHAT)
    type_, content = der.oid(reader.take(der.OID)), reader.maybe(0xA0)
    reader.end()
    return type_, content


def _signer(element: der.Element) -> Signer:
    reader = der.inside(element, WHAT)
    reader.take(der.INTEGER)
    issuer, serial = issuer_and_serial(reader.take(der.SEQUENCE))
    digest, _ = certificate.algorithm_of(reader.take(der.SEQUENCE))
    signed = reader.maybe_list(0xA0)
    # Which signature it is follows from the key; this says it again, and nothing signs it.
    algorithm, _ = certificate.algorithm_of(reader.take(der.SEQUENCE))
    signature = reader.take(der.OCTET_STRING).content
    unsigned = reader.maybe_list(0xA1)
    reader.end()
    if unsigned is not None:
        _attributes(unsigned)
    return Signer(issuer, serial, digest, algorithm, _attributes(signed) if signed else {},
                  _as_set(signed) if signed else b"", signature)


def _as_set(signed: der.Element) -> bytes:
    """The signed attributes with the tags of DER, not the [0] of the message (RFC 5652 5.4)."""
    encoding = bytes([der.SET]) + signed.encoding[1:-len(signed.content)]
    for item in _each(signed):
        reader = der.inside(item, WHAT)
        type_, values = reader.next(), reader.next()
        encoding += item.encoding[:-len(item.content)] + type_.encoding \
            + bytes([der.SET]) + values.encoding[1:]
    return encoding


def issuer_and_serial(element: der.Element) -> tuple[Name, int]:
    """Of an IssuerAndSerialNumber. Raises Malformed."""
    reader = der.inside(element, WHAT)
    issuer, serial = reader.take_list(der.SEQUENCE), reader.take(der.INTEGER)
    reader.end()
    return certificate.name_of(issuer), der.integer(serial)


def _attributes(element: der.Element) -> dict[str, list[der.Element]]:
    found: dict[str, list[der.Element]] = {}
    for item in _each(element):
        reader = der.inside(item, WHAT)
        type_, values = der.oid(reader.take(der.OID)), der.inside(reader.take_list(der.SET), WHAT)
        reader.end()
        found.setdefault(type_, [])
        while values.more:
            found[type_].append(values.any())
    return found


def _single(signer: Signer, type_: str, tag: int) -> der.Element:
    values = signer.attributes.get(type_, [])
    if len(values) != 1 or values[0].tag != tag:
        raise Forged(f"{WHAT} lacks a signed attribute ({type_})")
    return values[0]


def _digest(name: str) -> type:
    # Some name the signature where the hash should stand.
    known = DIGESTS.get(name) or RSA_SIGNATURES.get(name)
    if known is None:
        raise Forged(f"{WHAT} uses a hash that is not known ({name})")
    return known


def _hash(digest: type, data: bytes) -> bytes:
    state = hashes.Hash(digest())
    state.update(data)
    return state.finalize()


def _check_signing_certificate(signer: Signer, chain: Sequence[Certificate]) -> None:
    """RFC 5035: the signature itself says with which certificate it was made."""
    found = [(name, default) for name, default in ((_SIGNING_CERTIFICATE, hashes.SHA1),
                                                   (_SIGNING_CERTIFICATE_V2, hashes.SHA256))
             if name in signer.attributes]
    if not found:
        raise Forged(f"{WHAT} does not say which certificate signed it (signingCertificate)")
    for name, default in found:
        reader = der.inside(_single(signer, name, der.SEQUENCE), WHAT)
        ids = _each(reader.take_list(der.SEQUENCE))
        if not ids:
            raise Forged(f"{WHAT} names no certificate (signingCertificate)")
        for number, item in enumerate(ids):
            # The first is the signer's, any other is one above it.
            if not _is_named(item, default, chain[1:] if number else chain[:1]):
                raise Forged(f"{WHAT} was signed with another certificate than it names")


def _is_named(element: der.Element, default: type, candidates: Sequence[Certificate]) -> bool:
    reader = der.inside(element, WHAT)
    algorithm = reader.maybe(der.SEQUENCE) if default is hashes.SHA256 else None
    digest = _digest(certificate.algorithm_of(algorithm)[0]) if algorithm else default
    value = reader.take(der.OCTET_STRING).content
    issuer_serial = reader.maybe(der.SEQUENCE)
    reader.end()
    return any(_hash(digest, item.encoding) == value and _is_issued(issuer_serial, item)
               for item in candidates)


def _is_issued(issuer_serial: Optional[der.Element], item: Certificate) -> bool:
    if issuer_serial is None:
        return True
    reader = der.inside(issuer_serial, WHAT)
    names, serial = reader.take(der.SEQUENCE), der.integer(reader.take(der.INTEGER))
    reader.end()
    # One name, the directory name of GeneralName.
    name = der.read_only(der.read_only(names.content, 0xA4, WHAT).content, der.SEQUENCE, WHAT)
    return certificate.name_of(name) == item.issuer and serial == item.serial


def _check_signature(by: Certificate, digest: type, signer: Signer) -> None:
    key = by.public_key
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signer.signature, signer.signed, padding.PKCS1v15(), digest())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signer.signature, signer.signed, ec.ECDSA(digest()))
        else:
            raise Forged("the time stamp is signed with a kind of key that is not for time stamps")
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        if signer.algorithm == _PSS and isinstance(key, rsa.RSAPublicKey):
            raise Untrusted(f"{WHAT} is signed with RSASSA-PSS, which cannot be checked here; ask "
                            "the authority for one with PKCS #1 v1.5 or ECDSA") from None
        raise Forged("the signature of the time stamp is false") from None
