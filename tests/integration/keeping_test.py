#!/usr/bin/env python3
"""A bit that flips on the disk of a running ledger: found, contained, repaired, with the real programs.

    CUSTODY=... CUSTODYD=... WITNESS=... PROJECT=... tests/integration/keeping_test.py

Two vials of one lot lie at the clinic. One bit of the block that holds an entry about the first vial is
flipped on the disk while the daemon serves. The tests run in the order of their names over one ledger.
"""

import json
import os
import re
import shutil
import subprocess
import time
import unittest
import urllib.request

from ledger_programs import CONFIG, LEDGER, PROJECT, SITE, WORK, custody, custodyd, run, shell, start

STORE = LEDGER + "/data/store"
STORY = PROJECT + "/deploy/quickstart.d/story"
MOVED = """event: Moved
site: "@site/clinic"
sign: [pharmacist-a]
body: {from_device_id: "@device/%s", device_id: "@device/%s", places: [{container_id: "@vial/%d", position: B%d, out_of_cold_ms: 1s}]}
"""
# The first vial gets a tank of its own, so that nothing about it touches what the second rests on.
SPARE_TANK = """event: DeviceRegistered
sign: [administrator]
body:
  device:
    device_id: "@+device/tank-spare"
    device_type: STORAGE
    site_id: "@site/clinic"
    serial: SPARE-1
---
event: DeviceCalibrated
sign: [quality]
body: {device_id: "@device/tank-spare", calibrated_at_ms: now-300d, valid_to_ms: now+300d, certificate: "@file:%s/deploy/quickstart.d/documents/CAL-TANK-CLINIC.txt"}
"""
TANKS = {1: "tank-spare", 2: "tank-clinic"}


def custody_json(*words, check=0):
    return json.loads(custody("--json", *words, check=check).stdout)


def stop():
    shell(f"stop_daemon {LEDGER}")


def record(text, check=0):
    path = WORK + "/draft.yaml"
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return custody("event", "record", path, check=check)


def move(vial, position, check=0, source=None):
    return record(MOVED % (source or TANKS[vial], TANKS[vial], vial, position), check=check)


def record_sites(prefix, count):
    record("---\n".join(SITE % f"{prefix}{i}" for i in range(count)))


def dose(vial, check):
    return custody_json("dose", "verify", f"@vial/{vial}", "--stage", "RESERVE", "--site", "@site/clinic", check=check)


def status():
    return json.loads(run(os.environ["CUSTODY"], "--json", "log", "status").stdout)


def set_scrub_rate(entries_per_second_max):
    with open(CONFIG, encoding="utf-8") as file:
        text = re.sub(r"entries_per_second_max = \d+", f"entries_per_second_max = {entries_per_second_max}", file.read())
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(text)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def damaged_by(probe, name, offset):
    """Which entries a flip there damages, found out on a copy of the store."""
    path = f"{probe}/store/{name}"
    flip(path, offset)
    report = json.loads(run(os.environ["CUSTODYD"], "scrub", "--config", CONFIG, "--set",
                            "ledger.data_directory=" + probe, "--set", f"ledger.anchor_file={LEDGER}/anchor/checkpoint",
                            "--json").stdout)
    flip(path, offset)
    return sorted(int(one["where"].split()[1]) for one in report["damage"] if one["where"].startswith("entry "))


def place_of(entry, backup):
    """The table file and the offset of the block that holds the entry. Entries lie in their order."""
    probe = WORK + "/probe"
    shutil.rmtree(probe, ignore_errors=True)
    shutil.copytree(backup, probe)
    for name in sorted(os.listdir(probe + "/store"), reverse=True):
        if not name.endswith(".sst"):
            continue
        low, high = 0, os.path.getsize(f"{probe}/store/{name}")
        while high - low > 64:
            middle = (low + high) // 2
            damaged = damaged_by(probe, name, middle)
            if entry in damaged:
                return name, middle, damaged
            # Behind the entries lie filters and the index, without which nothing can be read.
            if damaged and max(damaged) < entry:
                low = middle
            else:
                high = middle
    raise AssertionError(f"no block holds entry {entry}")


class Keeping(unittest.TestCase):
    entry = 0
    others = []
    receipts = []

    def test_1_a_bit_that_flips_under_a_running_daemon_is_found(self):
        record(SPARE_TANK % PROJECT)
        move(1, 0, source="tank-clinic")
        record_sites("before", 12)
        move(1, 1)
        Keeping.entry = max(int(one["index"]) for one in custody_json("event", "list", "container:@vial/1", "--limit", "500"))
        record_sites("after", 12)
        move(2, 2)
        # Beyond the last full tile an entry is read at start, and a start finds it.
        size = int(status()["tree_size"])
        if size // 256 == Keeping.entry // 256:
            record_sites("further", (256 - size % 256) // 2 + 4)
        dose(1, check=0)
        dose(2, check=0)
        custody("log", "export", "export")
        custody("log", "backup", "nightly")
        for index in (Keeping.entry, 3, 40):
            custody("log", "receipt", str(index), "-o", f"{index}.receipt")
        self.assertEqual(custody_json("log", "scrub").get("damaged", []), [])

        name, offset, Keeping.others = place_of(Keeping.entry, WORK + "/backups/nightly")
        flip(f"{STORE}/{name}", offset)
        wait_for(lambda: f"entry {Keeping.entry}" in [one["where"] for one in status()["scrub"].get("damage", [])])
        with open(LEDGER + "/custodyd.log", encoding="utf-8") as log:
            text = log.read()
        self.assertIn("the store is damaged", text)
        self.assertIn(f"entry {Keeping.entry}", text)

    def test_2_it_is_degraded_and_not_down(self):
        self.assertEqual(status()["mode"], "serving")
        self.assertIn("E_DAMAGED", status()["mode_reason"])
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS_PORT}/healthz", timeout=10) as answer:
            self.assertIn("serving degraded", answer.read().decode())
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS_PORT}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        count = [line for line in metrics.splitlines() if line.startswith("custody_damaged_places")]
        self.assertGreater(float(count[0].split()[1]), 0)

    def test_3_what_rests_on_it_is_held_back_and_the_rest_is_served(self):
        self.held_back()

    def held_back(self):
        verdict = dose(1, check=3)
        self.assertEqual(verdict["value"], "CANNOT_VERIFY")
        checks = [one for one in verdict["checks"] if one.get("code") == "E_DAMAGED"]
        self.assertIn("custodyd repair", checks[0]["remedy"])
        self.assertIn(Keeping.entry, [int(index) for one in checks for index in one["evidence"]])
        dose(2, check=0)
        for words in (("subject", "show", "container:@vial/1"), ("event", "list", "container:@vial/1"),
                      ("event", "show", str(Keeping.entry)), ("trace", "back", "container:@vial/1")):
            said = custody(*words, check=3)
            self.assertIn("E_DAMAGED", said.stdout + said.stderr)
        custody("event", "show", "1")
        custody("subject", "show", "container:@vial/2")
        said = move(1, 3, check=1)
        self.assertIn("E_DAMAGED", said.stdout + said.stderr)
        move(2, 4)
        record_sites(f"meanwhile{time.monotonic_ns()}-", 1)

    def test_4_a_restart_does_not_forget_it(self):
        stop()
        start()
        self.held_back()
        stop()

    def test_5_a_forged_entry_is_not_put_back(self):
        forged = WORK + "/forged"
        shutil.copytree(WORK + "/export", forged)
        bundle = f"{forged}/tile/entries/{Keeping.entry // 256:03d}"
        with open(bundle, "rb") as file:
            data = bytearray(file.read())
        at = 0
        for _ in range(Keeping.entry % 256):
            at += 2 + int.from_bytes(data[at:at + 2], "big")
        data[at + 2 + int.from_bytes(data[at:at + 2], "big") // 2] ^= 1
        with open(bundle, "wb") as file:
            file.write(data)
        report = json.loads(custodyd("repair", "--from", forged, "--json", check=6).stdout)
        self.assertEqual([one["where"] for one in report["lost"]], [f"entry {Keeping.entry}"])
        self.assertNotIn(Keeping.entry, report["restored"])
        self.assertFalse(report["rebuilt"])
        custodyd("scrub", check=6)

    def test_6_the_export_repairs_it(self):
        report = json.loads(custodyd("repair", "--from", WORK + "/export", "--dry-run", "--json").stdout)
        self.assertEqual(report["restored"], [Keeping.entry])
        self.assertEqual(report["replaced"], "")
        custodyd("scrub", check=6)
        report = json.loads(custodyd("repair", "--from", WORK + "/export", "--json").stdout)
        self.assertEqual((report["restored"], report["lost"], report["rebuilt"]), ([Keeping.entry], [], True))
        self.assertTrue(os.path.isdir(report["replaced"]))
        custodyd("scrub")
        custodyd("rebuild")
        self.assertIn("exactly", custodyd("repair", "--from", WORK + "/export").stdout)

    def test_7_afterwards_all_is_well(self):
        start()
        self.assertEqual(int(status()["scrub"].get("damage_count", 0)), 0)
        for vial in (1, 2):
            dose(vial, check=0)
            move(vial, 5 + vial)
        custody("subject", "show", "container:@vial/1")
        self.old_receipts()
        custody("audit", "--work", f"audit{time.monotonic_ns()}")

    def old_receipts(self):
        for index in (Keeping.entry, 3, 40):
            with open(f"{WORK}/{index}.receipt", "rb") as file:
                before = file.read()
            custody("log", "receipt", str(index), "-o", "again.receipt")
            with open(WORK + "/again.receipt", "rb") as file:
                self.assertEqual(file.read(), before)

    def test_7b_a_pass_of_the_scrub_goes_on_after_a_restart(self):
        record_sites("pass", 100)
        stop()
        set_scrub_rate(100)
        start()
        wait_for(lambda: int(status()["scrub"].get("entries_done", 0)) >= 256)
        stop()
        # Of the next entries nothing shows for a while.
        set_scrub_rate(1)
        start()
        self.assertGreaterEqual(int(status()["scrub"]["entries_done"]), 256)
        stop()
        set_scrub_rate(100000)
        start()

    def test_8_a_lost_store_goes_on_from_backup_and_mirror(self):
        custody("log", "export", "export")
        size = int(status()["tree_size"])
        stop()
        shutil.rmtree(STORE)
        said = custodyd("restore", "--from", WORK + "/backups/nightly", check=3)
        self.assertIn("E_ROLLBACK", said.stderr)
        self.assertIn("--mirror", said.stderr)
        self.assertFalse(os.path.exists(STORE))
        custodyd("restore", "--from", WORK + "/backups/nightly", "--mirror", WORK + "/export")
        start()
        self.assertEqual(status()["mode"], "serving")
        self.assertGreaterEqual(int(status()["tree_size"]), size)
        self.old_receipts()
        dose(1, check=0)
        record_sites("again", 1)

    def test_8b_a_restore_behind_a_witness_is_refused(self):
        # Store and anchor are lost together: only the witness remembers.
        folder = WORK + "/alpha"
        os.makedirs(folder)
        with open(LEDGER + "/trust.toml", encoding="utf-8") as trust:
            vkey = next(line for line in trust if line.startswith("log_keys")).split('"')[1]
        with open(folder + "/witness.toml", "w", encoding="utf-8") as file:
            file.write(f'[witness]\nname = "alpha"\ndata_directory = "{folder}/data"\nlogs = ["{vkey}"]\n'
                       f'[listen]\naddress = "127.0.0.1:0"\naddress_file = "{folder}/address"\n')
        words = [os.environ["WITNESS"], "init", "--config", folder + "/witness.toml"]
        witness_key = run(*words, check=0).stdout.splitlines()[0]
        words[1] = "serve"
        with open(folder + "/log", "wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as witness:
            try:
                wait_for(lambda: os.path.exists(folder + "/address"))
                with open(folder + "/address", encoding="ascii") as file:
                    url = "http://" + file.read()
                with open(WORK + "/policy", "w", encoding="utf-8") as file:
                    file.write(f"witness alpha {witness_key} {url}\ngroup one 1 alpha\nquorum one\n")
                with open(CONFIG, "a", encoding="utf-8") as file:
                    file.write(f'[witnessing]\npolicy_file = "{WORK}/policy"\ninterval_ms_min = 50\n')
                self.behind_the_witness()
            finally:
                witness.kill()

    def behind_the_witness(self):
        stop()
        start()
        record_sites("witnessed", 1)
        wait_for(lambda: int(status()["witnessed_size"]) == int(status()["tree_size"]))
        custody("log", "export", "export")
        stop()
        shutil.rmtree(STORE)
        os.remove(LEDGER + "/anchor/checkpoint")
        said = custodyd("restore", "--from", WORK + "/backups/nightly", check=3)
        self.assertIn("there is no anchor", said.stderr)
        said = custodyd("restore", "--from", WORK + "/backups/nightly", "--anchor-is-lost", check=3)
        self.assertIn("alpha", said.stderr)
        self.assertIn("E_ROLLBACK", said.stderr)
        self.assertFalse(os.path.exists(STORE) or os.path.exists(LEDGER + "/anchor/checkpoint"))
        custodyd("restore", "--from", WORK + "/backups/nightly", "--mirror", WORK + "/export", "--anchor-is-lost")
        start()
        self.assertEqual(status()["mode"], "serving")
        self.old_receipts()

    def test_9_a_new_ledger_names_the_one_before_it(self):
        custody("log", "checkpoint", "-o", "last")
        init = ("init", "--administrator", LEDGER + "/keys/administrator.json", "--quality", LEDGER + "/keys/quality.json",
                "--set", f"ledger.data_directory={WORK}/next", "--set", f"ledger.anchor_file={WORK}/next/anchor", "--set",
                f"ledger.log_key_file={WORK}/next/log.key", "--set", f"ledger.service_key_file={WORK}/next/service.key",
                "--predecessor", WORK + "/last", "--trust-output", WORK + "/next.toml")
        said = custodyd(*init, check=2)
        self.assertIn("needs a new ledger.origin", said.stderr)
        custodyd(*init, "--set", "ledger.origin=next.example/custody")


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
            config.write(f'\n[scrub]\nentries_per_second_max = 100000\npass_interval_ms_min = 500\n'
                         f'[backup]\ndirectory = "{WORK}/backups"\n')
        os.environ["CUSTODY_PASSPHRASE_FILE"] = LEDGER + "/passphrase"
        start()
        for step in ("01-organisation", "02-donor", "03-procurement", "04-manufacture", "05-release", "06-shipment"):
            custody("event", "record", f"{STORY}/{step}.yaml")
        unittest.main(verbosity=2, failfast=True)
    finally:
        shell(f"stop_daemon {LEDGER}")
        shutil.rmtree(WORK, ignore_errors=True)
