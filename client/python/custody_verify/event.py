"""Events, statements and signatures, and whether their parts agree (docs/formats.md section 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass

from . import merkle, pae, subject
from .errors import Forged, Malformed
from .field_check import check_body, check_header
from .schema import enum_number, message_type
from .subject import Subject
from .wire import Message, decode_strict

ENTRY_BYTES_MAX = 48 << 10
SIGNED_EVENT_BYTES_MAX = 36 << 10
SUBJECTS_MAX = 256
SIGNATURES_MAX = 8
BATCH_EVENTS_MAX = 1024

_BATCH_MEANINGS = (enum_number("Meaning", "MEANING_PERFORMED"),
                   enum_number("Meaning", "MEANING_AUTHORED"))


@dataclass(frozen=True)
class ParsedSignature:
    """One signature of an event: what was signed, by whom, with which key."""

    signer: Subject
    key_id: bytes
    # The exact bytes under the signature.
    signed_bytes: bytes
    signature: bytes
    batch: bool


@dataclass(frozen=True)
class ParsedEvent:
    """A signed event whose parts agree; nothing is said about whether its signatures are true."""

    event: Message
    # The one member of `body`, and its field name.
    body: Message
    body_name: str
    digest: bytes
    subjects: list[Subject]
    signatures: list[ParsedSignature]


def parse_signed_event(signed: Message, ledger: str) -> ParsedEvent:
    """Raises Malformed."""
    if len(signed.raw) > SIGNED_EVENT_BYTES_MAX:
        raise Malformed(f"the signed event has {len(signed.raw)} bytes")
    event = decode_strict(signed.data("event"), message_type("Event"))
    field = event.one_of("body")
    if field is None:
        raise Malformed("the event has no body")
    if event.text("ledger") != ledger:
        raise Malformed(f"made for ledger '{event.text('ledger')}', this is '{ledger}'")
    body = event.message(field.name)
    check_body(body)
    _check_subjects(event, body)
    check_header(event)
    digest = pae.event_digest(event.raw)
    signatures = _parse_signatures(signed, digest, ledger, body.type.observation)
    return ParsedEvent(event, body, field.name, digest,
                       [subject.key_of(ref) for ref in event.items("subjects")], signatures)


def _check_subjects(event: Message, body: Message) -> None:
    touched = subject.touched(body)
    if not touched or len(touched) > SUBJECTS_MAX:
        raise Malformed(f"the event touches {len(touched)} subjects")
    stated = [(subject.key_of(ref), ref.number("role")) for ref in event.items("subjects")]
    if stated != touched:
        raise Malformed("the subjects of the header are not those that the body names")


def _parse_signatures(signed: Message, digest: bytes, ledger: str,
                      observation: bool) -> list[ParsedSignature]:
    signatures: list[ParsedSignature] = []
    items = signed.items("signatures")
    if not 1 <= len(items) <= SIGNATURES_MAX:
        raise Malformed(f"the event has {len(items)} signatures, 1 to 8 are allowed")
    for item in items:
        parsed = parse_signature(item, digest, ledger)
        if parsed.batch and not observation:
            raise Malformed("a batch statement signs observations only")
        if signatures and signatures[-1].key_id >= parsed.key_id:
            raise Malformed("signatures are not sorted by key_id, or a key signs twice")
        signatures.append(parsed)
    return signatures


def parse_signature(signature: Message, digest: bytes, ledger: str) -> ParsedSignature:
    """A signature over the event with this digest. Raises Malformed."""
    statement_bytes = signature.data("statement")
    statement, batch = _read_statement(signature)
    if batch:
        _check_batch(signature, statement, digest)
    elif statement.data("event_digest") != digest:
        raise Malformed("a statement names another event")
    _check_statement(statement, ledger)
    if len(signature.data("signature")) != 64:
        raise Malformed("a signature is not 64 bytes")
    signer = ((subject.DEVICE, statement.data("device_id")) if statement.data("device_id")
              else (subject.PERSON, statement.data("person_id")))
    payload_type = pae.BATCH_STATEMENT if batch else pae.SIGNATURE
    return ParsedSignature(signer, statement.data("key_id"),
                           pae.encode(payload_type, statement_bytes),
                           signature.data("signature"), batch)


def _read_statement(signature: Message) -> tuple[Message, bool]:
    """The statement, and whether it is one of a batch. No bytes are both."""
    data = signature.data("statement")
    if not signature.items("batch_path"):
        try:
            single = decode_strict(data, message_type("SignatureStatement"))
        except Malformed as not_single:
            try:
                return decode_strict(data, message_type("BatchStatement")), True
            except Malformed:
                raise not_single from None
        if signature.number("batch_index"):
            raise Malformed("a path without a batch statement")
        return single, False
    return decode_strict(data, message_type("BatchStatement")), True


def _check_batch(signature: Message, batch: Message, digest: bytes) -> None:
    count = batch.number("events_count")
    if not 1 <= count <= BATCH_EVENTS_MAX:
        raise Malformed("a batch statement is about 1 to 1,024 events")
    if batch.number("meaning") not in _BATCH_MEANINGS:
        raise Malformed("a batch statement means performed or authored only")
    merkle.check_hashes([batch.data("events_root")])
    try:
        merkle.verify_inclusion(signature.number("batch_index"), count, merkle.leaf_hash(digest),
                                signature.items("batch_path"), batch.data("events_root"))
    except (Malformed, Forged):
        raise Malformed("the event is not in the batch that was signed") from None


def _check_statement(statement: Message, ledger: str) -> None:
    if statement.text("ledger") != ledger:
        raise Malformed(f"signed for ledger '{statement.text('ledger')}', this is '{ledger}'")
    if len(statement.data("key_id")) != 32:
        raise Malformed("key_id is not 32 bytes")
    person, device = statement.data("person_id"), statement.data("device_id")
    if bool(person) == bool(device) or len(person or device) != 16:
        raise Malformed("a statement names exactly one person or device, 16 bytes")
    if (statement.number("role") == 0 or statement.number("meaning") == 0
            or statement.number("signed_at_ms") <= 0):
        raise Malformed("a statement has a role, a meaning and a time")
