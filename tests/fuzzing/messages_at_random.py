"""Messages of any class with any content that their types admit: what inputs of the fuzzers begin from."""

from __future__ import annotations

import random
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orbitalis.message import Input

__all__ = ["TEXTS", "message_at_random", "value_at_random"]

TEXTS = (
    *(
        "core",
        "plugin",
        "text",
        "other",
        "a/b",
        "",
        "-",
        "+",
        "#",
        "a/+/#",
        "/",
        "a\0b",
        "\x1b[2J",
        "\u202e",
        "é✓",
        "$x",
    ),
    *("orbitalis/core/plugin/offer", "$handshake.discover", "$share/x/y", "x" * 255, "x" * 256, "{", "[]", "null"),
    *('"string"', '{"type":"array","items":"null"}', '{"type":"record","name":"A","fields":[]}', "[" * 70),
    *Input.string().schemas,
    *Input.int64().schemas,
)
_NUMBERS = (0, 1, -1, 63, 64, 2**31 - 1, -(2**31))
_LONG_NUMBERS = (*_NUMBERS, 2**31, 2**63 - 1, -(2**63))
_FLOATS = (0.0, -0.0, 1.5, -1.0, 120.0, 1e-300, 3.0e38, float("inf"), float("-inf"), float("nan"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def message_at_random(message_class: type[Any], chance: random.Random) -> Any:
    """Make a message."""
    is_short = message_class.__name__ == "EventEnvelope"
    return message_class(
        **{
            field.name: value_at_random(annotation, chance, is_short=is_short)
            for field, annotation in zip(fields(message_class), _annotations(message_class), strict=True)
        }
    )


def value_at_random(annotation: Any, chance: random.Random, *, is_short: bool = False) -> Any:
    """Make a value that fits the annotation of a field; integers are `is_short` if they fit 32 bits."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return value_at_random(chance.choice(arguments), chance, is_short=is_short)
    if origin is Sequence:
        return tuple(value_at_random(arguments[0], chance) for _ in range(chance.randrange(3)))
    if origin is Mapping:
        return {value_at_random(arguments[0], chance): value_at_random(arguments[1], chance) for _ in range(2)}
    if is_dataclass(annotation):
        return message_at_random(typing.cast("type[Any]", annotation), chance)
    made: dict[Any, Any] = {
        str: lambda: chance.choice(TEXTS),
        bool: lambda: chance.random() < 0.5,
        int: lambda: chance.choice(_NUMBERS if is_short else _LONG_NUMBERS),
        float: lambda: chance.choice(_FLOATS),
        bytes: lambda: chance.randbytes(chance.randrange(8)),
        datetime: lambda: _EPOCH + timedelta(microseconds=chance.randrange(2**50)),
        type(None): lambda: None,
    }
    return made[annotation]()


def _annotations(message_class: type[Any]) -> list[Any]:
    hints = typing.get_type_hints(message_class)
    return [hints[field.name] for field in fields(message_class)]
