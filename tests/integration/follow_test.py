#!/usr/bin/env python3
"""A log that is exported as it grows: nothing is lost with the ledger's disk, whoever is killed and when.

    CUSTODY=... CUSTODYD=... PROJECT=... tests/integration/follow_test.py

`custody log export --follow` beside a real daemon. The tests run in the order of their names over one
ledger; the last ones lose its store and restore it from an older backup and the followed export.
"""

import glob
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from ledger_programs import CONFIG, LEDGER, PROJECT, SITE, WORK, custody, custodyd, run, shell, start

MIRROR = WORK + "/mirror"
# Of the promise, about a second; the rest is for busy machines.
CAUGHT_UP_S = 20


def kill_daemon():
    with open(LEDGER + "/custodyd.pid", encoding="ascii") as file:
        os.kill(int(file.read()), signal.SIGKILL)
    os.remove(LEDGER + "/custodyd.pid")


def record_sites(prefix, count):
    path = WORK + "/draft.yaml"
    with open(path, "w", encoding="ascii") as file:
        file.write("---\n".join(SITE % f"{prefix}{i}" for i in range(count)))
    custody("event", "record", path)


def tree_size():
    return int(json.loads(custody("--json", "log", "status").stdout)["tree_size"])


def checkpoint_size(folder):
    """What the checkpoint there says; 0 before there is one."""
    try:
        with open(folder + "/checkpoint", encoding="utf-8") as file:
            return int(file.read().split("\n")[1])
    except FileNotFoundError:
        return 0


def mirror_size():
    return checkpoint_size(MIRROR)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


class Follower:
    """The program, with what it says in files."""

    count = 0

    def __init__(self):
        Follower.count += 1
        self.out, self.err = f"{WORK}/follow{Follower.count}.out", f"{WORK}/follow{Follower.count}.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([os.environ["CUSTODY"], "--json", "--timeout", "2", "log", "export", MIRROR, "--follow"],
                                            cwd=WORK, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def advances(self):
        with open(self.out, encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().splitlines()]

    def said(self, words):
        with open(self.err, encoding="utf-8") as file:
            return file.read().count(words)

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


class Follow(unittest.TestCase):
    follower = None

    def caught_up(self):
        size = tree_size()
        wait_for(lambda: mirror_size() >= size or self.follower.process.poll() is not None, CAUGHT_UP_S)
        self.assertIsNone(self.follower.process.poll())
        return size

    def judge_mirror(self):
        """By both readers: the one in Python shares no line with the writer."""
        custody("audit", MIRROR, "--trust", LEDGER + "/trust.toml")
        if importlib.util.find_spec("cryptography") is None:
            print("SKIPPED: the Python verifier: python3-cryptography is not installed")
            return
        done = subprocess.run([sys.executable, "-m", "custody_verify", "directory", MIRROR, "--trust", LEDGER + "/trust.toml", "--json"],
                              cwd=PROJECT + "/client/python", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads(done.stdout)["tree_size"], mirror_size())

    def test_1_what_is_recorded_is_in_the_mirror_soon(self):
        custody("log", "backup", "old")
        Follow.follower = Follower()
        self.caught_up()
        waits = []
        for i in range(5):
            record_sites(f"soon{i}-", 3)
            size, began = tree_size(), time.monotonic()
            wait_for(lambda size=size: mirror_size() >= size, CAUGHT_UP_S)
            waits.append(time.monotonic() - began)
        print(f"in the mirror after {min(waits):.2f} s to {max(waits):.2f} s")
        # A line comes after what it tells of.
        wait_for(lambda: int(self.follower.advances()[-1]["size"]) == mirror_size())
        advances = self.follower.advances()
        self.assertGreaterEqual(len(advances), 2)
        self.assertEqual(sum(int(one["new_entries"]) for one in advances), mirror_size())
        self.judge_mirror()

    def test_2_a_second_writer_is_refused(self):
        said = custody("log", "export", MIRROR, check=5)
        self.assertIn("another program is writing", said.stdout + said.stderr)

    def test_3_killed_at_any_moment_it_leaves_a_true_log_and_goes_on(self):
        for i in range(8):
            recording = subprocess.Popen([os.environ["CUSTODY"], "event", "record", self.many_sites(i)], cwd=WORK,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            # Somewhere in the first advances of a follower that has just begun.
            time.sleep(0.15 * i)
            self.follower.end(signal.SIGKILL)
            self.judge_mirror()
            Follow.follower = Follower()
            self.assertEqual(recording.wait(timeout=120), 0)
        self.assertGreater(self.caught_up(), 512)
        self.judge_mirror()
        # Nothing of the interrupted ones is left over beyond a partial file or two.
        self.assertLess(len(glob.glob(MIRROR + "/tile/*/*.p/*")), 16)

    def many_sites(self, i):
        path = f"{WORK}/many{i}.yaml"
        with open(path, "w", encoding="ascii") as file:
            file.write("---\n".join(SITE % f"many{i}-{j}" for j in range(60)))
        return path

    def test_4_a_ledger_that_is_away_is_told_once(self):
        before = self.caught_up()
        kill_daemon()
        wait_for(lambda: self.follower.said("trying again") == 1)
        time.sleep(5)
        self.assertEqual(self.follower.said("trying again"), 1)
        start()
        record_sites("back", 2)
        self.assertGreater(self.caught_up(), before)
        wait_for(lambda: self.follower.said("answers again") == 1)
        self.judge_mirror()

    def test_5_a_lost_store_comes_back_to_the_last_entry(self):
        record_sites("last", 5)
        last = tree_size() - 2
        custody("log", "receipt", str(last), "-o", "last.receipt")
        acknowledged = self.caught_up()
        kill_daemon()
        shutil.rmtree(LEDGER + "/data/store")
        self.assertEqual(mirror_size(), acknowledged)
        said = custodyd("restore", "--from", WORK + "/backups/old", check=3)
        self.assertIn("E_ROLLBACK", said.stderr)
        custodyd("restore", "--from", WORK + "/backups/old", "--mirror", MIRROR)
        self.assertEqual(checkpoint_size(LEDGER + "/anchor"), acknowledged)
        start()
        custody("log", "receipt", str(last), "-o", "again.receipt")
        with open(WORK + "/last.receipt", "rb") as before, open(WORK + "/again.receipt", "rb") as again:
            self.assertEqual(again.read(), before.read())
        # The follower, which was there all the time, goes on with the restored ledger.
        record_sites("after", 2)
        self.assertGreater(self.caught_up(), acknowledged)
        self.judge_mirror()

    def test_6_asked_to_stop_it_ends_well(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.caught_up()
            self.assertEqual(self.follower.end(number), 0)
            self.judge_mirror()
            Follow.follower = Follower()
        self.caught_up()
        kill_daemon()
        wait_for(lambda: self.follower.said("trying again") == 1)
        self.assertEqual(self.follower.end(signal.SIGTERM), 0)


if __name__ == "__main__":
    PORT, METRICS_PORT = map(int, subprocess.run(
        [PROJECT + "/tests/support/free_ports", "2"], capture_output=True, text=True, check=True).stdout.split())
    os.environ["CUSTODY_CONFIG_DIR"] = LEDGER + "/config"
    os.environ["PATH"] = ":".join([os.path.dirname(os.environ["CUSTODY"]), os.path.dirname(os.environ["CUSTODYD"]),
                                   os.environ["PATH"]])
    os.environ["NO_COLOR"] = "1"
    try:
        shell(f"make_signers {LEDGER} {PORT} --unencrypted; make_entry0 {LEDGER} {PORT} {METRICS_PORT}")
        with open(CONFIG, "a", encoding="ascii") as config:
            config.write(f'\n[backup]\ndirectory = "{WORK}/backups"\n')
        os.environ["CUSTODY_PASSPHRASE_FILE"] = LEDGER + "/passphrase"
        start()
        unittest.main(verbosity=2, failfast=True)
    finally:
        if Follow.follower is not None:
            Follow.follower.process.kill()
        shell(f"stop_daemon {LEDGER}")
        shutil.rmtree(WORK, ignore_errors=True)
