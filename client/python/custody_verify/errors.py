"""What can go wrong, apart from a judgement that is merely negative."""


class Malformed(Exception):
    """Bytes or text that do not have the form that docs/formats.md asks for."""


class Forged(Exception):
    """A signature or a proof that contradicts what it is said to prove."""


class Unvouched(Exception):
    """A true signature by a key that was retired before: nobody vouches for it any more."""


class Untrusted(Exception):
    """What may be true, but leads to nobody whom the reader trusts."""
