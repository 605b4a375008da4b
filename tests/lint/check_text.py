#!/usr/bin/env python3
"""Rules of style that no compiler knows: sizes, banned words, opening comments of headers."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

LIMITS = {".h": 300, ".cc": 500}
TEST_LIMIT = 600

# pattern, where it is allowed, what to do instead
BANNED = [
    (r"\bstd::endl\b", (), "write '\\n'"),
    (r"\b(rand|srand)\s*\(", (), "use crypto/random.h"),
    (r"system_clock::now|absl::Now\(", ("daemon/ledger/clock", "client/", "crypto/", "tests/",
                                       "daemon/"), "take the time as a parameter"),
    (r"\bgetenv\s*\(", ("daemon/config", "client/cli/", "tests/", "daemon/systemd",
                         "daemon/ledger/crash_point"), "read it in the configuration"),
    (r"\bstd::thread\b", ("daemon/", "client/", "tests/"), "threads belong to the daemon"),
    (r"\b(FIXME|XXX|HACK)\b", (), "mend it, or write TODO(#issue)"),
    (r"\bTODO\b(?!\(#\d+\))", (), "name an issue: TODO(#123)"),
    (r"\babsl::Mutex\b", (), "use base/mutex.h (the thread sanitizer understands it)"),
    (r"\bstd::(\w+_)?(mutex|lock|condition_variable\w*)\b|\bstd::lock_guard\b",
     ("base/mutex", "tests/unit/", "tests/integration/", "tests/conformance/", "tests/property/",
      "tests/support/fake_ledger_server"), "use base/mutex.h (clang checks it)"),
]
BANNED_NAMES = re.compile(r"(^|_)(util|utils|common|misc|helper|helpers)(_|\.|$)")


def check(name, errors):
    path = ROOT / name
    text = path.read_text()
    lines = text.split("\n")
    suffix = path.suffix
    limit = TEST_LIMIT if name.startswith("tests/") else LIMITS[suffix]
    if len(lines) > limit and "check_text: long because" not in text:
        errors.append(f"{name}: {len(lines)} lines, the limit is {limit}")
    if BANNED_NAMES.search(path.name):
        errors.append(f"{name}: name the file after its one idea")
    if suffix == ".h":
        if not text.startswith("// "):
            errors.append(f"{name}: a header opens with a comment that says what it is for")
        if "using namespace" in text:
            errors.append(f"{name}: 'using namespace' in a header")
        guard = "CUSTODY_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper() + "_"
        guard = guard.replace("CUSTODY_CLIENT_INCLUDE_CUSTODY_", "CUSTODY_CLIENT_")
        if guard not in text:
            errors.append(f"{name}: the include guard is not {guard}")
    for number, line in enumerate(lines, 1):
        if len(line) > 100 and "http" not in line:
            errors.append(f"{name}:{number}: line of {len(line)} characters")
        for pattern, allowed, remedy in BANNED:
            if re.search(pattern, line) and not name.startswith(tuple(allowed) or ("\0",)):
                errors.append(f"{name}:{number}: {pattern}: {remedy}")


def main():
    files = subprocess.run(["git", "ls-files", "*.cc", "*.h"], cwd=ROOT, capture_output=True,
                           text=True, check=True).stdout.split()
    errors = []
    for name in files:
        check(name, errors)
    for error in errors:
        print(error, file=sys.stderr)
    print(f"text: {len(files)} files, {len(errors)} violations")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
