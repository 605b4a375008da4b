"""Level B: chains without gaps, every signature by a key that stood in the chains (section 10.3).

Entries are taken in the order of the log; keys are enrolled on the way, so "enrolled at that
position" is simply "in the table at that moment".
"""

from __future__ import annotations

import hashlib

from . import subject
from .contents import Contents, Leaf
from .errors import Forged, Malformed
from .event import ParsedEvent, ParsedSignature, parse_signature, parse_signed_event
from .keys import PublicKey
from .report import Outcome, Report
from .schema import message_type
from .subject import Subject, describe
from .trust import Trust
from .wire import Message


class _Finding:
    """The first of the worst things that were found."""

    def __init__(self) -> None:
        self.outcome, self.detail = Outcome.VERIFIED, ""

    def worsen(self, outcome: Outcome, detail: str) -> None:
        if outcome > self.outcome:
            self.outcome, self.detail = outcome, detail

    def false(self, detail: str) -> None:
        self.worsen(Outcome.PROOF_FALSE, detail)

    def unknown(self, detail: str) -> None:
        self.worsen(Outcome.CANNOT_BE_CHECKED, detail)


class _Judge:
    def __init__(self, contents: Contents, trust: Trust) -> None:
        self._contents = contents
        self._trust = trust
        # Of each chain: how many of its entries were met, and the last one's leaf hash.
        self._met: dict[Subject, tuple[int, bytes]] = {}
        # Of each person and device: SPKI by key id, the first enrolment of an id counts.
        self._keys: dict[Subject, dict[bytes, bytes]] = {}
        self._parsed_keys: dict[bytes, PublicKey] = {}
        self.chains = _Finding()
        self.signatures = _Finding()
        self.signature_count = 0
        # Of each signature that was looked at: entry, when it was recorded, signer, key.
        self._signed: list[tuple[int, int, Subject, bytes]] = []
        # Of each key that was revoked as compromised: since when, the earliest that was stated.
        self._compromised: dict[tuple[Subject, bytes], int] = {}

    def take(self, leaf: Leaf) -> None:
        """Judges one entry and enrols the keys that it brings."""
        if not leaf.entry.has("signed_event"):
            return
        try:
            event = parse_signed_event(leaf.entry.message("signed_event"), self._trust.ledger)
        except Malformed as error:
            # Perhaps an event of a later version: no accusation.
            self.chains.unknown(f"entry {leaf.index} cannot be read: {error}")
            return
        links = leaf.entry.items("links")
        if len(links) != len(event.subjects):
            self.chains.false(f"entry {leaf.index} has {len(links)} links for "
                              f"{len(event.subjects)} subjects")
            return
        for touched, link in zip(event.subjects, links):
            self._link(leaf, touched, link)
        # Entry 0 enrols the key that signs it; it is trusted by its hash.
        if leaf.index == 0:
            self._enrol(event)
            self._sign(leaf, event)
        else:
            self._sign(leaf, event)
            self._enrol(event)

    def _link(self, leaf: Leaf, touched: Subject, link: Message) -> None:
        chain = self._contents.chains.get(touched)
        if chain is None:
            return  # A subject beside the question; its chain is not carried.
        count, head = self._met.get(touched, (0, b""))
        if count >= len(chain) or chain[count] != leaf.index:
            self.chains.false(f"entry {leaf.index} touches {describe(touched)}, whose list leaves "
                              "it out")
            return
        if link.number("position") != count or link.data("previous") != head:
            self.chains.false(f"entry {leaf.index} links to position {link.number('position')} of "
                              f"{describe(touched)}, which has {count} before it, or to another "
                              "predecessor")
        self._met[touched] = (count + 1, leaf.leaf_hash)

    def _sign(self, leaf: Leaf, event: ParsedEvent) -> None:
        for signature in event.signatures:
            self._signature(leaf, signature)
        if event.body_name != "signature_added":
            return
        # A further signature over another event.
        body = event.body
        if len(body.data("event")) != 32:
            self.signatures.false(f"entry {leaf.index} names no event")
            return
        added = Message(message_type("Signature"), b"")
        added.values = {name: body.data(name) for name in ("statement", "signature")
                        if body.data(name)}
        try:
            parsed = parse_signature(added, body.data("event"), self._trust.ledger)
        except Malformed as error:
            self.signatures.unknown(f"entry {leaf.index}: {error}")
            return
        self._signature(leaf, parsed)

    def _signature(self, leaf: Leaf, signature: ParsedSignature) -> None:
        signer = describe(signature.signer)
        if signature.signer not in self._contents.chains:
            self.signatures.unknown(f"entry {leaf.index} is signed by {signer}, whose chain the "
                                    "bundle lacks")
            return
        spki = self._keys.get(signature.signer, {}).get(signature.key_id)
        if spki is None:
            self.signatures.false(f"entry {leaf.index} is signed with key {signature.key_id.hex()},"
                                  f" which {signer} did not have then")
            return
        try:
            if spki not in self._parsed_keys:
                self._parsed_keys[spki] = PublicKey(spki)
            key = self._parsed_keys[spki]
        except Malformed:
            self.signatures.false(f"the key {signature.key_id.hex()} of {signer} is no key")
            return
        self.signature_count += 1
        self._signed.append((leaf.index, leaf.entry.number("recorded_at_ms"), signature.signer,
                             signature.key_id))
        try:
            key.verify(signature.signed_bytes, signature.signature)
        except Forged:
            self.signatures.false(f"entry {leaf.index}: the signature of {signer} is false")

    def _enrol(self, event: ParsedEvent) -> None:
        body = event.body
        if not body.type.evaluated:
            return
        if event.body_name == "ledger_created":
            for name in ("administrator", "quality_assurance"):
                person = body.message(name)
                self._add((subject.PERSON, person.data("person_id")), person.items("keys"))
            service = body.message("service")
            self._add((subject.DEVICE, service.data("device_id")), service.items("keys"))
        elif event.body_name == "actor_enrolled":
            person = body.message("person")
            self._add((subject.PERSON, person.data("person_id")), person.items("keys"))
        elif event.body_name == "device_registered":
            device = body.message("device")
            self._add((subject.DEVICE, device.data("device_id")), device.items("keys"))
        elif event.body_name == "key_registered":
            for kind, name in ((subject.PERSON, "person_id"), (subject.DEVICE, "device_id")):
                if body.data(name):
                    self._add((kind, body.data(name)), [body.message("key")])

        elif event.body_name == "key_revoked" and body.number("compromised_since_ms"):
            for kind, name in ((subject.PERSON, "person_id"), (subject.DEVICE, "device_id")):
                if body.data(name):
                    key = (kind, body.data(name)), body.data("key_id")
                    since = body.number("compromised_since_ms")
                    self._compromised[key] = min(since, self._compromised.get(key, since))

    def suspects(self) -> list[tuple[int, Subject]]:
        """Entries, and who is said to have signed them, recorded since the key was compromised."""
        return [(index, signer) for index, recorded_at_ms, signer, key_id in self._signed
                if recorded_at_ms >= self._compromised.get((signer, key_id), recorded_at_ms + 1)]

    def _add(self, owner: Subject, keys: list[Message]) -> None:
        table = self._keys.setdefault(owner, {})
        for key in keys:
            spki = key.data("spki")
            table.setdefault(hashlib.sha256(spki).digest(), spki)

    def ends(self) -> None:
        """Positions of the chains that no entry filled."""
        for touched in sorted(self._contents.chains):
            indices = self._contents.chains[touched]
            count = self._met.get(touched, (0, b""))[0]
            if count == len(indices):
                continue
            if self._contents.find(indices[count]) is None:
                self.chains.unknown(f"the bundle lacks entry {indices[count]}, position {count} of "
                                    f"{describe(touched)}")
            else:
                self.chains.false(f"entry {indices[count]} is said to be position {count} of "
                                  f"{describe(touched)} and is not")


def judge(contents: Contents, trust: Trust, report: Report) -> None:
    """Adds the steps "chains" and "signatures"."""
    if not contents.chains:
        report.add("B", "chains", Outcome.CANNOT_BE_CHECKED, "the bundle names no subject")
        return
    judged = _Judge(contents, trust)
    for leaf in contents.leaves:
        judged.take(leaf)
    judged.ends()
    chains = judged.chains
    about = subject.key_of(contents.bundle.message("subject"))
    if contents.bundle.has("subject") and about not in contents.chains:
        chains.unknown(f"the bundle is about {describe(about)} and lacks its chain")
    report.add("B", "chains", chains.outcome, chains.detail or
               f"{len(contents.chains)} chains run without a gap from their first entry")
    report.add("B", "signatures", judged.signatures.outcome, judged.signatures.detail or
               f"{judged.signature_count} signatures, each by a key enrolled at that moment")
    suspects = judged.suspects()
    if suspects:
        index, signer = suspects[0]
        report.add("B", "suspect keys", Outcome.NOT_YET_PROVEN,
                   f"entry {index} ({len(suspects)} in all) is signed by a key of "
                   f"{describe(signer)} that was revoked as compromised since then: that they "
                   "signed it cannot be checked")
