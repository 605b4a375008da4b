"""Public keys and signatures (docs/formats.md section 3)."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .errors import Forged, Malformed

ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")
P256_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SIGNATURE_BYTES = 64

_ED25519_FIELD = (1 << 255) - 19
# y of the points of order 1, 2, 4 and 8: such a key fits many messages and names nobody.
_SMALL_ORDER_Y = {
    int.from_bytes(bytes.fromhex(text), "little") for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")}


class PublicKey:
    """An Ed25519 or P-256 key in its canonical SubjectPublicKeyInfo."""

    def __init__(self, spki: bytes) -> None:
        """Raises Malformed if `spki` is no canonical encoding of such a key."""
        self.spki = spki
        self.key_id = hashlib.sha256(spki).digest()
        if spki.startswith(ED25519_PREFIX) and len(spki) == len(ED25519_PREFIX) + 32:
            self._ed25519 = _ed25519_key(spki[len(ED25519_PREFIX):])
            self._p256 = None
        elif spki.startswith(P256_PREFIX) and len(spki) == len(P256_PREFIX) + 64:
            self._ed25519 = None
            try:
                self._p256 = ec.EllipticCurvePublicKey.from_encoded_point(
                    ec.SECP256R1(), b"\x04" + spki[len(P256_PREFIX):])
            except ValueError:
                raise Malformed("public key is not a point of its curve") from None
        else:
            raise Malformed("public key is not the canonical SPKI of an ed25519 or p-256 key")

    @staticmethod
    def from_ed25519(raw: bytes) -> "PublicKey":
        """From the 32 bytes of RFC 8032."""
        if len(raw) != 32:
            raise Malformed(f"ed25519 public key has {len(raw)} bytes, want 32")
        return PublicKey(ED25519_PREFIX + raw)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises Forged unless `signature` is this key's over `message`."""
        if len(signature) != SIGNATURE_BYTES:
            raise Forged(f"signature has {len(signature)} bytes, want {SIGNATURE_BYTES}")
        try:
            if self._ed25519 is not None:
                self._ed25519.verify(signature, message)
                return
            r = int.from_bytes(signature[:32], "big")
            s = int.from_bytes(signature[32:], "big")
            if s > P256_ORDER // 2:
                raise Forged("the s of the signature is in the upper half")
            assert self._p256 is not None
            self._p256.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Forged("signature does not match") from None


def _ed25519_key(raw: bytes) -> ed25519.Ed25519PublicKey:
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if y in _SMALL_ORDER_Y:
        raise Malformed("ed25519 key is a point of small order")
    if y >= _ED25519_FIELD:
        raise Malformed("ed25519 key is not in its canonical encoding")
    try:
        return ed25519.Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise Malformed("public key is not a point of its curve") from None
