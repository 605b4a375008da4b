"""Judges a bundle (.custody file), trusting nothing but trust.toml (docs/formats.md section 10)."""

from __future__ import annotations

from typing import Optional

from . import chains, complete, inclusion, openings, subject, timestamp
from .contents import Contents, parse_bundle
from .errors import Malformed
from .report import Outcome, Report
from .schema import enum_name
from .subject import Subject, describe
from .trust import Trust
from .wire import Message

_VERDICT_PREFIX = "VERDICT_VALUE_"


def verify_bundle(data: bytes, trust: Trust, now_ms: int, asked: Optional[Subject] = None,
                  evidence_only: bool = False, named_timestamp: bytes = b"") -> Report:
    """The report about a bundle.

    asked            the subject that the reader means; a bundle about another one cannot be checked
    evidence_only    judges the evidence alone, although the bundle asks for a verdict
    named_timestamp  an answer of a time stamp authority over the checkpoint that the reader brings;
                     empty: the one in the bundle is judged, if there is one

    Raises Malformed if the bytes are no bundle: there is nothing to judge.
    """
    bundle = parse_bundle(data)
    report = Report(ledger=trust.ledger, evidence_only=evidence_only,
                    subject=subject.key_of(bundle.message("subject")),
                    container_ids=bundle.message("request").items("container_ids"),
                    as_of_ms=bundle.message("verdict").number("as_of_ms"),
                    stated_verdict=_stated(bundle))
    if bundle.text("ledger") != trust.ledger:
        report.add("A", "ledger", Outcome.CANNOT_BE_CHECKED,
                   f"the bundle is of ledger '{bundle.text('ledger')}', the trust file is for "
                   f"'{trust.ledger}'")
        return report
    contents = Contents(bundle)
    try:
        contents.read()
    except Malformed as error:
        report.add("A", "entries", Outcome.PROOF_FALSE, str(error))
        return report
    report.add("A", "entries", Outcome.VERIFIED,
               f"{len(contents.leaves)} entries, strictly encoded and in order")
    inclusion.judge(contents, trust, now_ms, report)
    timestamp.judge(named_timestamp, bundle.data("timestamp"),
                    bundle.text("checkpoint").encode("utf-8"), trust, report)
    chains.judge(contents, trust, report)
    openings.judge(contents, report)
    if asked is not None:
        _judge_asked(bundle, asked, report)
    complete.judge(contents, report)
    _judge_verdict(bundle, report)
    return report


def _stated(bundle: Message) -> str:
    if not bundle.has("verdict"):
        return ""
    name = enum_name("VerdictValue", bundle.message("verdict").number("value"))
    return name.removeprefix(_VERDICT_PREFIX)


def _judge_asked(bundle: Message, asked: Subject, report: Report) -> None:
    about = subject.key_of(bundle.message("subject"))
    good = about == asked
    report.add("B", "subject", Outcome.VERIFIED if good else Outcome.CANNOT_BE_CHECKED,
               f"the bundle is about {report.subject_text()}"
               + ("" if good else f", asked was {describe(asked)}"))


def _judge_verdict(bundle: Message, report: Report) -> None:
    """Level D needs the rules, which only `custody verify` has: it is never said to hold here."""
    if not bundle.message("request").items("container_ids"):
        if bundle.has("verdict"):
            report.add("D", "verdict", Outcome.PROOF_FALSE,
                       "a verdict without the question that it answers")
        else:
            report.add("D", "verdict", Outcome.NOT_YET_PROVEN, "the bundle asks no question")
        return
    stated = f"the bundle states {report.stated_verdict}" if report.stated_verdict \
        else "the bundle states no verdict"
    report.add("D", "verdict",
               Outcome.NOT_YET_PROVEN if report.evidence_only else Outcome.CANNOT_BE_CHECKED,
               f"{stated}; this program has no rules to recompute it, `custody verify` has")
