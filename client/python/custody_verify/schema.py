"""The messages of package custody.v1: field numbers, types, and which fields name touched subjects.

Read from schema.json, which tools/make_schema.py writes from proto/custody/v1/*.proto.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field as data_field
from functools import lru_cache
from pathlib import Path
from typing import Optional


@dataclass
class Field:
    """One field of a message."""

    number: int
    name: str
    # A scalar type of the .proto language, "enum" or "message".
    type: str
    repeated: bool = False
    oneof: Optional[str] = None
    message: Optional["MessageType"] = None
    enum: Optional[frozenset] = None
    # (kind, role) if the value is the id of a subject that the event touches.
    touches: Optional[tuple[int, int]] = None
    # The value is a SubjectRef that is touched in its own role.
    touches_refs: bool = False


@dataclass
class MessageType:
    """One message, and its row of the event catalogue if it is the body of an event."""

    name: str
    by_number: dict[int, Field] = data_field(default_factory=dict)
    by_name: dict[str, Field] = data_field(default_factory=dict)
    code: str = ""
    observation: bool = False
    evaluated: bool = False


@lru_cache(maxsize=1)
def _load() -> tuple[dict[str, MessageType], dict[str, dict[str, int]]]:
    tables = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="ascii"))
    types = {name: MessageType(name) for name in tables["messages"]}
    for name, table in tables["messages"].items():
        type_ = types[name]
        type_.code = table.get("code", "")
        type_.observation = table.get("observation", False)
        type_.evaluated = table.get("evaluated", False)
        for row in table["fields"]:
            touches = row.get("touches")
            made = Field(
                number=row["number"], name=row["name"], type=row["type"],
                repeated=row.get("repeated", False), oneof=row.get("oneof"),
                message=types[row["of"]] if row["type"] == "message" else None,
                enum=frozenset(tables["enums"][row["of"]].values())
                if row["type"] == "enum" else None,
                touches=(touches[0], touches[1]) if touches else None,
                touches_refs=row.get("touches_refs", False))
            type_.by_number[made.number] = made
            type_.by_name[made.name] = made
    return types, tables["enums"]


def message_type(name: str) -> MessageType:
    """A message of custody.v1 by name."""
    return _load()[0][name]


def enum_number(enum: str, value: str) -> int:
    """The number of an enum value."""
    return _load()[1][enum][value]


def enum_name(enum: str, number: int) -> str:
    """The name of an enum value; the number as text when it has none."""
    for name, value in _load()[1][enum].items():
        if value == number:
            return name
    return str(number)
