#!/usr/bin/env python3
"""Every test that docs/lessons.md names exists."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/lessons.md"
TEST = re.compile(r"\b(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+),\s*(\w+)")


def main():
    sources = subprocess.run(["git", "ls-files", "tests/*.cc"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout.split()
    known = set()
    for name in sources:
        for suite, test in TEST.findall((ROOT / name).read_text()):
            known.add(f"{suite}.{test}")
    named = re.findall(r"`([A-Z]\w+\.\w+)`", (ROOT / PAGE).read_text())
    missing = sorted(set(named) - known)
    for name in missing:
        print(f"{PAGE}: there is no test {name}")
    return 1 if missing or not named else 0


if __name__ == "__main__":
    sys.exit(main())
