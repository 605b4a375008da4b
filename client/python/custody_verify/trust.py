"""What a verifier believes: its own trust.toml, never anything of a bundle (section 11)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from .certificate import Certificate, read_pem
from .errors import Malformed
from .note import ED25519, NoteKey, RetiredKey
from .policy import WitnessPolicy, parse_policy

TRUST_BYTES_MAX = 64 << 10
LOG_KEYS_MAX = 16
RETIRED_KEYS_MAX = 64

_KEYS = {"ledger", "entry0_leaf_hash", "log_keys", "retired_log_keys", "policy", "maximum_age",
         "auditors", "timestamp_ca"}
_UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_AGE_MS_MAX = 3_660 * 86_400_000


@dataclass(frozen=True)
class Trust:
    """`maximum_age_ms` 0: the age of the checkpoint is not judged."""

    ledger: str
    entry0_leaf_hash: bytes
    log_keys: list[NoteKey]
    policy: Optional[WitnessPolicy] = None
    maximum_age_ms: int = 0
    auditors: tuple[str, ...] = ()
    retired_log_keys: tuple[RetiredKey, ...] = ()
    authorities: tuple[Certificate, ...] = ()  # Of time.


def _read(path: Path) -> str:
    data = path.read_bytes()
    if len(data) > TRUST_BYTES_MAX:
        raise Malformed(f"{path} has more than {TRUST_BYTES_MAX} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{path} is not UTF-8") from None


def read_trust(path: Path) -> Trust:
    """From a file; a policy is looked for beside it. Raises Malformed or OSError."""
    return parse_trust(_read(path), lambda name: _read(path.parent / name))


def parse_trust(text: str, read_file: Callable[[str], str]) -> Trust:
    """Raises Malformed."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed(f"trust file: {error}") from None
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise Malformed(f"trust file: unknown key '{unknown[0]}'")
    ledger = _text(table, "ledger")
    hash_text = _text(table, "entry0_leaf_hash")
    if not ledger or not re.fullmatch("[0-9a-fA-F]{64}", hash_text):
        raise Malformed("trust file: ledger and entry0_leaf_hash (64 hex digits) are required")
    policy = _policy(table, read_file)
    log_keys = _log_keys(table, ledger)
    return Trust(ledger, bytes.fromhex(hash_text), log_keys, policy, _maximum_age(table, policy),
                 _auditors(table, policy), _retired(table, ledger, log_keys),
                 _authorities(table, read_file))


def _auditors(table: dict, policy: Optional[WitnessPolicy]) -> tuple[str, ...]:
    names = table.get("auditors", [])
    if not isinstance(names, list) or (names and policy is None):
        raise Malformed("trust file: auditors is a list of names of witnesses, and needs a policy")
    for name in names:
        if not isinstance(name, str) or name not in policy.witnesses:
            raise Malformed(f"trust file: the auditor {name!r} is no witness of the policy")
    return tuple(names)


def _text(table: dict, key: str) -> str:
    if key not in table:
        return ""
    value = table[key]
    if not isinstance(value, str) or not value:
        raise Malformed(f"trust file: {key} must be a text")
    return value


def _log_keys(table: dict, ledger: str) -> list[NoteKey]:
    items = table.get("log_keys")
    if not isinstance(items, list) or not 1 <= len(items) <= LOG_KEYS_MAX:
        raise Malformed(f"trust file: log_keys must be a list of 1 to {LOG_KEYS_MAX} verifier keys")
    keys = [_log_key(item, ledger) for item in items]
    _check_distinct(keys)
    return keys


def _log_key(item: object, ledger: str) -> NoteKey:
    if not isinstance(item, str):
        raise Malformed("trust file: a log key must be a text")
    key = NoteKey(item)
    if key.name != ledger or key.type != ED25519:
        raise Malformed(f"trust file: {item} is not a log key of ledger '{ledger}'")
    return key


def _check_distinct(keys: list[NoteKey]) -> None:
    if len({key.key.spki for key in keys}) != len(keys):
        raise Malformed("trust file: the same log key stands twice")


def _retired(table: dict, ledger: str, log_keys: list[NoteKey]) -> tuple[RetiredKey, ...]:
    items = table.get("retired_log_keys", [])
    if not isinstance(items, list) or len(items) > RETIRED_KEYS_MAX:
        raise Malformed(f"trust file: retired_log_keys must be a list of at most "
                        f"{RETIRED_KEYS_MAX} tables")
    retired = []
    for item in items:
        size = item.get("last_size") if isinstance(item, dict) and len(item) == 2 else None
        if not isinstance(size, int) or isinstance(size, bool) or size < 1 or "key" not in item:
            raise Malformed('trust file: a retired log key wants {key = "...", last_size = N}')
        retired.append(RetiredKey(_log_key(item["key"], ledger), size))
    _check_distinct([*log_keys, *(old.key for old in retired)])
    return tuple(retired)


def _policy(table: dict, read_file: Callable[[str], str]) -> Optional[WitnessPolicy]:
    text = _text(table, "policy")
    if not text:
        return None
    return parse_policy(text if "\n" in text else read_file(text))


def _authorities(table: dict, read_file: Callable[[str], str]) -> tuple[Certificate, ...]:
    text = _text(table, "timestamp_ca")
    if not text:
        return ()
    try:
        return read_pem(text if "\n" in text else read_file(text))
    except Malformed as error:
        raise Malformed(f"trust file: timestamp_ca: {error}") from None


def _maximum_age(table: dict, policy: Optional[WitnessPolicy]) -> int:
    text = _text(table, "maximum_age")
    if not text:
        return 0
    match = re.fullmatch("(0|[1-9][0-9]{0,18})(ms|s|min|h|d)", text)
    age_ms = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 1 <= age_ms <= _AGE_MS_MAX:
        raise Malformed(f"trust file: maximum_age is '{text}', want for example 90s, 15min or 24h")
    if policy is None or not policy.quorum:
        raise Malformed("trust file: maximum_age needs a policy with a quorum")
    return age_ms
