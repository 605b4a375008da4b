"""RFC 3161 time stamps: when an authority saw a checkpoint (docs/formats.md section 10.6)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Optional, Sequence

from . import authority, certificate, cms, der, inclusion, note
from .certificate import Certificate
from .errors import Forged, Malformed, Untrusted
from .report import Outcome, Report, utc_text
from .schema import message_type
from .trust import Trust
from .wire import decode_lenient

RESPONSE_BYTES_MAX = 64 << 10
ACCURACY_MS_MAX = 86_400_000

_WHAT = "the time stamp"
_GRANTED = (0, 1)
_INFO, _SHA256 = "1.2.840.113549.1.9.16.1.4", "2.16.840.1.101.3.4.2.1"
_TIME = re.compile("([0-9]{12})([0-9]{2}(?:[.][0-9]+)?)?(?:Z|([+-])(0[0-9]|1[0-2])([0-5][0-9]))")


@dataclass(frozen=True)
class Stamp:
    """`accuracy_ms` 0: not stated. `authority` is a common name and may be empty."""

    utc_ms: int
    accuracy_ms: int
    authority: str


@dataclass(frozen=True)
class _Info:
    version: int
    hash_name: str
    imprint: bytes
    utc_s: int
    accuracy_ms: int


def verify_timestamp(response: bytes, stamped: bytes,
                     authorities: Sequence[Certificate]) -> Stamp:
    """When one of the authorities saw the bytes `stamped`, as an answer (TimeStampResp) says.

    Raises Malformed if it is no answer or refuses the stamp; Forged if it is over other bytes or
    its signature is false; Untrusted if the signer leads to none of the authorities, was not valid
    then or is not for time stamps alone. Nothing is known of revocation.
    """
    if not 1 <= len(response) <= RESPONSE_BYTES_MAX:
        raise Malformed(f"a time stamp of {len(response)} bytes, want 1 to {RESPONSE_BYTES_MAX}")
    data = cms.parse(_token(response))
    if data.content_type != _INFO:
        raise Malformed(f"{_WHAT} holds another type of content ({data.content_type})")
    info = _info(data.content)
    if info.hash_name != _SHA256:
        raise Malformed(f"{_WHAT} is over another hash than SHA-256")
    if info.imprint != hashlib.sha256(stamped).digest():
        raise Forged(f"{_WHAT} is over other bytes")
    signer = cms.certificate_of_signer(data)
    chain = authority.chain_of(signer, data.certificates, authorities, info.utc_s)
    cms.verify(data, chain)
    if info.version != 1:
        raise Forged(f"{_WHAT} is of version {info.version:#x}, want 1")
    return Stamp(info.utc_s * 1_000, info.accuracy_ms, signer.common_name)


def judge(named: bytes, carried: bytes, checkpoint: bytes, trust: Trust, report: Report) -> None:
    """Level A: adds the step "timestamp", if there is one to judge.

    named    the answer that the reader brings; it goes first
    carried  that of the bundle; it was put there by anybody, so without trust it takes nothing away
    """
    if not named and not carried:
        return
    outcome, detail, stamp = _outcome(named or carried, checkpoint, trust)
    if outcome == Outcome.CANNOT_BE_CHECKED and not named:
        outcome = Outcome.NOT_YET_PROVEN
        detail = f"the one that the bundle carries cannot be checked: {detail}"
    report.add("A", "timestamp", outcome, detail)
    if stamp is not None:
        report.stamped_at_ms = stamp.utc_ms


def judge_checkpoint(file: bytes, response: bytes,
                     trust: Trust) -> tuple[Outcome, str, Optional[Stamp]]:
    """About an answer over a checkpoint, which stands in a file of its own or in a bundle.

    Raises Malformed if there is nothing to judge: no checkpoint, or no authority is trusted.
    """
    if not trust.authorities:
        raise Malformed('the trust file names no authority of time: add timestamp_ca = "FILE.pem"')
    checkpoint = _checkpoint_in(file)
    report = Report(ledger=trust.ledger)
    if inclusion.open_trusted(checkpoint, trust, report) is None:
        _, _, outcome, detail = report.steps[0]
        return outcome, detail, None
    return _outcome(response, checkpoint, trust)


def _checkpoint_in(file: bytes) -> bytes:
    try:
        note.parse_note(file)
        return file
    except Malformed:
        pass
    try:
        checkpoint = decode_lenient(file, message_type("Bundle")).text("checkpoint").encode("utf-8")
        note.parse_note(checkpoint)
    except Malformed:
        raise Malformed("the file is neither a checkpoint (custody log checkpoint -o FILE) nor a "
                        "bundle (custody export)") from None
    return checkpoint


def _outcome(response: bytes, checkpoint: bytes,
             trust: Trust) -> tuple[Outcome, str, Optional[Stamp]]:
    try:
        if not trust.authorities:
            raise Untrusted("the trust file names no authority of time (timestamp_ca)")
        stamp = verify_timestamp(response, checkpoint, trust.authorities)
    except Untrusted as error:
        return Outcome.CANNOT_BE_CHECKED, str(error), None
    except (Malformed, Forged) as error:
        return Outcome.PROOF_FALSE, str(error), None
    accuracy = f", give or take {stamp.accuracy_ms} ms" if stamp.accuracy_ms else ""
    return (Outcome.VERIFIED,
            f"{stamp.authority} saw the checkpoint at {utc_text(stamp.utc_ms)}{accuracy}", stamp)


def _token(response: bytes) -> der.Element:
    reader = der.inside(der.read_only(response, der.SEQUENCE, _WHAT), _WHAT)
    status = der.inside(reader.take(der.SEQUENCE), _WHAT)
    code = der.integer(status.take(der.INTEGER))
    texts = status.maybe_list(der.SEQUENCE)
    status.maybe(der.BIT_STRING)
    status.end()
    if texts is not None:
        _check_texts(der.inside(texts, _WHAT))
    if code not in _GRANTED:
        raise Malformed(f"the authority gave no time stamp: its status is {code:#x}")
    token = reader.take(der.SEQUENCE)
    reader.end()
    return token


def _check_texts(reader: der.Reader) -> None:
    while reader.more:
        reader.take(der.UTF8)


def _info(content: bytes) -> _Info:
    reader = der.inside(der.Reader(content, _WHAT).take(der.SEQUENCE), _WHAT)
    version = der.integer(reader.take(der.INTEGER))
    reader.take(der.OID)
    imprint = der.inside(reader.take(der.SEQUENCE), _WHAT)
    hash_name, _ = certificate.algorithm_of(imprint.take(der.SEQUENCE))
    hashed = imprint.take(der.OCTET_STRING).content
    imprint.end()
    reader.take(der.INTEGER)
    utc_s = _seconds(reader.take(der.GENERALIZED_TIME).content)
    accuracy = reader.maybe(der.SEQUENCE)
    for tag in (der.BOOLEAN, der.INTEGER, 0xA0, 0xA1):
        reader.maybe(tag)
    reader.end()
    return _Info(version, hash_name, hashed, utc_s, _accuracy_ms(accuracy) if accuracy else 0)


def _seconds(content: bytes) -> int:
    """Whole seconds; a fraction that it may state is dropped."""
    match = _TIME.fullmatch(content.decode("latin-1"))
    utc_s = certificate.posix_seconds(match[1] + (match[2] or "00")[:2]) if match else None
    if match is None or utc_s is None:
        raise Malformed(f"{_WHAT} states no time")
    if match[3] is None:
        return utc_s
    offset = int(match[4]) * 3_600 + int(match[5]) * 60
    return utc_s - offset if match[3] == "+" else utc_s + offset


def _accuracy_ms(element: der.Element) -> int:
    reader = der.inside(element, _WHAT)
    seconds, millis, micros = (reader.maybe(tag) for tag in (der.INTEGER, 0x80, 0x81))
    reader.end()
    for item in (millis, micros):
        if item is not None:
            der.check_primitive(der.Element(der.INTEGER, item.content, b""), _WHAT)
    whole = der.integer(seconds) if seconds else 0
    part = der.integer(millis) if millis else 0
    sane = 0 <= whole <= ACCURACY_MS_MAX // 1_000 and 0 <= part < 1_000
    # A fraction of a millisecond is none.
    return whole * 1_000 + part if sane else ACCURACY_MS_MAX
