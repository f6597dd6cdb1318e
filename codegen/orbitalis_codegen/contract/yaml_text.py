"""Values as YAML text that people like to read and that YAML 1.1, YAML 1.2 and PyYAML understand in the same way."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orbitalis_codegen.read.node import JsonValue

__all__ = ["yaml_of"]

_PLAIN: Final = re.compile(r"(?:[A-Za-z_$/]|\d+\.\d+\.\d)(?:[^:#'\"\n]|:(?=\S)|(?<=\S)#)*", re.ASCII)
"""Texts that need no quotes, versions of three numbers among them, unless they are words or end with a space."""
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""Plain texts that some version of YAML takes for something else, whatever their case."""
_BREAK: Final = "\n"


def yaml_of(value: Mapping[str, JsonValue]) -> str:
    """An object as the YAML text of a document, with its keys in the order in which they come.

    Raises:
        ValueError: A number in it is not finite, so that JSON could not hold it.
    """
    return "".join(f"{line}\n" for line in _members(value, ""))


def _members(value: Mapping[str, JsonValue], indent: str) -> Iterator[str]:
    for key, member in value.items():
        yield from _after(f"{indent}{_text(key)}:", member, indent)


def _items(value: Sequence[JsonValue], indent: str) -> Iterator[str]:
    for item in value:
        if (isinstance(item, dict) and item) or (isinstance(item, list) and item):
            lines = _members(item, f"{indent}  ") if isinstance(item, dict) else _items(item, f"{indent}  ")
            # The first line begins behind the dash.
            yield f"{indent}- {next(lines)[len(indent) + 2 :]}"
            yield from lines
        else:
            yield from _after(f"{indent}-", item, indent)


def _after(start: str, value: JsonValue, indent: str) -> Iterator[str]:
    """The lines of what stands behind a key or a dash, which `start` has."""
    if isinstance(value, dict) and value:
        yield start
        yield from _members(value, f"{indent}  ")
    elif isinstance(value, list) and value:
        yield start
        yield from _items(value, f"{indent}  ")
    elif isinstance(value, str) and _is_block(value):
        yield f"{start} {'|' if value.endswith(_BREAK) else '|-'}"
        for line in value.removesuffix(_BREAK).split(_BREAK):
            yield f"{indent}  {line}" if line else ""
    else:
        yield f"{start} {_scalar(value)}"


def _is_block(text: str) -> bool:
    """Whether a text stands best as it is, in lines of its own."""
    return (
        _BREAK in text[:-1]
        and not text.endswith(_BREAK * 2)
        and not text.startswith((" ", _BREAK))
        and all(line.isprintable() for line in text.split(_BREAK))
    )


def _scalar(value: JsonValue) -> str:
    match value:
        case str():
            return _text(value)
        case float() if not math.isfinite(value):
            raise ValueError(f"expected a finite number, got {value!r}")
        case float():
            mantissa, exponent, power = repr(value).partition("e")
            # YAML 1.1 takes a number without a point for a text, if it has an exponent.
            return mantissa + exponent + power if "." in mantissa else f"{mantissa}.0{exponent}{power}"
        case _:
            # An empty object, an empty list, or what YAML and JSON write alike.
            return json.dumps(value)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.isprintable() and text[-1] != " " and text.casefold() not in _WORDS:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else _escape(one) for one in quoted)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
