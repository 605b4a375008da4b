"""The command: python3 -m custody_verify bundle|receipt|directory|timestamp ... --trust FILE."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Optional, Sequence

from . import subject
from .bundle import verify_bundle
from .contents import BUNDLE_BYTES_MAX
from .directory import verify_directory
from .errors import Malformed
from .receipt import verify_receipt
from .report import EXIT_BUG, EXIT_USAGE, Outcome, printable
from .timestamp import judge_checkpoint
from .trust import read_trust

EPILOG = ("Exit 0 verified, 2 wrong command line or file, 3 cannot be checked (also: the bundle asks "
          "for a verdict, which this program cannot recompute; see --evidence-only), 6 a proof is "
          "false.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="custody_verify", description=__doc__, epilog=EPILOG)
    commands = parser.add_subparsers(dest="command", required=True)
    bundle = commands.add_parser("bundle", help="judge a .custody file", epilog=EPILOG)
    bundle.add_argument("--subject", help="what the bundle must be about, for example "
                        "container:<32 hexadecimal digits>")
    bundle.add_argument("--evidence-only", action="store_true",
                        help="judge the evidence; say nothing about the verdict")
    bundle.add_argument("--timestamp", metavar="FILE", type=Path,
                        help="answer of a time stamp authority (RFC 3161) over its checkpoint "
                        "(default: the one that the bundle carries)")
    receipt = commands.add_parser("receipt", help="judge the receipt of an entry", epilog=EPILOG)
    directory = commands.add_parser(
        "directory", help="judge a whole log, as `custody log export` writes it", epilog=EPILOG)
    directory.add_argument("folder", type=Path)
    timestamp_ = commands.add_parser(
        "timestamp", help="judge an answer of a time stamp authority over a checkpoint",
        epilog=EPILOG)
    for command in (bundle, receipt, timestamp_):
        command.add_argument("file", help="the file, or -")
    timestamp_.add_argument("answer", type=Path, help="answer of the authority (.tsr)")
    for command in (bundle, receipt, directory, timestamp_):
        command.add_argument("--trust", required=True, type=Path, help="your own trust.toml")
        command.add_argument("--json", action="store_true", help="for programs")
    return parser


def _read(name: str | Path) -> bytes:
    if str(name) == "-":
        return sys.stdin.buffer.read(BUNDLE_BYTES_MAX + 1)
    with open(name, "rb") as stream:
        return stream.read(BUNDLE_BYTES_MAX + 1)


def _bundle(options: argparse.Namespace) -> int:
    trust = read_trust(options.trust)
    asked = subject.parse(options.subject) if options.subject else None
    named = _read(options.timestamp) if options.timestamp else b""
    if options.timestamp and not named:
        raise Malformed(f"{options.timestamp} is empty")
    report = verify_bundle(_read(options.file), trust, time.time_ns() // 1_000_000, asked,
                           options.evidence_only, named)
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def _directory(options: argparse.Namespace) -> int:
    report = verify_directory(options.folder, read_trust(options.trust),
                              time.time_ns() // 1_000_000)
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def _receipt(options: argparse.Namespace) -> int:
    trust = read_trust(options.trust)
    leaf, report = verify_receipt(_read(options.file), trust)
    # A receipt has one level: included.
    outcome = report.level("A")
    if options.json:
        print(json.dumps({"format_version": 1, "outcome": str(outcome), "ledger": report.ledger,
                          "index": leaf.index, "leaf_hash": leaf.leaf_hash.hex(),
                          "tree_size": report.tree_size}))
    else:
        print(f"entry {leaf.index}: {outcome}")
        for _, id_, step, detail in report.steps:
            print(f"{id_}: {step}: {detail}")
    return {Outcome.VERIFIED: 0, Outcome.PROOF_FALSE: 6}.get(outcome, 3)


def _timestamp(options: argparse.Namespace) -> int:
    trust = read_trust(options.trust)
    outcome, detail, stamp = judge_checkpoint(_read(options.file), _read(options.answer), trust)
    if options.json:
        print(json.dumps({"format_version": 1, "outcome": str(outcome), "detail": detail,
                          "stamped_at_ms": stamp.utc_ms if stamp else 0,
                          "accuracy_ms": stamp.accuracy_ms if stamp else 0,
                          "authority": stamp.authority if stamp else ""}))
    else:
        print(f"{outcome}: {printable(detail)}")
    return {Outcome.VERIFIED: 0, Outcome.PROOF_FALSE: 6}.get(outcome, 3)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs a command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        judge = {"bundle": _bundle, "receipt": _receipt, "directory": _directory,
                 "timestamp": _timestamp}
        return judge[options.command](options)
    except (Malformed, OSError) as error:
        print(f"custody_verify: {error}", file=sys.stderr)
        return EXIT_USAGE
    except Exception as error:  # pylint: disable=broad-except
        print(f"custody_verify: a fault of ours: {error!r}", file=sys.stderr)
        return EXIT_BUG


if __name__ == "__main__":
    sys.exit(main())
