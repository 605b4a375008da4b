#!/usr/bin/env python3
"""Fails when a file includes something that its layer may not use.

The table is the one of the README: lower layers first. A folder may include itself, the folders it
lists, generated protobuf headers where it says so, and the system headers it owns.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder -> folders of the project that it may include. The longest matching folder decides.
ALLOWED = {
    "base": [],
    "crypto": ["base"],
    "storage": ["base"],
    "lifecycle/labels": ["base"],
    "lifecycle": ["base", "crypto", "lifecycle/labels", "proto"],
    "daemon/ledger": ["base", "crypto", "storage", "lifecycle", "proto"],
    "daemon/http": ["base"],
    "daemon/witness": ["base", "crypto", "storage", "lifecycle", "daemon", "daemon/http",
                       "daemon/audit", "client", "client/verify", "proto"],
    "daemon/witnessing": ["base", "crypto", "storage", "lifecycle", "daemon/ledger", "daemon/http",
                          "daemon", "proto"],
    "daemon/services": ["base", "crypto", "storage", "lifecycle", "lifecycle/labels",
                        "daemon/ledger", "daemon/witnessing", "daemon", "proto", "grpc"],
    # A program above the client library; of the daemon it has settings, log and signals only.
    "daemon/gateway": ["base", "crypto", "daemon", "client", "client/verify", "proto", "grpc"],
    "daemon": ["base", "crypto", "storage", "lifecycle", "daemon/ledger", "daemon/services",
               "daemon/witnessing", "proto", "grpc"],
    "daemon/audit": ["base", "crypto", "storage", "lifecycle", "daemon/ledger", "client/verify",
                     "proto"],
    "client/verify": ["base", "crypto", "lifecycle", "proto"],
    "client/draft": ["base", "crypto", "lifecycle", "proto"],
    "client/cli": ["base", "crypto", "storage", "lifecycle", "client", "client/draft",
                   "client/verify", "daemon/audit", "daemon/http", "proto", "grpc"],
    "client": ["base", "crypto", "lifecycle", "client/verify", "proto", "grpc"],
    "docs": ["base", "lifecycle", "proto"],
}

# Foreign headers by the only folders that may see them.
FOREIGN = {
    r"openssl/": ["crypto"],
    r"p11-kit/": ["crypto"],
    r"rocksdb/": ["storage"],
    r"grpc": ["daemon/services", "daemon", "client"],
    r"CLI/": ["client/cli", "daemon"],
    r"toml\+\+|toml\.hpp": ["client/cli", "client/verify", "daemon"],
    r"spdlog/|prometheus/": ["daemon"],
    r"boost/": ["daemon/gateway", "daemon/http"],
    r"nlohmann/|yaml-cpp/": ["client/cli", "client/draft", "daemon"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def folder_of(path, table):
    best = None
    for folder in table:
        if path == folder or path.startswith(folder + "/"):
            if best is None or len(folder) > len(best):
                best = folder
    return best


def main():
    files = subprocess.run(["git", "ls-files", "*.cc", "*.h"], cwd=ROOT, capture_output=True,
                           text=True, check=True).stdout.split()
    errors = []
    for name in files:
        if name.startswith("tests/"):
            continue
        folder = folder_of(name, ALLOWED)
        if folder is None:
            errors.append(f"{name}: stands in no layer (tests/lint/check_layers.py)")
            continue
        allowed = ALLOWED[folder] + [folder]
        for _, header in INCLUDE.findall((ROOT / name).read_text()):
            if header.startswith("custody/v1/"):
                if header.endswith(".grpc.pb.h"):
                    if "grpc" not in allowed:
                        errors.append(f"{name}: {folder} may not use gRPC ({header})")
                elif "proto" not in allowed:
                    errors.append(f"{name}: {folder} may not use the messages ({header})")
                continue
            for pattern, owners in FOREIGN.items():
                if re.match(pattern, header) and not any(
                        folder == o or folder.startswith(o + "/") for o in owners):
                    errors.append(f"{name}: only {', '.join(owners)} may include {header}")
            target = folder_of(header, ALLOWED)
            if header.startswith("custody/"):
                target = "client"
            if target is not None and target not in allowed:
                errors.append(f"{name}: {folder} may not include {target} ({header})")
    for error in errors:
        print(error, file=sys.stderr)
    print(f"layers: {len(files)} files, {len(errors)} violations")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
