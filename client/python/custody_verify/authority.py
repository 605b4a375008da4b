"""Does a certificate lead to a trusted authority of time? (docs/formats.md section 10.6)

As of the stated time: a certificate of years ago has ended, and it counts that it was valid then.
"""

from __future__ import annotations

from typing import Optional, Sequence

from cryptography import x509

from .certificate import Certificate
from .errors import Untrusted

CHAIN_MAX = 16
TRIES_MAX = 100

_V3 = 2
_TIME_STAMPING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.8")
# Critical extensions that may be there: judged here, or without a say in who vouches for whom.
_KNOWN = {x509.ObjectIdentifier(text) for text in (
    "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.31", "2.5.29.32", "2.5.29.33", "2.5.29.36",
    "2.5.29.37", "2.5.29.54", "1.3.6.1.5.5.7.48.1.5", "2.16.840.1.113730.1.1")}


def chain_of(signer: Certificate, others: Sequence[Certificate], roots: Sequence[Certificate],
             utc_s: int) -> list[Certificate]:
    """From the signer to one of the roots. Raises Untrusted, with the reason.

    others  certificates that came along; nobody has to believe them
    roots   the trusted ones; a chain ends at one that signed itself
    """
    fault = _fault_of_signer(signer, utc_s)
    if fault:
        raise Untrusted(f"the time stamp is signed by a certificate that {fault}")
    search = _Search(others, roots, utc_s)
    chain = search.from_(signer, [signer])
    if chain is None:
        raise Untrusted("the time stamp is signed by nobody that leads to a trusted authority of "
                        f"time{search.because}")
    return chain


class _Search:
    def __init__(self, others: Sequence[Certificate], roots: Sequence[Certificate],
                 utc_s: int) -> None:
        self._others, self._roots, self._utc_s = others, roots, utc_s
        self._tries = 0
        self.because = ""

    def from_(self, last: Certificate, chain: list[Certificate]) -> Optional[list[Certificate]]:
        """The chain to its end; at most CHAIN_MAX deep, TRIES_MAX signatures in all."""
        trusted = _among(last, self._roots)
        if trusted and _self_signed(last):
            return chain
        if len(chain) == CHAIN_MAX:
            return None
        # Above a trusted certificate only trusted ones count.
        for issuer in [*self._roots, *([] if trusted else self._others)]:
            if not _names(last, issuer) or _among(issuer, chain):
                continue
            self._tries += 1
            if self._tries > TRIES_MAX:
                self.because = f" within {TRIES_MAX} tries"
                return None
            root = _self_signed(issuer) and _among(issuer, self._roots)
            fault = _fault_of_issuer(issuer, chain, root, self._utc_s)
            if fault or not last.signed_by(issuer):
                self.because = f": {issuer.common_name} {fault or 'did not sign it'}"
                continue
            found = self.from_(issuer, [*chain, issuer])
            if found is not None:
                return found
        return None


def _among(certificate: Certificate, certificates: Sequence[Certificate]) -> bool:
    return any(certificate.encoding == other.encoding for other in certificates)


def _self_signed(certificate: Certificate) -> bool:
    return _names(certificate, certificate)


def _names(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether a certificate says that the other is its issuer."""
    if certificate.issuer != issuer.subject:
        return False
    wanted = certificate.extension(x509.AuthorityKeyIdentifier)
    if wanted is None:
        return True
    own = issuer.extension(x509.SubjectKeyIdentifier)
    if wanted.key_identifier is not None and own is not None \
            and wanted.key_identifier != own.digest:
        return False
    return wanted.authority_cert_serial_number in (None, issuer.serial)


def _fault(certificate: Certificate, utc_s: int) -> str:
    if certificate.extensions is None:
        return "has extensions that cannot be read"
    if not certificate.valid_at(utc_s):
        return "was not valid then"
    for item in certificate.extensions:
        if item.critical and item.oid not in _KNOWN:
            return f"has a critical extension that is not known ({item.oid.dotted_string})"
    return ""


def _fault_of_signer(certificate: Certificate, utc_s: int) -> str:
    fault = _fault(certificate, utc_s)
    if fault:
        return fault
    usage = certificate.extension(x509.KeyUsage)
    if usage is not None and (_other_uses(usage) or
                              not (usage.digital_signature or usage.content_commitment)):
        return "is not for signatures alone"
    purpose = next((item for item in certificate.extensions or ()
                    if isinstance(item.value, x509.ExtendedKeyUsage)), None)
    if purpose is None or set(purpose.value) != {_TIME_STAMPING} or not purpose.critical:
        return "is not for time stamps alone (a critical extended key usage)"
    return ""


def _other_uses(usage: x509.KeyUsage) -> bool:
    return (usage.key_encipherment or usage.data_encipherment or usage.key_agreement
            or usage.key_cert_sign or usage.crl_sign)


def _fault_of_issuer(issuer: Certificate, below: Sequence[Certificate], root: bool,
                     utc_s: int) -> str:
    fault = _fault(issuer, utc_s)
    if fault:
        return fault
    usage = issuer.extension(x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return "is not for signing certificates"
    if issuer.extension(x509.NameConstraints) is not None:
        return "limits the names below it, which this program does not judge"
    constraints = issuer.extension(x509.BasicConstraints)
    if constraints is None:
        # Old roots: of version 1, or with a key usage that says so.
        old = root and (issuer.version < _V3 or usage is not None)
        return "" if old else "is no authority of certificates"
    if not constraints.ca:
        return "is no authority of certificates"
    # The certificate at the end of the chain does not count, nor does one that changes a key.
    length = sum(1 for other in below[1:] if other.issuer != other.subject)
    if constraints.path_length is not None and length > constraints.path_length:
        return f"allows {constraints.path_length} authorities below it"
    return ""
