"""Judges a whole log that was exported as a C2SP tlog-tiles folder (docs/formats.md section 7.4).

With every entry at hand nothing has to be proven from outside: the tree, every tile, every chain,
every signature and the index root of every seal are computed again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

from . import chains, index, inclusion, merkle
from .contents import Contents, decode_entry
from .errors import Malformed
from .event import parse_signed_event
from .note import Checkpoint
from .report import Outcome, Report
from .schema import message_type
from .subject import describe
from .trust import Trust
from .wire import Message

TILE_WIDTH = 256
LEVELS = 8
NOTE_BYTES_MAX = 1 << 20


def verify_directory(folder: Path, trust: Trust, now_ms: int) -> Report:
    """The report about a folder; every entry is held in memory.

    Raises Malformed if the folder has no checkpoint: there is nothing to judge.
    """
    report = Report(ledger=trust.ledger)
    note = _read(folder / "checkpoint")
    if not 1 <= len(note) <= NOTE_BYTES_MAX:
        raise Malformed(f"{folder} has no checkpoint")
    checkpoint = inclusion.judge_checkpoint(note, trust, now_ms, report)
    if checkpoint is None:
        return report
    contents = Contents(Message(message_type("Bundle"), b""))
    try:
        _read_entries(folder, checkpoint.size, contents)
    except Malformed as error:
        report.add("A", "entries", Outcome.PROOF_FALSE, str(error))
        return report
    report.add("A", "entries", Outcome.VERIFIED,
               f"{len(contents.leaves)} entries, strictly encoded and in order")
    _tiles(folder, checkpoint, contents, report)
    inclusion.judge_beginning(contents, trust, report)
    _list_chains(contents, trust)
    chains.judge(contents, trust, report)
    _seals(contents, trust, report)
    return report


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def tile_path(kind: str, number: int, width: int) -> str:
    """"tile/0/x001/234" or "tile/entries/000.p/17"."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{kind}/" + "/".join(groups) + ("" if width == TILE_WIDTH else f".p/{width}")


def _places(size: int) -> Iterator[tuple[int, int]]:
    """Number and width of each tile of a level with `size` hashes."""
    for number in range(0, (size + TILE_WIDTH - 1) // TILE_WIDTH):
        yield number, min(TILE_WIDTH, size - number * TILE_WIDTH)


def _read_entries(folder: Path, size: int, contents: Contents) -> None:
    for number, width in _places(size):
        path = tile_path("entries", number, width)
        data, at = _read(folder / path), 0
        for place in range(width):
            length = int.from_bytes(data[at:at + 2], "big")
            entry = data[at + 2:at + 2 + length]
            at += 2 + length
            where = number * TILE_WIDTH + place
            if not entry or at > len(data):
                raise Malformed(f"{path} lacks entry {where}")
            try:
                contents.take(decode_entry(entry, where))
            except Malformed as error:
                raise Malformed(f"entry {where}: {error}") from None
        if at != len(data):
            raise Malformed(f"{path} goes on behind its entries")


def _tiles(folder: Path, checkpoint: Checkpoint, contents: Contents, report: Report) -> None:
    """Steps "tiles" and "inclusion"."""
    hashes = [leaf.leaf_hash for leaf in contents.leaves]
    root = merkle.root_of(hashes)
    good = root == checkpoint.root
    report.add("A", "inclusion", Outcome.VERIFIED if good else Outcome.PROOF_FALSE,
               f"all {len(hashes)} entries are in the log" if good else
               f"the entries lead to root {root.hex()}, the checkpoint has {checkpoint.root.hex()}")
    level, count = 0, 0
    while hashes and level < LEVELS:
        for number, width in _places(len(hashes)):
            path = tile_path(str(level), number, width)
            begin = number * TILE_WIDTH
            if _read(folder / path) != b"".join(hashes[begin:begin + width]):
                report.add("A", "tiles", Outcome.PROOF_FALSE,
                           f"{path} is not what the entries give")
                return
            count += 1
        full = len(hashes) // TILE_WIDTH
        hashes = [merkle.root_of(hashes[n * TILE_WIDTH:(n + 1) * TILE_WIDTH]) for n in range(full)]
        level += 1
    report.add("A", "tiles", Outcome.VERIFIED, f"{count} tiles are what the entries give")


def _list_chains(contents: Contents, trust: Trust) -> None:
    """The chains as the events themselves name them."""
    for leaf in contents.leaves:
        if not leaf.entry.has("signed_event"):
            continue
        try:
            event = parse_signed_event(leaf.entry.message("signed_event"), trust.ledger)
        except Malformed:
            continue  # The judgement of the chains says so.
        for touched in event.subjects:
            contents.chains.setdefault(touched, []).append(leaf.index)


def _seals(contents: Contents, trust: Trust, report: Report) -> None:
    """Level C: every seal holds the index of all that was before it."""
    tree, counts, seals = index.Tree(), {}, 0
    for leaf in contents.leaves:
        if leaf.entry.has("seal"):
            seal, seals = leaf.entry.message("seal"), seals + 1
            stated = (seal.data("index_root"), seal.number("subject_count"))
            if stated != (tree.root(), len(counts)):
                report.add("C", "seals", Outcome.PROOF_FALSE,
                           f"seal {leaf.index} has another index than that of the entries before it")
                return
            continue
        try:
            event = parse_signed_event(leaf.entry.message("signed_event"), trust.ledger)
        except Malformed as error:
            report.add("C", "seals", Outcome.CANNOT_BE_CHECKED,
                       f"entry {leaf.index} cannot be read: {error}")
            return
        for touched in event.subjects:
            counts[touched] = counts.get(touched, 0) + 1
            tree.put(index.Leaf(index.key_of(touched), counts[touched], leaf.leaf_hash))
    if not contents.leaves[-1].entry.has("seal"):
        report.add("C", "seals", Outcome.PROOF_FALSE, "the last entry is no seal")
        return
    newest = max(contents.chains, key=lambda key: contents.chains[key][-1], default=None)
    report.add("C", "seals", Outcome.VERIFIED,
               f"{seals} seals, each over the index of all entries before it; {len(counts)} subjects"
               + (f", the newest entry is about {describe(newest)}" if newest else ""))
