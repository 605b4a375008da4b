"""Where the vectors are, and how they are read."""

import json
from pathlib import Path

from custody_verify.trust import Trust, read_trust

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "vectors" / "formats"


def load(name: str):
    """A JSON file of the vectors."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def trust(name: str) -> Trust:
    """A trust file of the vectors."""
    return read_trust(FOLDER / name)


def unhex(items: list[str]) -> list[bytes]:
    """A list of hexadecimal texts as bytes."""
    return [bytes.fromhex(item) for item in items]
