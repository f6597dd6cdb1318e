"""What the doc comments of the TypeScript package say, as Markdown: of one export, or of a whole entry point."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias, TypedDict

from tools.website.protocol import with_ids

__all__ = ["Export", "Member", "Part", "describe", "entry_points"]

_ROOT = Path(__file__).resolve().parents[2]
_READER = Path(__file__).with_suffix(".mjs")
_KINDS = ("class", "function", "interface", "type", "constant")


class Member(TypedDict, total=False):
    """A property or method of an export."""

    name: str
    doc: str
    kind: str
    type: str
    signatures: Sequence[str]
    isStatic: bool
    isOptional: bool


class Part(TypedDict, total=False):
    """One declaration of an export."""

    kind: str
    signatures: Sequence[str]
    constructors: Sequence[str]
    members: Sequence[Member]


class Export(TypedDict, total=False):
    """What an entry point or a namespace exports; a namespace has exports itself."""

    name: str
    doc: str
    parts: Sequence[Part]
    exports: Sequence[Export]


_Entries: TypeAlias = Mapping[str, Export]


@cache
def entry_points() -> _Entries:
    """Return what the entry points of the package export, by their last name: `sdk` is the package itself.

    Raises:
        LookupError: The sources cannot be read here.
    """
    try:
        done = subprocess.run(["node", _READER], capture_output=True, text=True, check=True, cwd=_ROOT)
    except FileNotFoundError:
        raise LookupError("the TypeScript sources are read by node, which is not installed") from None
    except subprocess.CalledProcessError as error:
        told = str(error.stderr).strip()
        raise LookupError(f"the TypeScript sources cannot be read, maybe before `make develop`:\n{told}") from None
    found: list[Export] = json.loads(done.stdout)
    return {one["name"].rpartition("/")[2]: one for one in found}


def describe(path: str) -> str:
    """Return what can be known of an export, such as `sdk.Core`, or of all exports of an entry point, such as `wire`.

    Raises:
        LookupError: There is no such thing.
    """
    entry, _, name = path.partition(".")
    if entry not in entry_points():
        raise LookupError(f"the entry points are {', '.join(entry_points())}")
    module = entry_points()[entry]
    if not name:
        return "\n\n".join(_all(module["exports"], entry, "##"))
    found = next((one for one in module["exports"] if one["name"] == name), None)
    if found is None:
        raise LookupError(f"{module['name']} has no {name}")
    return "\n\n".join(_export(found, entry, "##"))


def _all(exports: Sequence[Export], owner: str, level: str) -> Iterator[str]:
    """Describe several exports: constants in a table, all others at length."""
    values = [one for one in exports if _is_value(one)]
    for one in sorted((one for one in exports if not _is_value(one)), key=_rank):
        yield from _export(one, owner, level)
    if values:
        yield f"{level} Constants {{ #{owner}.constants }}"
        rows = [_constant(one, owner) for one in values]
        yield "\n".join(["| constant | type or value | what it is |", "| --- | --- | --- |", *rows])


def _is_value(one: Export) -> bool:
    """Return whether an export is a constant of which there is nothing to say but a line."""
    parts = one.get("parts", ())
    return len(parts) == 1 and parts[0]["kind"] == "constant" and not parts[0]["members"]


def _rank(one: Export) -> tuple[int, str]:
    parts = one.get("parts", ())
    return (_KINDS.index(parts[0]["kind"]) if parts else 0, one["name"])


def _constant(one: Export, owner: str) -> str:
    said = _line(one["parts"][0]["signatures"][0])
    text = re.sub(rf"^const {re.escape(one['name'])}(: | = )", "", said)
    return f"| `{one['name']}`{{ #{owner}.{one['name']} }} | {_code(text)} | {_cell(one['doc'])} |"


def _export(one: Export, owner: str, level: str) -> Iterator[str]:
    name = one["name"]
    yield f"{level} `{name}` {{ #{owner}.{name} }}"
    parts = one.get("parts", ())
    if parts:
        yield _block([text for part in parts for text in (*part["signatures"], *part.get("constructors", ()))])
    yield with_ids(one["doc"])
    for part in parts:
        yield from _members(part["members"], f"{owner}.{name}", level)
    if "exports" in one:
        yield from _all(one["exports"], f"{owner}.{name}", f"{level}#")


def _members(members: Sequence[Member], owner: str, level: str) -> Iterator[str]:
    values = [one for one in members if one["kind"] == "property"]
    if values:
        rows = [f"| `{_called(one)}` | {_code(one['type'])} | {_cell(one['doc'])} |" for one in values]
        yield "\n".join(["| property | type | what it is |", "| --- | --- | --- |", *rows])
    for one in members:
        if one["kind"] == "method":
            yield f"{level}# `{one['name']}` {{ #{owner}.{one['name']} }}"
            static = "static " if one["isStatic"] else ""
            yield _block([f"{static}{text}" for text in one["signatures"]])
            yield with_ids(one["doc"])


def _called(one: Member) -> str:
    return ("static " if one["isStatic"] else "") + one["name"] + ("?" if one["isOptional"] else "")


def _block(texts: Sequence[str]) -> str:
    return "\n".join(["```typescript", *texts, "```"])


def _code(text: str) -> str:
    """Return code as it may stand in a row of a table."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return with_ids(_line(text)).replace("|", "\\|")
