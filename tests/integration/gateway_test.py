#!/usr/bin/env python3
"""The program custody-gateway between a real custodyd and strangers.

    CUSTODY=... CUSTODYD=... GATEWAY=... PROJECT=... tests/integration/gateway_test.py

Each test is named after what it shows; they run in the order of their names over one ledger, which the
last ones replace by older and other copies of itself.
"""

import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

PROJECT = os.environ["PROJECT"]
WORK = tempfile.mkdtemp()
LEDGER = WORK + "/ledger"
TOKEN = "0123456789abcdef0123456789abcdef"
SITE = """event: SiteRegistered
sign: [administrator]
body: {site_id: "@+site/%s", organisation: Example, country: TH, time_zone: Asia/Bangkok, functions: [PROCUREMENT]}
"""


def shell(script):
    done = subprocess.run(["bash", "-c", "set -euo pipefail; . deploy/quickstart.d/ledger.sh; " + script],
                          cwd=PROJECT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stdout}\n{done.stderr}")


def free_ports(count):
    done = subprocess.run([PROJECT + "/tests/support/free_ports", str(count)], capture_output=True, text=True,
                          check=True)
    return [int(port) for port in done.stdout.split()]


def start_daemon():
    shell(f"start_daemon {LEDGER}")


def stop_daemon():
    shell(f"stop_daemon {LEDGER}")


def record_sites(prefix, count):
    path = f"{WORK}/{prefix}.yaml"
    with open(path, "w", encoding="ascii") as file:
        file.write("---\n".join(SITE % f"{prefix}{i}" for i in range(count)))
    shell(f"custody -q event record {path} >/dev/null")


class Gateway:
    """One process; `settings` are further ones, key=value; `under` are words before its own."""

    def __init__(self, *settings, state=WORK + "/state", under=()):
        os.makedirs(state, exist_ok=True)
        self.state = state
        self.address_file = state + "/address"
        if os.path.exists(self.address_file):
            os.remove(self.address_file)
        words = [*under, os.environ["GATEWAY"], "serve"]
        for one in ("ledger.endpoint=127.0.0.1:%d" % PORT, f"ledger.ca_certificate_file={LEDGER}/pki/ca.crt",
                    f"ledger.certificate_file={LEDGER}/pki/client.crt",
                    f"ledger.private_key_file={LEDGER}/pki/client.key", f"ledger.trust_file={LEDGER}/trust.toml",
                    f"ledger.checkpoint_file={state}/checkpoint", "ledger.refresh_ms=100",
                    "listen.address=127.0.0.1:0", f"listen.address_file={self.address_file}", *settings):
            words += ["--set", one]
        self.log_file = open(WORK + "/gateway.log", "ab")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(words, stdout=self.log_file, stderr=self.log_file)  # pylint: disable=consider-using-with
        wait_for(lambda: os.path.exists(self.address_file) or self.process.poll() is not None)
        if under and not os.path.exists(self.address_file):
            return
        with open(self.address_file, encoding="ascii") as file:
            host, port = file.read().rsplit(":", 1)
        self.at = (host, int(port))

    def ask(self, target, method="GET", headers=None, body=None, context=None):
        if context is None:
            connection = http.client.HTTPConnection(*self.at, timeout=20)
        else:
            connection = http.client.HTTPSConnection(*self.at, timeout=20, context=context)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            answer.bytes = answer.read()
            return answer
        finally:
            connection.close()

    def checkpoint(self):
        return self.ask("/checkpoint").bytes.decode()

    def size(self):
        lines = self.checkpoint().split("\n")
        return int(lines[1]) if len(lines) > 3 else 0

    def health(self):
        return self.ask("/healthz").bytes.decode().split(" ")[0].strip()

    def metric(self, name):
        text = self.ask("/metrics").bytes.decode()
        return float(re.search("^" + re.escape(name) + " (.*)$", text, re.M).group(1))

    def connect(self):
        stream = socket.create_connection(self.at, timeout=20)
        return stream

    def raw(self, request):
        with self.connect() as stream:
            stream.sendall(request)
            return read_all(stream)

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.log_file.close()
        return code


def read_all(stream):
    pieces = []
    try:
        while piece := stream.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:split]), root_of(leaves[split:]))


def root_in(note):
    return base64.b64decode(note.split("\n")[2])


class GatewayTest(unittest.TestCase):
    def setUp(self):
        self.gateways = []

    def tearDown(self):
        for one in self.gateways:
            if one.process.poll() is None:
                one.kill()

    def start(self, *settings, state=None, under=()):
        state = state or tempfile.mkdtemp(dir=WORK)
        gateway = Gateway(*settings, state=state, under=under)
        self.gateways.append(gateway)
        return gateway

    def good(self, *settings, state=None):
        gateway = self.start(*settings, state=state)
        wait_for(lambda: gateway.health() == "good")
        return gateway

    def test_01_every_route_answers_and_the_tiles_have_the_root_that_is_signed(self):
        gateway = self.good("entries.access=public")
        answer = gateway.ask("/checkpoint")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.headers["Cache-Control"], "public, max-age=2")
        note = answer.bytes.decode()
        size = int(note.split("\n")[1])
        self.assertGreater(size, 256)
        hashes, entries = [], []
        for index in range((size + 255) // 256):
            width = min(256, size - 256 * index)
            path = "%03d" % index + ("" if width == 256 else f".p/{width}")
            tile = gateway.ask("/tile/0/" + path)
            self.assertEqual(tile.status, 200)
            self.assertEqual(tile.headers["Content-Type"], "application/octet-stream")
            self.assertIn("immutable", tile.headers["Cache-Control"])
            hashes += [tile.bytes[i:i + 32] for i in range(0, len(tile.bytes), 32)]
            bundle = gateway.ask("/tile/entries/" + path).bytes
            while bundle:
                length = int.from_bytes(bundle[:2], "big")
                entries.append(bundle[2:2 + length])
                bundle = bundle[2 + length:]
        self.assertEqual([leaf(entry) for entry in entries], hashes)
        self.assertEqual(root_of(hashes), root_in(note))
        self.assertEqual(gateway.ask("/tile/1/000.p/1").bytes, root_of(hashes[:256]))
        # A partial tile is a prefix, also of a tile that is full by now.
        self.assertEqual(gateway.ask("/tile/0/000.p/17").bytes, b"".join(hashes[:17]))
        proof = json.loads(gateway.ask(f"/v1/inclusion?index=3&size={size}").bytes)
        self.assertEqual(base64.b64decode(proof["leaf_hash"]), hashes[3])
        self.assertEqual(base64.b64decode(proof["root"]), root_in(note))
        value, first, last = hashes[3], 3, size - 1
        for sibling in map(base64.b64decode, proof["hashes"]):  # RFC 9162, 2.1.3.2
            if first & 1 or first == last:
                value = node(sibling, value)
                while not first & 1 and first:
                    first, last = first >> 1, last >> 1
            else:
                value = node(value, sibling)
            first, last = first >> 1, last >> 1
        self.assertEqual(value, root_in(note))
        answer = gateway.ask(f"/v1/consistency?from=200&to={size}")
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        proof = json.loads(answer.bytes)
        self.assertEqual(base64.b64decode(proof["from_root"]), root_of(hashes[:200]))
        self.assertEqual(base64.b64decode(proof["to_root"]), root_in(note))
        self.assertEqual(gateway.ask("/healthz").status, 200)
        self.assertEqual(gateway.metric("custody_gateway_log_size"), size)
        self.assertEqual(gateway.metric('custody_gateway_answers_total{route="consistency",status="200"}'), 1)

    def test_02_head_has_the_headers_of_get_and_no_body(self):
        gateway = self.good()
        got, head = gateway.ask("/tile/0/000"), gateway.ask("/tile/0/000", "HEAD")
        self.assertEqual((head.status, head.bytes), (200, b""))
        self.assertEqual(head.headers["Content-Length"], str(len(got.bytes)))

    def test_03_what_is_wrong_is_refused_with_a_reason(self):
        gateway = self.good()
        size = gateway.size()
        for target, status in (("/", 404), ("/checkpoint/", 404), ("/checkpoint?x=1", 400), ("/tile/8/000", 404),
                               ("/tile/0/0", 404), ("/tile/0/x999/999", 404), ("/tile/0/000.p/256", 404),
                               ("/tile/2/000.p/1", 404), ("/tile/../checkpoint", 404), ("/%63heckpoint", 404),
                               ("/v1/inclusion", 400), (f"/v1/inclusion?index=0&size={size + 1000}", 404),
                               ("/v1/inclusion?index=5&size=5", 400), ("/v1/consistency?from=0&to=1", 400),
                               ("/" + "a" * 600, 414)):
            answer = gateway.ask(target)
            self.assertEqual(answer.status, status, target)
            self.assertGreater(len(answer.bytes), 10, target)
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            if target.startswith("/v1/"):
                self.assertTrue(json.loads(answer.bytes)["reason"])
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            answer = gateway.ask("/checkpoint", method)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"), method)
        self.assertEqual(gateway.ask("/checkpoint", body=b"x").status, 413)
        chunked = b"GET /checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        self.assertIn(b" 413 ", gateway.raw(chunked).split(b"\r\n")[0])
        for request, status in ((b"rubbish\r\n\r\n", b" 400 "), (b"GET /checkpoint HTTP/1.1\r\n\r\n", b" 400 "),
                                (b"GET /checkpoint HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n", b" 431 "),
                                (b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n" + b"A: a\r\n" * 70 + b"\r\n", b" 431 ")):
            self.assertIn(status, gateway.raw(request).split(b"\r\n")[0], request[:40])
        self.assertIn("custody_gateway_dropped_total{why=\"request\"} 12", gateway.ask("/metrics").bytes.decode())

    def test_04_entries_are_off_unless_the_configuration_says_so(self):
        answer = self.good().ask("/tile/entries/000")
        self.assertEqual(answer.status, 403)
        self.assertIn(b"not served here", answer.bytes)

    def test_05_a_token_opens_entries_and_no_other_does(self):
        with open(WORK + "/token", "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        gateway = self.good("entries.access=token", f"entries.token_file={WORK}/token")
        for headers in ({}, {"Authorization": "Bearer " + TOKEN[:-1]}, {"Authorization": TOKEN},
                        {"Authorization": "Basic " + TOKEN}, {"Authorization": "Bearer " + TOKEN + "0"}):
            answer = gateway.ask("/tile/entries/000", headers=headers)
            self.assertEqual(answer.status, 401, headers)
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        answer = gateway.ask("/tile/entries/000", headers={"Authorization": "Bearer " + TOKEN})
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["Cache-Control"].startswith("private"))
        self.assertEqual(gateway.ask("/tile/0/000").status, 200)

    def test_06_slow_headers_are_dropped(self):
        gateway = self.good("limits.header_ms_max=2000", "limits.idle_ms_max=2000")
        with gateway.connect() as stream:
            started = time.monotonic()
            stream.sendall(b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n")
            try:
                while time.monotonic() - started < 15:
                    stream.sendall(b"A: a\r\n")  # Each one in time; all of them are not.
                    time.sleep(0.2)
                self.fail("a slow head was waited for")
            except (BrokenPipeError, ConnectionResetError):
                pass
        self.assertLess(time.monotonic() - started, 10)
        with gateway.connect() as stream:
            self.assertEqual(read_all(stream), b"")  # Who says nothing is dropped as well.
        with gateway.connect() as stream:
            stream.sendall(b"HEAD /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b" 200 ", read_all(stream).split(b"\r\n")[0])  # Idle after an answer.
        # A connection is closed first and counted then.
        wait_for(lambda: gateway.metric('custody_gateway_dropped_total{why="slow-headers"}') == 2)
        wait_for(lambda: gateway.metric('custody_gateway_dropped_total{why="idle"}') == 1)

    def test_07_a_client_that_never_reads_is_dropped(self):
        gateway = self.good("limits.answer_ms_max=1000")
        with gateway.connect() as stream:
            stream.settimeout(1)
            request = b"GET /tile/0/000 HTTP/1.1\r\nHost: x\r\n\r\n" * 100
            sent = 0
            try:
                while sent < 200:
                    stream.sendall(request)
                    sent += 1
            except OSError:
                pass
            wait_for(lambda: gateway.metric('custody_gateway_dropped_total{why="slow-reader"}') == 1)
        self.assertEqual(gateway.ask("/checkpoint").status, 200)

    def test_08_too_many_connections_are_told_so(self):
        gateway = self.good("limits.connections_max=4")
        time.sleep(0.5)  # The connections that asked for its health have gone.
        taken = [gateway.connect() for _ in range(4)]
        wait_for(lambda: gateway.raw(b"").startswith(b"HTTP/1.1 503"))
        self.assertIn(b"Retry-After", gateway.raw(b""))
        for one in taken:
            one.close()
        wait_for(lambda: b" 503 " not in gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        gateway = self.good("limits.connections_per_address_max=2")
        time.sleep(0.5)
        taken = [gateway.connect() for _ in range(2)]
        wait_for(lambda: gateway.raw(b"").startswith(b"HTTP/1.1 429"))
        for one in taken:
            one.close()

    def test_09_tls_is_spoken_and_plain_text_is_not(self):
        gateway = self.start(f"listen.certificate_file={LEDGER}/pki/server.crt",
                             f"listen.private_key_file={LEDGER}/pki/server.key")
        context = ssl.create_default_context(cafile=LEDGER + "/pki/ca.crt")
        wait_for(lambda: gateway.ask("/healthz", context=context).status == 200)
        self.assertEqual(gateway.ask("/tile/0/000", context=context).status, 200)
        self.assertNotIn(b" 200 ", gateway.raw(b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n"))

    def audit(self, gateway, *words, work, scheme="http"):
        url = "%s://%s:%d" % (scheme, "localhost" if scheme == "https" else gateway.at[0], gateway.at[1])
        return subprocess.run([os.environ["CUSTODY"], "--json", "audit", "--gateway", url, "--trust",
                               LEDGER + "/trust.toml", "--work", work, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)

    def test_09b_a_whole_log_is_audited_over_the_gateway_and_goes_on_where_it_was(self):
        token_file = WORK + "/token"
        with open(token_file, "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        gateway = self.good("entries.access=token", "entries.token_file=" + token_file)
        work = WORK + "/audited"
        closed = self.audit(gateway, work=work)
        self.assertEqual(closed.returncode, 4, closed.stderr)
        self.assertIn("--token-file", closed.stderr)
        done = self.audit(gateway, "--token-file", token_file, work=work)
        self.assertEqual(done.returncode, 0, done.stderr)
        first = json.loads(done.stdout)
        self.assertEqual((first["outcome"], first["entries"]), ("verified", first["size"]))
        size = gateway.size()
        record_sites("audited", 3)
        wait_for(lambda: gateway.size() > size)
        done = self.audit(gateway, "--token-file", token_file, work=work)
        self.assertEqual(done.returncode, 0, done.stderr)
        again = json.loads(done.stdout)
        self.assertEqual(again["entries"], again["size"] - first["size"])
        self.assertIn("going on behind", done.stderr)

    def test_09c_a_gateway_with_another_certificate_is_not_spoken_to(self):
        gateway = self.start("entries.access=public", f"listen.certificate_file={LEDGER}/pki/server.crt",
                             f"listen.private_key_file={LEDGER}/pki/server.key")
        trusting = ssl.create_default_context(cafile=LEDGER + "/pki/ca.crt")
        wait_for(lambda: gateway.ask("/healthz", context=trusting).status == 200)
        done = self.audit(gateway, "--ca", LEDGER + "/pki/ca.crt", work=WORK + "/over-tls", scheme="https")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.audit(gateway, work=WORK + "/over-tls-2", scheme="https")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("agree on TLS", done.stderr)

    def test_10_checkpoints_only_grow_while_events_come_and_the_gateway_is_killed(self):
        state = tempfile.mkdtemp(dir=WORK)
        gateway = self.good(state=state)
        sizes = [gateway.size()]
        for round_number in range(4):
            record_sites(f"grow{round_number}", 3)
            sizes.append(gateway.size())
            gateway.kill()
            gateway = self.start(state=state)
            self.assertGreaterEqual(gateway.size(), sizes[-1])  # Served from the file, before the daemon was asked.
            wait_for(lambda g=gateway: g.health() == "good")
            sizes.append(gateway.size())
        self.assertEqual(sizes, sorted(sizes))
        self.assertGreaterEqual(sizes[-1], sizes[0] + 12)
        for first, second in zip(sizes, sizes[1:]):
            self.assertEqual(gateway.ask(f"/v1/consistency?from={first}&to={second}").status, 200)

    def test_10_killed_at_every_call_that_keeps_a_checkpoint_it_loses_none(self):
        # Its files are the address and the checkpoint: each is synced, renamed, and its folder is synced.
        state = tempfile.mkdtemp(dir=WORK)
        gateway = self.good(state=state)
        for call, last in (("fsync", 6), ("/^rename", 3)):
            for number in range(1, last + 1):
                believed = gateway.size()
                gateway.kill()
                victim = self.start(state=state, under=(
                    "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
                    "-e", f"inject={call}:signal=KILL:when={number}"))
                name = f"{call[-4:]}{number}"
                for again in range(4):
                    if victim.process.poll() is None:
                        record_sites(f"{name}x{again}", 1)
                wait_for(lambda one=victim: one.process.poll() is not None)
                self.assertEqual(victim.process.returncode, -signal.SIGKILL, name)
                gateway = self.start(state=state)
                self.assertGreaterEqual(gateway.size(), believed, name)
                wait_for(lambda one=gateway: one.health() == "good")
                size = gateway.size()
                if size > believed:
                    self.assertEqual(gateway.ask(f"/v1/consistency?from={believed}&to={size}").status, 200)

    def test_11_sigterm_ends_it_with_zero(self):
        gateway = self.good()
        with gateway.connect():  # Idle connections do not hold it up.
            started = time.monotonic()
            self.assertEqual(gateway.kill(signal.SIGTERM), 0)
            self.assertLess(time.monotonic() - started, 10)

    def test_12_without_the_daemon_what_is_in_memory_is_served_and_the_rest_is_503(self):
        gateway = self.good("entries.access=public")
        note = gateway.checkpoint()
        tile = gateway.ask("/tile/0/000").bytes
        stop_daemon()
        try:
            wait_for(lambda: gateway.health() == "away")
            self.assertEqual(gateway.ask("/healthz").status, 503)
            self.assertEqual(gateway.checkpoint(), note)
            self.assertEqual(gateway.ask("/tile/0/000").bytes, tile)
            answer = gateway.ask("/tile/entries/000")
            self.assertEqual(answer.status, 503)
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
            # One that never saw the daemon has nothing to say, and says so.
            empty = self.start()
            self.assertEqual(empty.ask("/checkpoint").status, 503)
        finally:
            start_daemon()
        wait_for(lambda: gateway.health() == "good")
        self.assertEqual(gateway.ask("/tile/entries/000").status, 200)

    def test_20_a_log_that_goes_back_or_forks_is_not_handed_on(self):
        state = tempfile.mkdtemp(dir=WORK)
        stop_daemon()
        for folder in ("data", "anchor"):
            shutil.copytree(f"{LEDGER}/{folder}", f"{WORK}/old-{folder}")
        start_daemon()
        gateway = self.good(state=state)
        before = gateway.size()
        record_sites("lost", 5)
        wait_for(lambda: gateway.size() > before or gateway.health() != "good")
        time.sleep(0.5)
        note = gateway.checkpoint()
        stop_daemon()
        for folder in ("data", "anchor"):
            shutil.rmtree(f"{LEDGER}/{folder}")
            shutil.copytree(f"{WORK}/old-{folder}", f"{LEDGER}/{folder}")
        os.remove(LEDGER + "/checkpoint")  # The command's own memory, which would refuse as well.
        start_daemon()
        wait_for(lambda: gateway.health() == "conflict")
        answer = gateway.ask("/healthz")
        self.assertEqual(answer.status, 503)
        self.assertIn(b"evidence", answer.bytes)
        self.assertEqual(gateway.checkpoint(), note)
        record_sites("other", 20)  # Longer than what was lost: another history of the same size.
        time.sleep(1)
        self.assertEqual(gateway.health(), "conflict")
        self.assertEqual(gateway.checkpoint(), note)
        self.assertGreaterEqual(gateway.metric("custody_gateway_conflicts_total"), 1)
        evidence = [name for name in os.listdir(state) if "evidence" in name]
        self.assertTrue(evidence)
        with open(f"{state}/{evidence[0]}", encoding="utf-8") as file:
            text = file.read()
        self.assertIn(note, text)
        self.assertEqual(text.count("\n— "), 2)  # Both notes, with their signatures.
        # Killed and started again it still believes what it believed.
        gateway.kill()
        gateway = self.start(state=state)
        wait_for(lambda: gateway.health() == "conflict")
        self.assertEqual(gateway.checkpoint(), note)
        self.assertEqual(gateway.ask("/tile/0/000").status, 503)


class ProgramTest(unittest.TestCase):
    def run_it(self, *words):
        return subprocess.run([os.environ["GATEWAY"], *words], capture_output=True, text=True, check=False)

    def test_help_teaches_and_version_names(self):
        done = self.run_it("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("curl http://127.0.0.1:7480/checkpoint", done.stdout)
        self.assertIn("custody-gateway 0.", self.run_it("--version").stdout)

    def test_usage_and_configuration_errors_are_two(self):
        self.assertEqual(self.run_it().returncode, 2)
        self.assertEqual(self.run_it("sevre").returncode, 2)
        path = WORK + "/bad.toml"
        with open(path, "w", encoding="ascii") as file:
            file.write("[listen]\nadress = 1\n")
        done = self.run_it("check-config", "--config", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn(path + ':2:1: unknown key "adress"; did you mean "address"?', done.stderr)
        done = self.run_it("check-config", "--config", PROJECT + "/deploy/custody-gateway.toml")
        self.assertEqual(done.returncode, 2)
        self.assertIn("ledger.trust_file is empty", done.stderr)

    def test_a_kept_checkpoint_of_nobody_is_six(self):
        with open(WORK + "/forged", "w", encoding="utf-8") as file:
            file.write("quickstart.example/custody\n1\n" + base64.b64encode(bytes(32)).decode() +
                       "\n\n— quickstart.example/custody AAAAAAAA\n")
        words = []
        for one in (f"ledger.trust_file={LEDGER}/trust.toml", f"ledger.checkpoint_file={WORK}/forged",
                    f"ledger.ca_certificate_file={LEDGER}/pki/ca.crt",
                    f"ledger.certificate_file={LEDGER}/pki/client.crt",
                    f"ledger.private_key_file={LEDGER}/pki/client.key", "listen.address=127.0.0.1:0"):
            words += ["--set", one]
        done = self.run_it("serve", *words)
        self.assertEqual(done.returncode, 6, done.stderr)


PORT, METRICS = free_ports(2)


def setUpModule():
    for name in ("CUSTODY_CONTEXT", "CUSTODY_ENDPOINT", "CUSTODY_KEYS", "CUSTODY_NAMES", "CUSTODY_TRUST"):
        os.environ.pop(name, None)
    os.environ["CUSTODY_CONFIG_DIR"] = LEDGER + "/config"
    os.environ["PATH"] = ":".join([os.path.dirname(os.environ["CUSTODYD"]), os.path.dirname(os.environ["CUSTODY"]),
                                   os.environ["PATH"]])
    shell(f"make_signers {LEDGER} {PORT} --unencrypted && make_entry0 {LEDGER} {PORT} {METRICS} >/dev/null")
    os.environ["CUSTODY_PASSPHRASE_FILE"] = LEDGER + "/passphrase"
    start_daemon()
    record_sites("first", 150)


def tearDownModule():
    stop_daemon()
    shutil.rmtree(WORK)


if __name__ == "__main__":
    unittest.main(verbosity=2)
