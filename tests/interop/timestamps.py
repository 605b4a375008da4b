#!/usr/bin/env python3
"""Do `custody` and the Python verifier conclude alike about time stamps?

timestamps.py CUSTODY BUNDLE TRUST [STEP]

Asks both about every case of client/python/tests/stamps.py, and about a good answer with one bit of
every STEP-th byte flipped (11; 0: every bit of every byte, some minutes). TRUST names no authority
of time. Prints where they differ; exit 0 if they never do.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client" / "python"))

from custody_verify.contents import parse_bundle  # noqa: E402
from custody_verify.timestamp import judge_checkpoint  # noqa: E402
from custody_verify.trust import Trust, read_trust  # noqa: E402
from tests import stamps  # noqa: E402

OUTCOMES = {0: stamps.VERIFIED, 3: stamps.UNKNOWN, 6: stamps.FALSE}


class Both:
    """The two judges, about the checkpoint of one bundle."""

    def __init__(self, custody: str, bundle: str, trust: str, folder: Path) -> None:
        self._custody, self._bundle, self._folder = custody, bundle, folder
        self._trust = Path(trust).read_text(encoding="utf-8")
        self._bytes = Path(bundle).read_bytes()
        self.checkpoint = parse_bundle(self._bytes).text("checkpoint").encode("utf-8")

    def trust(self, authorities: str) -> Path:
        """A file that trusts them as authorities of time."""
        path = self._folder / "stamps.toml"
        path.write_text(f'{self._trust}\ntimestamp_ca = """\n{authorities}"""\n', encoding="utf-8")
        return path

    def ask(self, name: str, response: bytes, trust_file: Path, trust: Trust) -> tuple[str, str]:
        """(outcome by custody, outcome by Python)."""
        path = self._folder / f"{name}.tsr"
        path.write_bytes(response)
        code = subprocess.run(
            [self._custody, "timestamp", "check", self._bundle, path, "--trust", trust_file],
            env={**os.environ, "CUSTODY_CONFIG_DIR": "/nonexistent"}, capture_output=True,
            check=False).returncode
        path.unlink()
        outcome, _, _ = judge_checkpoint(self._bytes, response, trust)
        return OUTCOMES.get(code, f"exit {code}"), str(outcome)


def compare_cases(both: Both, folder: Path) -> tuple[int, int]:
    """(how many, how many were not judged as they must be)."""
    count = bad = 0
    for case in stamps.cases(folder, both.checkpoint):
        count += 1
        trust_file = both.trust(case.authorities)
        said = both.ask("case", case.response, trust_file, read_trust(trust_file))
        if said != (case.outcome, case.outcome):
            bad += 1
            print(f"{case.name}: custody says {said[0]}, Python {said[1]}, want {case.outcome}")
    return count, bad


def flips(size: int, step: int) -> list[tuple[int, int]]:
    """(byte, bit) of each damage."""
    if step == 0:
        return [(at, bit) for at in range(size) for bit in range(8)]
    return [(at, (at // step) % 8) for at in range(0, size, step)]


def compare_flips(both: Both, folder: Path, step: int) -> tuple[int, int]:
    """(how many, how many were judged differently)."""
    good, authorities = stamps.by_openssl_ts(folder, both.checkpoint)
    trust_file = both.trust(authorities)
    trust = read_trust(trust_file)

    def ask(flip: tuple[int, int]) -> tuple[str, str]:
        at, bit = flip
        damaged = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1:]
        return both.ask(f"{at}-{bit}", damaged, trust_file, trust)

    work, bad, seen = flips(len(good), step), 0, set()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for (at, bit), said in zip(work, pool.map(ask, work)):
            seen.add(said[0])
            if said[0] != said[1]:
                bad += 1
                print(f"byte {at}, bit {bit}: custody says {said[0]}, Python {said[1]}")
    if seen != set(OUTCOMES.values()):
        print(f"the sample shows only {sorted(seen)}")
        bad += 1
    return len(work), bad


def main() -> int:
    step = int(sys.argv[4]) if len(sys.argv) > 4 else 11
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        both = Both(*sys.argv[1:4], folder)
        cases, bad_cases = compare_cases(both, folder)
        damaged, bad_flips = compare_flips(both, folder, step)
    print(f"{cases} stamps, {damaged} damaged ones; {bad_cases + bad_flips} judged wrongly")
    return 1 if bad_cases or bad_flips else 0


if __name__ == "__main__":
    sys.exit(main())
