"""Avro binary of any schema at random: what its writer may have had, also of logical types."""

from __future__ import annotations

import random
import struct
import uuid
from typing import Any

from tests.support.avro import long, text

__all__ = ["RandomAvro"]

_DEEPEST = 6


class RandomAvro:
    """Writes values of one schema after the other."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._named: dict[str, Any] = {}

    def value(self, schema: Any) -> bytes:
        """Write a value of a whole schema, in which every type has a full name or no namespace."""
        self._named = {}
        self._collect(schema)
        return self._value(schema, 0)

    def _collect(self, schema: Any) -> None:
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch)
        elif isinstance(schema, dict):
            if "name" in schema:
                self._named[schema["name"]] = schema
            for part in ("type", "items", "values"):
                self._collect(schema.get(part))
            for field in schema.get("fields", ()):
                self._collect(field["type"])

    def _value(self, schema: Any, depth: int) -> bytes:
        if isinstance(schema, list):
            # Where a type contains itself, null ends it.
            ends = "null" in schema and depth > _DEEPEST
            index = schema.index("null") if ends else self.chance.randrange(len(schema))
            return long(index) + self._value(schema[index], depth)
        if isinstance(schema, str):
            return self._value(self._named[schema], depth) if schema in self._named else self._primitive(schema)
        match schema["type"]:
            case "record":
                return b"".join(self._value(field["type"], depth + 1) for field in schema["fields"])
            case "enum":
                return long(self.chance.randrange(len(schema["symbols"])))
            case "array":
                return self._blocks(lambda: self._value(schema["items"], depth + 1), depth)
            case "map":
                return self._blocks(
                    lambda: text(str(self.chance.random())) + self._value(schema["values"], depth + 1), depth
                )
            case "fixed" if schema.get("logicalType") == "decimal":
                return self.chance.randint(-99, 99).to_bytes(schema["size"], "big", signed=True)
            case "fixed":
                return self.chance.randbytes(schema["size"])
            case kind:
                return self._logical(schema.get("logicalType"), kind, depth)

    def _blocks(self, item: Any, depth: int) -> bytes:
        count = 0 if depth > _DEEPEST else self.chance.randint(0, 3)
        return (long(count) + b"".join(item() for _ in range(count)) if count else b"") + b"\0"

    def _logical(self, name: str | None, kind: Any, depth: int) -> bytes:
        match name, kind:
            case (("date" | "time-millis"), "int"):
                return long(self.chance.randint(0, 100_000))
            case "time-micros", "long":
                return long(self.chance.randint(0, 86_399_999_999))
            case "uuid", "string":
                return text(str(uuid.UUID(bytes=self.chance.randbytes(16))))
            case "decimal", "bytes":
                return text(self.chance.randint(-99, 99).to_bytes(1, "big", signed=True))
            case "big-decimal", "bytes":
                return text(text(self.chance.randbytes(2)) + long(self.chance.randint(-3, 3)))
            case str(), "long":
                return long(self.chance.randint(-(10**9), 10**9))
            case _:
                return self._value(kind, depth) if isinstance(kind, dict | list) else self._value(str(kind), depth)

    def _primitive(self, name: str) -> bytes:
        match name:
            case "null":
                return b""
            case "boolean":
                return self.chance.choice([b"\0", b"\1"])
            case "int":
                return long(self.chance.randint(-(2**31), 2**31 - 1))
            case "long":
                return long(self.chance.randint(-(2**53) + 1, 2**53 - 1))
            case "float":
                return struct.pack("<f", self.chance.uniform(-9, 9))
            case "double":
                return struct.pack("<d", self.chance.uniform(-9, 9))
            case _:
                return text("".join(self.chance.choices("aé✓😀{", k=self.chance.randint(0, 9))))
