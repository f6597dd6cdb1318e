"""Contracts of all shapes, made at random from a seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Field,
    Fixed,
    LogicalType,
    Map,
    NamedType,
    Primitive,
    PrimitiveName,
    Record,
    Reference,
    Union,
)
from orbitalis_codegen.contract.model import Contract, ContractMessage, ContractOperation, PlainType
from orbitalis_codegen.contract.schema_tree import schema_tree
from orbitalis_codegen.diagnostic import Position

__all__ = ["random_contract"]

_HERE = Position("contract.yaml", 1, 1)
_PRIMITIVES: Sequence[PrimitiveName] = ("boolean", "int", "long", "float", "double", "bytes", "string")
_PLAIN: Sequence[PlainType] = ("string", "bytes", "long", "double")
_LOGICAL: Sequence[tuple[str, PrimitiveName]] = (
    ("date", "int"),
    ("time-millis", "int"),
    ("time-micros", "long"),
    ("timestamp-millis", "long"),
    ("timestamp-micros", "long"),
    ("local-timestamp-millis", "long"),
    ("local-timestamp-micros", "long"),
    ("uuid", "string"),
    ("big-decimal", "bytes"),
)
_TEXTS: Sequence[str] = (
    "",
    "A text.",
    "yes",
    "1e3",
    "0o17",
    'No: #1, it\'s "quoted".',
    "In lines.\n\nThe second\n  indented, ends with spaces  \nlast: yes",
    "Ends with a break.\n",
    "- like a list",
    "Ünïcode ✓ 世界 \U0001f600 and a line separator \u2028.",
    " begins with a space\nand goes on",
    "C:\\new\\u0041",
)
_FIELDS: Sequence[str] = ("level", "from_", "class", "value", "name", "at", "items", "colour", "n1", "self", "data")


def random_contract(seed: int) -> Contract:
    """Make a contract; the same seed makes the same one."""
    return _Maker(Random(seed)).contract()


class _Maker:
    def __init__(self, random: Random) -> None:
        self._random = random
        # A type in a namespace cannot refer to one in none.
        self._namespaces = random.choice([[""], ["lamps", "com.example.lamps"]])
        self._types: dict[str, NamedType] = {}
        self._records: list[str] = []
        self._errors: list[str] = []

    def contract(self) -> Contract:
        random = self._random
        for number in range(random.randint(0, 4)):
            self._enumeration_or_fixed(number)
        for number in range(random.randint(2, 8)):
            self._record(number)
        self._errors = self._records[: random.randint(1, len(self._records) - 1)]
        self._records = self._records[len(self._errors) :]
        operations = [self._operation(f"operation_{number}") for number in range(random.randint(1, 6))]
        return Contract(
            title=random.choice(["Lamps", "Street Lamps", "2 lamps", "lamp-post"]),
            version=random.choice(["1.0.0", "2.1.0-beta"]),
            description=self._text(),
            operations={one.key: one for one in operations},
            types=self._types,
            document="contract.yaml",
            notes=(),
            inputs={},
        )

    def _text(self) -> str:
        return self._random.choice(_TEXTS)

    # Types

    def _name(self, simple: str) -> str:
        namespace = self._random.choice(self._namespaces)
        return f"{namespace}.{simple}" if namespace else simple

    def _enumeration_or_fixed(self, number: int) -> None:
        random = self._random
        description = self._text().strip()
        if random.random() < 0.5:
            name = self._name(f"Colour{number}")
            symbols = tuple(random.sample(["RED", "GREEN", "blue", "None_", "class_"], random.randint(1, 4)))
            default = random.choice([None, symbols[0]])
            self._types[name] = Enumeration(
                name=name,
                class_name=name.rpartition(".")[2],
                description=description,
                symbols=symbols,
                default=default,
                source="contract.yaml",
            )
            return
        name = self._name(f"Digest{number}")
        reference = Reference(name=name)
        logical, size = random.choice(
            [
                (None, 16),
                (LogicalType(name="uuid", underlying=reference), 16),
                (LogicalType(name="duration", underlying=reference), 12),
                (LogicalType(name="decimal", underlying=reference, precision=9, scale=2), 8),
            ]
        )
        self._types[name] = Fixed(
            name=name,
            class_name=name.rpartition(".")[2],
            description=description,
            size=size,
            source="contract.yaml",
            logical_type=logical,
        )

    def _record(self, number: int) -> None:
        random = self._random
        name = self._name(f"Message{number}")
        names = random.sample(_FIELDS, random.randint(0, 5))
        self._types[name] = Record(
            name=name,
            class_name=name.rpartition(".")[2],
            description=self._text().strip(),
            fields=tuple(self._field(one, name) for one in names),
            source="contract.yaml",
        )
        # What a record refers to stands before it.
        self._types[name] = self._types.pop(name)
        self._records.append(name)

    def _field(self, name: str, owner: str) -> Field:
        random = self._random
        type_: AvroType
        has_default = False
        default: object = None
        match random.randrange(9):
            case 0:
                type_ = Union(branches=(Primitive(name="null"), self._type(2)))
                has_default = random.random() < 0.7
                if random.random() < 0.3:
                    # The default is of the second branch then.
                    type_ = Union(branches=type_.branches[::-1])
            case 1:
                type_ = Union(branches=(Primitive(name="null"), Reference(name=owner)))
                has_default = True
            case 2:
                type_ = Array(items=Reference(name=owner))
            case 3:
                type_ = Union(branches=(Primitive(name="string"), Primitive(name="long")))
                has_default, default = random.random() < 0.5, random.choice([self._text(), 7])
            case 4:
                type_ = Primitive(name="string")
                has_default, default = True, self._text()
            case 5:
                type_ = Primitive(name="double")
                has_default, default = True, random.choice([0.5, -0.0, 1e22, 1.5e-7])
            case 6:
                type_ = Primitive(name="bytes")
                has_default, default = True, "\u00ff\u0000\u0085 a"
            case _:
                type_ = self._type(2)
        return Field(
            name=name,
            type=type_,
            description=self._text().strip(),
            has_default=has_default,
            default=default if has_default else None,
        )

    def _type(self, depth: int) -> AvroType:
        random = self._random
        match random.randrange(8 if depth else 5):
            case 0 | 1:
                return Primitive(name=random.choice(_PRIMITIVES))
            case 2:
                name, underlying = random.choice(_LOGICAL)
                return LogicalType(name=name, underlying=Primitive(name=underlying))
            case 3:
                return LogicalType(name="decimal", underlying=Primitive(name="bytes"), precision=9, scale=2)
            case 4:
                if self._types:
                    return Reference(name=random.choice(list(self._types)))
                return Primitive(name="string")
            case 5:
                return Array(items=self._type(depth - 1))
            case 6:
                return Map(values=self._type(depth - 1))
            case _:
                return Map(values=Union(branches=(Primitive(name="null"), self._type(0))))

    # Operations

    def _operation(self, key: str) -> ContractOperation:
        random = self._random
        has_input = random.random() < 0.8
        outputs = self._messages(random.choice([0, 1, 1, 2, 3]) if has_input else random.choice([1, 1, 2]))
        errors = random.sample(self._errors, random.randint(0, min(2, len(self._errors)))) if has_input else []
        return ContractOperation(
            key=key,
            summary=self._text().partition("\n")[0],
            description=self._text(),
            has_input=has_input,
            inputs=self._messages(random.choice([0, 1, 1, 1, 2, 3])) if has_input else (),
            outputs=outputs,
            errors=tuple(map(self._message, errors)),
            position=_HERE,
        )

    def _messages(self, count: int) -> tuple[ContractMessage, ...]:
        choices = [*self._records, *_PLAIN]
        return tuple(map(self._message, self._random.sample(choices, min(count, len(choices)))))

    def _message(self, name: str) -> ContractMessage:
        random = self._random
        plain = next((one for one in _PLAIN if one == name), None)
        tree = plain or schema_tree(name, self._types)
        canonical_form = canonical_form_of(tree)
        return ContractMessage(
            key=random.choice([name.rpartition(".")[2], "message", "Message.of-all_kinds"]),
            title=random.choice(["", "A title"]),
            summary=random.choice(["", "A summary."]),
            description=self._text(),
            payload=None if plain else name,
            plain=plain,
            schema=json.dumps(tree, ensure_ascii=False, separators=(",", ":")),
            canonical_form=canonical_form,
            fingerprint=fingerprint_of(canonical_form),
            headers=random.choice([None, None, None, *self._records]),
            position=_HERE,
        )
