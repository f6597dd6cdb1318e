"""Random values of random schemas, as Avro binary."""

from __future__ import annotations

from random import Random
from struct import pack
from typing import Any
from uuid import UUID

from tests.avro.resolution.schemas import Model, Type
from tests.support.avro import long, text

__all__ = ["value_bytes"]


def value_bytes(model: Model, chance: Random, turn: int) -> bytes:
    """Return a random value as Avro binary.

    With each `turn`, unions and enums take their next branch or symbol; but any one now and then, since an enum in a
    union that is as long would otherwise come to the same symbols again and again.
    """

    def index(length: int) -> int:
        return (turn + chance.choice((0, 0, 1, chance.randrange(length)))) % length

    def write(type_: Type, depth: int) -> bytes:
        if isinstance(type_, list):
            branch = index(len(type_))
            if depth > 12 and "null" in type_:
                branch = type_.index("null")
            return long(branch) + write(type_[branch], depth + 1)
        if isinstance(type_, str):
            return _primitive(type_, chance)
        if "ref" in type_:
            named = model.named[type_["ref"]]
            match named["type"]:
                case "enum":
                    return long(index(len(named["symbols"])))
                case "fixed":
                    return chance.randbytes(named["size"])
                case _:
                    return b"".join(write(field["type"], depth + 1) for field in named["fields"])
        match type_["type"]:
            case "array":
                items = [write(type_["items"], depth + 1) for _ in range(chance.randint(1, 2))]
                return _blocks(items, chance)
            case "map":
                keys = ["a", "\u00e9b"][: chance.randint(1, 2)]
                return _blocks([text(key) + write(type_["values"], depth + 1) for key in keys], chance)
            case _:
                return _logical(type_, chance)

    return write(model.root, 0)


def _blocks(items: list[bytes], chance: Random) -> bytes:
    content = b"".join(items)
    if chance.random() < 0.3:
        return long(-len(items)) + long(len(content)) + content + b"\0"
    return long(len(items)) + content + b"\0"


def _primitive(name: str, chance: Random) -> bytes:
    match name:
        case "null":
            return b""
        case "boolean":
            return chance.choice((b"\0", b"\1"))
        case "int":
            return long(chance.choice((chance.randint(-100, 100), chance.randint(-(2**31), 2**31 - 1))))
        case "long":
            return long(chance.choice((chance.randint(-100, 100), chance.randint(-(2**63), 2**63 - 1))))
        case "float":
            return pack("<f", chance.uniform(-1e6, 1e6))
        case "double":
            return pack("<d", chance.uniform(-1e6, 1e6))
        case "string":
            return text("".join(chance.choices("xyz\u00e9\u4e2d", k=chance.randint(0, 70))))
        case _:
            return text(chance.choice((chance.randbytes(chance.randint(0, 5)), b"ascii")))


def _logical(type_: Any, chance: Random) -> bytes:
    match type_["logicalType"]:
        case "decimal":
            number = chance.randrange(10 ** type_["precision"]) * chance.choice((1, -1))
            return text(number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))
        case "uuid":
            return text(str(UUID(int=chance.getrandbits(128))))
        case "date":
            return long(chance.randint(-10000, 10000))
        case "time-millis":
            return long(chance.randrange(86_400_000))
        case "time-micros":
            return long(chance.randrange(86_400_000_000))
        case "timestamp-millis" | "local-timestamp-millis":
            return long(chance.randrange(10**12))
        case _:
            return long(chance.randrange(10**15))
