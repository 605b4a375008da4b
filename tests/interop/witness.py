"""A log of a stranger asks custody-witness: its own keys, trees, bodies and checks, all in Python.

    witness.py CUSTODY_WITNESS FOLDER

Exit 0 if every answer is the one of C2SP tlog-witness and every cosignature verifies; else the first
difference is printed.
"""

import base64
import hashlib
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from custody_verify.note import NoteKey, open_note

ORIGIN = "stranger.example/log"


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves):
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:split]), root(leaves[split:]))


def proof(old, leaves, whole=True):
    """RFC 6962, 2.1.2: SUBPROOF."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return proof(old, leaves[:split], whole) + [root(leaves[split:])]
    return proof(old - split, leaves[split:], False) + [root(leaves[:split])]


def b64(data):
    return base64.b64encode(data).decode()


class Log:
    def __init__(self, origin=ORIGIN):
        self.origin = origin
        self.key = Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
        self.vkey = f"{origin}+{self.key_id.hex()}+{b64(bytes([1]) + public)}"
        self.leaves = []

    def grow(self, count):
        for _ in range(count):
            self.leaves.append(hashlib.sha256(b"\x00entry %d" % len(self.leaves)).digest())

    def note(self, size, other_root=None):
        text = f"{self.origin}\n{size}\n{b64(other_root or root(self.leaves[:size]))}\n"
        signature = b64(self.key_id + self.key.sign(text.encode()))
        return f"{text}\n\u2014 {self.origin} {signature}\n"

    def body(self, old, size):
        hashes = proof(old, self.leaves[:size]) if 0 < old < size else []
        return f"old {old}\n" + "".join(b64(h) + "\n" for h in hashes) + "\n" + self.note(size)


class Program:
    def __init__(self, program, folder, log):
        self.folder = folder
        self.settings = ["witness.name=witness.example", f"witness.data_directory={folder}/data",
                         f"witness.logs={log.vkey}", "listen.address=127.0.0.1:0",
                         f"listen.address_file={folder}/address"]
        self.command = [program]
        self.vkey = self.run("init").stdout.strip()

    def words(self, name):
        return self.command + [name] + [word for s in self.settings for word in ("--set", s)]

    def run(self, name):
        return subprocess.run(self.words(name), capture_output=True, text=True, check=True)

    def start(self):
        address = self.folder / "address"
        address.unlink(missing_ok=True)
        self.process = subprocess.Popen(self.words("serve"), stderr=subprocess.DEVNULL)
        while not address.exists() or not address.read_text():
            assert self.process.poll() is None, "custody-witness ended"
            time.sleep(0.02)
        self.url = "http://" + address.read_text().strip()

    def ask(self, path, body=None):
        data = body if body is None or isinstance(body, bytes) else body.encode()
        try:
            with urllib.request.urlopen(self.url + path, data, timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers["Content-Type"]


def expect(title, got, want):
    if got != want:
        print(f"{title}: {got!r}, want {want!r}")
        sys.exit(1)


def judge(program, log):
    """Every cosignature must be true over the log's own note, with a time of now."""
    key = NoteKey(program.vkey)

    def cosigned(old, size):
        status, lines, _ = program.ask("/add-checkpoint", log.body(old, size))
        expect(f"{old} to {size}", status, 200)
        _, verified = open_note((log.note(size) + lines).encode(), [key])
        expect("cosignatures", len(verified), 1)
        expect("its time is now", abs(verified[0].time_s - time.time()) < 60, True)
        return lines

    size = 0
    for step in (1, 1, 1, 2, 3, 5, 8, 13, 100, 256):
        lines = cosigned(size, size + step)
        size += step
    shown = program.ask("/" + hashlib.sha256(ORIGIN.encode()).hexdigest() + "/checkpoint")
    expect("the read interface", shown[:2], (200, log.note(size) + lines))
    return size


def main():
    program_path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    log = Log()
    log.grow(600)
    program = Program(program_path, folder, log)
    program.start()
    try:
        size = judge(program, log)
        status, body, kind = program.ask("/add-checkpoint", log.body(0, size + 1))
        expect("another old size", (status, body, kind), (409, f"{size}\n", "text/x.tlog.size"))
        expect("malformed", program.ask("/add-checkpoint", "hello")[0], 400)
        expect("old above size", program.ask("/add-checkpoint", log.body(size + 2, size + 1))[0], 400)
        expect("another key", program.ask("/add-checkpoint", f"old {size}\n\n" + Log().note(0))[0], 403)
        expect("another origin", program.ask("/add-checkpoint", "old 0\n\n" + Log("a/b").note(0))[0], 404)
        fork = log.note(size, other_root=bytes(32))
        expect("a fork", program.ask("/add-checkpoint", f"old {size}\n\n{fork}")[0], 422)
        false = f"old {size}\n{b64(bytes(32))}\n\n{log.note(size + 1)}"
        expect("a false proof", program.ask("/add-checkpoint", false)[0], 422)
        expect("too large", program.ask("/add-checkpoint", b"x" * 200_000)[0], 413)
        expect("health after a fork", program.ask("/healthz")[0], 503)
        program.process.send_signal(signal.SIGKILL)
        program.process.wait()
        program.start()
        expect("after SIGKILL", program.ask("/add-checkpoint", log.body(0, size))[1], f"{size}\n")
        expect("it goes on", program.ask("/add-checkpoint", log.body(size, size + 9))[0], 200)
        program.process.send_signal(signal.SIGTERM)
        expect("exit code", program.process.wait(timeout=20), 0)
    finally:
        program.process.kill()


main()
