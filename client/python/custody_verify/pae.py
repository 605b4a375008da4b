"""DSSE pre-authentication encoding (docs/formats.md section 3)."""

from __future__ import annotations

import hashlib

EVENT = "application/vnd.custody.event.v1+protobuf"
SIGNATURE = "application/vnd.custody.signature.v1+protobuf"
BATCH_STATEMENT = "application/vnd.custody.batch-statement.v1+protobuf"


def encode(payload_type: str, body: bytes) -> bytes:
    """"DSSEv1" SP len(type) SP type SP len(body) SP body."""
    return f"DSSEv1 {len(payload_type)} {payload_type} {len(body)} ".encode("ascii") + body


def event_digest(event: bytes) -> bytes:
    """What names an event: SHA-256 of its PAE."""
    return hashlib.sha256(encode(EVENT, event)).digest()
