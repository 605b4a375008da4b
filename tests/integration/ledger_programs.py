"""A development ledger in a folder of its own and the real programs, for tests in Python.

Reads CUSTODY, CUSTODYD and PROJECT from the environment; makes nothing but an empty folder.
"""

import os
import subprocess
import tempfile

PROJECT = os.environ["PROJECT"]
WORK = tempfile.mkdtemp()
LEDGER = WORK + "/ledger"
CONFIG = LEDGER + "/custodyd.toml"
SITE = """event: SiteRegistered
sign: [administrator]
body: {site_id: "@+site/%s", organisation: Example, country: TH, time_zone: Asia/Bangkok, functions: [PROCUREMENT]}
"""


def run(*words, check=None):
    done = subprocess.run(words, cwd=WORK, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if check is not None and done.returncode != check:
        raise AssertionError(f"{words}: exit {done.returncode}, want {check}\n{done.stdout}\n{done.stderr}")
    return done


def custody(*words, check=0):
    return run(os.environ["CUSTODY"], *words, check=check)


def custodyd(*words, check=0):
    return run(os.environ["CUSTODYD"], words[0], "--config", CONFIG, *words[1:], check=check)


def shell(script):
    done = subprocess.run(["bash", "-c", "set -euo pipefail; . deploy/quickstart.d/ledger.sh; " + script],
                          cwd=PROJECT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stdout}\n{done.stderr}")


def start():
    shell(f"start_daemon {LEDGER}")
