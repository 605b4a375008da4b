"""What was looked at, and how it ended (docs/formats.md section 12)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from typing import Optional

from .subject import Subject, describe


class Outcome(IntEnum):
    """From best to worst. "Proof false" is an accusation and is never said of what is absent."""

    VERIFIED = 0
    NOT_YET_PROVEN = 1
    CANNOT_BE_CHECKED = 2
    PROOF_FALSE = 3

    def __str__(self) -> str:
        return ("verified", "not yet proven", "cannot be checked", "proof false")[self]


EXIT_OK, EXIT_USAGE, EXIT_CANNOT_VERIFY, EXIT_PROOF_FALSE, EXIT_BUG = 0, 2, 3, 6, 70


def utc_text(utc_ms: int) -> str:
    """"2026-11-02T01:30:00.000Z"; the bare number when it is no year from 1 to 9999."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=utc_ms)
    except OverflowError:
        return f"{utc_ms} ms"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def printable(text: str) -> str:
    """Words that come from a bundle must not steer the terminal that shows them."""
    return "".join("?" if c < " " or "\x7f" <= c < "\xa0" else c for c in text)


def value_text(value: bytes) -> str:
    """A disclosed value as text, or else in hexadecimal."""
    try:
        return printable(value.decode("utf-8"))
    except UnicodeDecodeError:
        return "hex:" + value.hex()


@dataclass
class Report:
    """The steps of levels A to D, and what they add up to."""

    ledger: str = ""
    tree_size: int = 0
    witnessed_at_ms: int = 0
    # When an authority of time saw the checkpoint; 0: none is known to have.
    stamped_at_ms: int = 0
    subject: Optional[Subject] = None
    container_ids: list[bytes] = field(default_factory=list)
    as_of_ms: int = 0
    # What the bundle states; it is not recomputed here. Empty: it states none.
    stated_verdict: str = ""
    # Only levels A and B were asked for, though the bundle asks a question.
    evidence_only: bool = False
    # (entry, names of fields, value) of true openings.
    disclosed: list[tuple[int, str, bytes]] = field(default_factory=list)
    steps: list[tuple[str, str, Outcome, str]] = field(default_factory=list)

    def add(self, level: str, id_: str, outcome: Outcome, detail: str) -> None:
        """One thing that was looked at."""
        self.steps.append((level, id_, outcome, detail))

    def level(self, level: str) -> Outcome:
        """The worst outcome of a level; one of which nothing was judged cannot be checked."""
        judged = [o for name, _, o, _ in self.steps
                  if name == level and o != Outcome.NOT_YET_PROVEN]
        if level == "D" and not judged:
            return Outcome.NOT_YET_PROVEN
        return max(judged, default=Outcome.CANNOT_BE_CHECKED)

    @property
    def outcome(self) -> Outcome:
        """The worst of A, B, C and, when a question was asked, D."""
        worst = max(self.level(level) for level in "ABC")
        if self.level("D") != Outcome.NOT_YET_PROVEN:
            worst = max(worst, self.level("D"))
        return worst

    @property
    def exit_code(self) -> int:
        """As `custody verify`: 0 verified, 3 cannot be checked, 6 a proof is false."""
        return {Outcome.VERIFIED: EXIT_OK,
                Outcome.PROOF_FALSE: EXIT_PROOF_FALSE}.get(self.outcome, EXIT_CANNOT_VERIFY)

    def subject_text(self) -> str:
        """The subject of the bundle, for people."""
        return describe(self.subject) if self.subject and self.subject[1] else "none"

    def to_text(self) -> str:
        """One line a step, then the result."""
        lines = [f"{level}  {str(outcome):<17}  {id_:<12} {printable(detail)}"
                 for level, id_, outcome, detail in self.steps]
        names = {"A": "included", "B": "gap-free", "C": "complete", "D": "recomputed"}
        lines += [""] + [f"{level} {name}: {self.level(level)}" for level, name in names.items()]
        lines += [f"result: {self.outcome}", f"subject: {self.subject_text()}"]
        lines += [f"asked about: container {id_.hex()}" for id_ in self.container_ids]
        if self.as_of_ms:
            lines.append(f"as of: {utc_text(self.as_of_ms)}")
        lines += [f"disclosed: entry {index} {name}: {value_text(value)}"
                  for index, name, value in self.disclosed]
        if self.stated_verdict:
            lines.append(f"verdict (stated by the bundle, not recomputed): {self.stated_verdict}")
        return "\n".join(lines) + "\n"

    def to_json(self) -> str:
        """The members of `custody verify --json` that this program knows, of the same meaning."""
        return json.dumps({
            "format_version": 1, "outcome": str(self.outcome), "ledger": self.ledger,
            "tree_size": self.tree_size, "witnessed_at_ms": self.witnessed_at_ms,
            "stamped_at_ms": self.stamped_at_ms,
            "levels": {level: str(self.level(level)) for level in "ABCD"},
            "steps": [{"level": level, "id": id_, "outcome": str(outcome), "detail": detail}
                      for level, id_, outcome, detail in self.steps],
            "subject": self.subject_text(),
            "container_ids": [id_.hex() for id_ in self.container_ids],
            "disclosed": [{"index": index, "field": name, "value": value_text(value)}
                          for index, name, value in self.disclosed],
            "as_of_ms": self.as_of_ms, "stated_verdict": self.stated_verdict,
            "evidence_only": self.evidence_only})
