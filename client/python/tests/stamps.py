"""Time stamps, true and damaged, and how each must be judged.

Made with `openssl ts` (an honest authority) and with `openssl cms` over a TSTInfo of our own (what
no honest authority would sign). Needs the command openssl; nothing is asked over a network.
"""

import hashlib
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

MAKE_TSA = Path(__file__).resolve().parents[3] / "tests" / "support" / "make_tsa"
VERIFIED, UNKNOWN, FALSE = "verified", "cannot be checked", "proof false"
TIME_STAMPING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.8")
CODE_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.3")


@dataclass(frozen=True)
class Case:
    """`authorities` is the text of timestamp_ca."""

    name: str
    response: bytes
    authorities: str
    outcome: str


def tlv(tag: int, *parts: bytes) -> bytes:
    """An element of DER."""
    content = b"".join(parts)
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1, "big")
    head = length if len(content) < 0x80 else bytes([0x80 | len(length)]) + length
    return bytes([tag]) + head + content


def answer(token: bytes, status: int = 0) -> bytes:
    """A TimeStampResp."""
    return tlv(0x30, tlv(0x30, tlv(0x02, bytes([status]))), token)


def info(stamped: bytes, time: bytes = b"20200601120000Z", version: int = 1,
         digest: str = "sha256") -> bytes:
    """A TSTInfo."""
    last = {"sha256": 1, "sha384": 2}[digest]
    algorithm = tlv(0x30, tlv(0x06, bytes.fromhex("6086480165030402") + bytes([last])), b"\x05\0")
    return tlv(0x30, tlv(0x02, bytes([version])), tlv(0x06, bytes.fromhex("2a03040501")),
               tlv(0x30, algorithm, tlv(0x04, hashlib.new(digest, stamped).digest())),
               tlv(0x02, b"\x07"), tlv(0x18, time))


@dataclass
class Identity:
    """A key, its certificate, and who signed it."""

    folder: Path
    name: str
    key: object
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate as a text."""
        return self.certificate.public_bytes(Encoding.PEM).decode("ascii")

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    def path(self) -> Path:
        """A file with certificate and key."""
        path = self.folder / f"{self.name}.pem"
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM) + self.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path


def identity(folder: Path, name: str, issuer: "Identity" = None, *, key=None, ca: bool = False,
             path_length: int = None, purposes=(TIME_STAMPING,), critical: bool = True,
             usage: str = "", begin: datetime = datetime(2020, 1, 1), serial: int = 77,
             constraints: bool = True, other: x509.ExtensionType = None) -> Identity:
    """Valid for a year from `begin`; `issuer` None: signs itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (x509.CertificateBuilder().subject_name(subject).serial_number(serial)
               .issuer_name(issuer.certificate.subject if issuer else subject)
               .public_key(key.public_key())
               .not_valid_before(begin).not_valid_after(begin + timedelta(days=365)))
    if ca and constraints:
        builder = builder.add_extension(x509.BasicConstraints(True, path_length), critical=True)
    if not ca and purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
    if usage:
        uses = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment",
                              "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                              "encipher_only", "decipher_only"), False)
        builder = builder.add_extension(x509.KeyUsage(**{**uses, usage: True}), critical=True)
    if other:
        builder = builder.add_extension(other, critical=True)
    signing = issuer.key if issuer else key
    digest = None if isinstance(signing, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Identity(folder, name, key, builder.sign(signing, digest))


def signed(by: Identity, content: bytes, *options: str, others: tuple = (),
           type_: str = "id-smime-ct-TSTInfo", cades: bool = True) -> bytes:
    """The content, signed with `openssl cms`."""
    folder = by.folder
    (folder / "content").write_bytes(content)
    command = ["openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER",
               "-econtent_type", type_, "-in", folder / "content", "-out", folder / "token",
               "-signer", by.path(), *(["-cades"] if cades else []), *options]
    if others:
        (folder / "others").write_text("".join(other.pem for other in others), encoding="ascii")
        command += ["-certfile", folder / "others"]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "token").read_bytes()


def by_openssl_ts(folder: Path, stamped: bytes, *query: str,
                  tsa: str = "clock") -> tuple[bytes, str]:
    """(answer, authorities) of the authority of that name, which is made when it is not there."""
    home = folder / tsa
    if not home.is_dir():
        subprocess.run([MAKE_TSA, home], check=True, capture_output=True)
    (folder / "stamped").write_bytes(stamped)
    subprocess.run(["openssl", "ts", "-query", "-data", folder / "stamped", "-cert", "-out",
                    folder / "tsq", *(query or ["-sha256"])], check=True, capture_output=True)
    subprocess.run(["openssl", "ts", "-reply", "-config", home / "tsa.cnf", "-queryfile",
                    folder / "tsq", "-out", folder / "tsr"], check=False, capture_output=True)
    return (folder / "tsr").read_bytes(), (home / "ca.pem").read_text(encoding="ascii")


def cases(folder: Path, stamped: bytes) -> Iterator[Case]:
    """Every case, about a checkpoint of the bytes `stamped`."""
    yield from _by_openssl_ts(folder, stamped)
    root = identity(folder, "Root", ca=True, key=ed25519.Ed25519PrivateKey.generate())
    yield from _signers(folder, root, info(stamped))
    yield from _chains(folder, info(stamped))
    yield from _contents(folder, root, stamped)
    yield _pss(folder, stamped)


def _by_openssl_ts(folder: Path, stamped: bytes) -> Iterator[Case]:
    good, authorities = by_openssl_ts(folder, stamped)
    year = good.index(b"\x18\x0f20") + 2
    yield Case("by openssl ts", good, authorities, VERIFIED)
    _, strangers = by_openssl_ts(folder, stamped, tsa="stranger")
    yield Case("of a stranger", good, strangers, UNKNOWN)
    yield Case("one of two authorities", good, strangers + authorities, VERIFIED)
    yield Case("of another century", _flipped(good, year + 1), authorities, UNKNOWN)
    yield Case("of no month", _flipped(good, year + 4, 0x08), authorities, FALSE)
    yield Case("another signature", _flipped(good, len(good) - 1), authorities, FALSE)
    yield Case("one byte less", good[:-1], authorities, FALSE)
    yield Case("half of it", good[:len(good) // 2], authorities, FALSE)
    yield Case("one byte more", good + b"\0", authorities, FALSE)
    yield Case("no DER", b"no DER", authorities, FALSE)
    yield Case("1 MiB", good + bytes(1 << 20), authorities, FALSE)
    yield Case("a length of 1 GiB", b"\x30\x84\x40\0\0\0" + good[4:], authorities, FALSE)
    yield Case("an open length", b"\x30\x80" + good[4:], authorities, FALSE)
    yield Case("the token alone", good[9:], authorities, FALSE)
    other, _ = by_openssl_ts(folder, b"another checkpoint")
    yield Case("of another checkpoint", other, authorities, FALSE)
    other, _ = by_openssl_ts(folder, stamped, "-sha384")
    yield Case("over SHA-384", other, authorities, FALSE)
    refused, _ = by_openssl_ts(folder, stamped, "-sha512")
    yield Case("refused by the authority", refused, authorities, FALSE)


def _signers(folder: Path, root: Identity, content: bytes) -> Iterator[Case]:
    def case(name: str, outcome: str, *options: str, **what) -> Case:
        signer = identity(folder, "Clock", root, **what)
        return Case(name, answer(signed(signer, content, *options)), root.pem, outcome)

    rsa_key = rsa.generate_private_key(65537, 2048)
    yield case("its certificate ended since then", VERIFIED)
    yield case("RSA", VERIFIED, key=rsa_key)
    yield case("RSA with SHA-512", VERIFIED, "-md", "sha512", key=rsa_key)
    yield case("RSASSA-PSS", UNKNOWN, "-keyopt", "rsa_padding_mode:pss", key=rsa_key)
    yield case("P-384 with SHA-384", VERIFIED, "-md", "sha384",
               key=ec.generate_private_key(ec.SECP384R1()))
    yield case("SHA-1", VERIFIED, "-md", "sha1")
    yield case("for signatures", VERIFIED, usage="digital_signature")
    yield case("for encryption", UNKNOWN, usage="key_encipherment")
    yield case("no longer valid then", UNKNOWN, begin=datetime(2019, 1, 1))
    yield case("not yet valid then", UNKNOWN, begin=datetime(2020, 6, 2))
    yield case("in the last second", UNKNOWN, begin=datetime(2019, 6, 2, 12))
    yield case("in the first second", VERIFIED, begin=datetime(2020, 6, 1, 12))
    yield case("for no purpose", UNKNOWN, purposes=())
    yield case("for another purpose", UNKNOWN, purposes=(CODE_SIGNING,))
    yield case("for a purpose more", UNKNOWN, purposes=(TIME_STAMPING, CODE_SIGNING))
    yield case("a purpose that is not critical", UNKNOWN, critical=False)
    yield case("a critical extension that nobody knows", UNKNOWN, other=x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\0"))


def _chains(folder: Path, content: bytes) -> Iterator[Case]:
    def case(name: str, outcome: str, root: Identity, middle: list, trusted: list,
             carried: list) -> Case:
        clock = identity(folder, "Clock", (middle or [root])[-1])
        return Case(name, answer(signed(clock, content, others=tuple(carried))),
                    "".join(one.pem for one in trusted), outcome)

    root = identity(folder, "Root", ca=True)
    middle = identity(folder, "Middle", root, ca=True)
    yield case("an authority between", VERIFIED, root, [middle], [root], [middle])
    yield case("one between that is trusted too", VERIFIED, root, [middle], [middle, root], [])
    yield case("nobody brings the one between", UNKNOWN, root, [middle], [root], [])
    yield case("only the one between is trusted", UNKNOWN, root, [middle], [middle], [root])
    lower = identity(folder, "Lower", middle, ca=True)
    yield case("two between", VERIFIED, root, [middle, lower], [root], [lower, middle])
    short = identity(folder, "Short", root, ca=True, path_length=0)
    yield case("one between allows none below", VERIFIED, root, [short], [root], [short])
    lower = identity(folder, "Lower", short, ca=True)
    yield case("and there is one", UNKNOWN, root, [short, lower], [root], [lower, short])
    none = identity(folder, "None", root, purposes=())
    yield case("the one between is no authority", UNKNOWN, root, [none], [root], [none])
    mute = identity(folder, "Mute", root, ca=True, usage="crl_sign")
    yield case("the one between is for other things", UNKNOWN, root, [mute], [root], [mute])
    ended = identity(folder, "Ended", root, ca=True, begin=datetime(2018, 1, 1))
    yield case("the one between had ended", UNKNOWN, root, [ended], [root], [ended])
    forged = identity(folder, "Middle", identity(folder, "Root", ca=True), ca=True)
    yield case("of a root of the same name", UNKNOWN, root, [forged], [root], [forged])
    old = identity(folder, "Old", ca=True, constraints=False, usage="key_cert_sign")
    yield case("a root from before there were constraints", VERIFIED, old, [], [old], [])
    old = identity(folder, "Old", ca=True, constraints=False)
    yield case("a root that does not say what it is", UNKNOWN, old, [], [old], [])
    alone = identity(folder, "Alone")
    stamp = answer(signed(alone, content))
    yield Case("its own authority", stamp, alone.pem, VERIFIED)


def _pss(folder: Path, stamped: bytes) -> Case:
    """`cryptography` 38 does not sign so, openssl does: as of today."""
    root = identity(folder, "Pss", ca=True, key=rsa.generate_private_key(65537, 2048),
                    begin=datetime.utcnow() - timedelta(days=1))
    clock = identity(folder, "Clock")
    (folder / "extensions").write_text("extendedKeyUsage=critical,timeStamping\n", encoding="ascii")
    subprocess.run(["openssl", "req", "-new", "-key", clock.path(), "-subj", "/CN=Clock", "-out",
                    folder / "csr"], check=True, capture_output=True)
    subprocess.run(
        ["openssl", "x509", "-req", "-in", folder / "csr", "-CA", root.path(), "-set_serial", "77",
         "-days", "30", "-extfile", folder / "extensions", "-sigopt", "rsa_padding_mode:pss",
         "-sigopt", "rsa_pss_saltlen:32", "-out", folder / "pss.pem"],
        check=True, capture_output=True)
    clock.certificate = x509.load_pem_x509_certificate((folder / "pss.pem").read_bytes())
    now = (datetime.utcnow() + timedelta(minutes=1)).strftime("%Y%m%d%H%M%SZ").encode("ascii")
    return Case("a certificate signed with RSASSA-PSS", answer(signed(clock, info(stamped, now))),
                root.pem, VERIFIED)


def _oid_of_content(number: int) -> bytes:
    return b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01" + bytes([number])


def _contents(folder: Path, root: Identity, stamped: bytes) -> Iterator[Case]:
    clock = identity(folder, "Clock", root)
    other = identity(folder, "Clock", root, key=clock.key, begin=datetime(2020, 1, 2))

    def case(name: str, outcome: str, content: bytes, *options: str, **what) -> Case:
        return Case(name, answer(signed(clock, content, *options, **what)), root.pem, outcome)

    good = info(stamped)
    token = signed(clock, good)
    later = token.replace(b"20200601120000Z", b"20200601120001Z")
    yield Case("of another second", answer(later), root.pem, FALSE)
    yield Case("granted with changes", answer(token, 1), root.pem, VERIFIED)
    yield Case("a rejection with a token", answer(token, 2), root.pem, FALSE)
    yield Case("a rejection", answer(b"", 2), root.pem, FALSE)
    yield Case("granted and no token", answer(b""), root.pem, FALSE)
    yield case("a fraction of a second", VERIFIED, info(stamped, b"20200601120000.25Z"))
    yield case("in another zone", VERIFIED, info(stamped, b"20200601190000+0700"))
    yield case("in local time", FALSE, info(stamped, b"20200601120000"))
    yield case("on 31 June", FALSE, info(stamped, b"20200631120000Z"))
    yield case("of version 2", FALSE, info(stamped, version=2))
    yield case("no TSTInfo", FALSE, b"20200601120000Z")
    yield case("as another type", FALSE, good, type_="1.2.3.4")
    # Of the same length; the second name, in the signed attributes, stays.
    other_type = signed(clock, good, type_="1.2.840.113549.1.9.16.1.9")
    renamed = other_type.replace(_oid_of_content(9), _oid_of_content(4), 1)
    yield Case("signed as another type than it says", answer(renamed), root.pem, FALSE)
    yield case("does not say who signed", FALSE, good, cades=False)
    yield case("without certificates", FALSE, good, "-nocerts")
    yield case("without signed attributes", FALSE, good, "-noattr", cades=False)
    yield case("signed twice", FALSE, good, "-signer", str(identity(folder, "Second", root).path()))
    swapped = token.replace(clock.der, other.der)
    yield Case("with another certificate of the same key", answer(swapped), root.pem, FALSE)


def _flipped(data: bytes, at: int, bits: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1:]
