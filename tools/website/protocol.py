"""What the specification says, as Markdown."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from orbitalis_codegen import Model, read_specification
from orbitalis_codegen.rules import Rule

__all__ = ["channels", "description", "messages", "rules", "with_ids"]

_ROOT = Path(__file__).resolve().parents[2]
_ID = re.compile(r"\[(ORB-[A-Z]{2}-[0-9]{2})\]\s")


@cache
def _model() -> Model:
    return read_specification(_ROOT)


def description(_: str = "") -> str:
    """Return what the specification says of the protocol as a whole."""
    # Its paragraphs begin with their subject in bold letters: here, these are headings.
    text = re.sub(r"^\*\*([^*\n]+?)\.\*\* ", r"## \1\n\n", _model().description.strip(), flags=re.MULTILINE)
    return with_ids(text)


def channels(_: str = "") -> str:
    """Return all channels, with who sends what on them, and how."""
    model = _model()
    parts: list[str] = []
    for channel in model.channels.values():
        rows = [
            f"| {', '.join(operation.roles)} {operation.action}s | {_list(operation.messages)} "
            f"| {operation.quality_of_service} | {_cell(operation.summary)} |"
            for operation in model.operations.values()
            if operation.channel == channel.key
        ]
        parts += [
            f"### `{channel.key}`",
            f"`{channel.address}`",
            with_ids(channel.description.strip()),
            "\n".join(["| who | messages | QoS | what for |", "| --- | --- | --- | --- |", *rows]),
        ]
    return "\n\n".join(parts)


def messages(_: str = "") -> str:
    """Return all messages with their fields."""
    parts: list[str] = []
    for message in _model().messages.values():
        parts += [f"### `{message.key}`", with_ids(" ".join([message.summary, message.description]).strip())]
        if message.schema is None:
            continue
        fields = json.loads(message.schema)["fields"]
        rows = [f"| `{one['name']}` | {_type(one['type'])} | {_cell(one.get('doc', ''))} |" for one in fields]
        if rows:
            parts.append("\n".join(["| field | type | what it is |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts)


def rules(_: str = "") -> str:
    """Return the rules that documents are held against."""
    rows = [f"| `{rule.code}` | {_cell(rule.purpose)} |" for rule in Rule]
    return "\n".join(["| rule | what it asks for |", "| --- | --- |", *rows])


def _list(keys: tuple[str, ...]) -> str:
    return ", ".join(f"[`{key}`](#{key.lower()})" for key in keys)


def _type(kind: object) -> str:
    """Return an Avro type as it is read."""
    if isinstance(kind, list):
        return " or ".join(map(_type, kind))
    if not isinstance(kind, dict):
        return f"`{str(kind).rpartition('.')[2]}`"
    match kind["type"]:
        case "array":
            return f"list of {_type(kind['items'])}"
        case "map":
            return f"map to {_type(kind['values'])}"
        case "record" | "enum" | "fixed":
            return f"`{kind['name'].rpartition('.')[2]}`"
        case plain:
            return f"{_type(plain)} ({kind['logicalType']})" if "logicalType" in kind else _type(plain)


def with_ids(text: str) -> str:
    """Return text in which the ids of requirements stand back."""
    return _ID.sub(r"`\1` ", text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
