"""The codec of any schema, for plain values: of records and unions that no class stands for.

Arrays are tuples, maps are dicts, enumerations and texts are texts, bytes and fixed are bytes; logical types have the
values of :mod:`orbitalis_avro.logical`. A value of a union is written as a :class:`Chosen`, and is read
without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import ClassVar, Final, NamedTuple

from orbitalis.message.codec.compiled import compile_layouts
from orbitalis_avro.binary import varint
from orbitalis_avro.generated_layouts import GeneratedLayouts
from orbitalis_avro.types import AvroType, Enumeration, Field, NamedType, Record, Reference

__all__ = ["Chosen", "PlainCodec", "RecordValue"]

_WHOLE: Final = "(message)"
"""A record around the type of a schema, which may be none; it takes no bytes."""

_TEST: Final = "{}.__class__ is Chosen and {}.branch == INDEX and [{} := {}.value]"
"""Whether the value `{}` is of a branch of a union; then the value itself is what goes on."""


class RecordValue(SimpleNamespace):
    """A value of a record. Its fields are `field0`, `field1`, and so on: their names may be words of Python."""

    names: ClassVar[tuple[str, ...]]
    """What the schema calls the fields."""


class Chosen(NamedTuple):
    """A value of a union, with the branch that has taken it."""

    branch: int
    value: object


class PlainCodec:
    """Writes and reads the values of a type."""

    def __init__(self, type_: AvroType, named: Mapping[str, NamedType], name: str) -> None:
        """Compile it for a type, and the named types that it refers to; errors call a value by its `name`."""
        field = Field(name="value", type=type_, description="", has_default=False, default=None)
        whole = Record(name=_WHOLE, class_name="", description="", fields=(field,), source="")
        suffixes = {one: f"held{number}" for number, one in enumerate([*named, _WHOLE])}
        layouts = GeneratedLayouts(
            {**named, _WHOLE: whole},
            class_names={one: "str" if isinstance(named.get(one), Enumeration) else suffixes[one] for one in suffixes},
            suffixes=suffixes,
            attributes=lambda record: [f"field{number}" for number in range(len(record.fields))],
            annotation=lambda _: "Any",
            is_strict=True,
            tests=lambda branches: [(index, _TEST.replace("INDEX", str(index))) for index in range(len(branches))],
        )
        self.plan: Final = layouts.plan
        self.step: Final = self.plan.step(type_)
        """What has to be done for a value."""
        records = [one for one in [*named.values(), whole] if isinstance(one, Record)]
        self.classes: Final[Mapping[str, type[RecordValue]]] = {
            one.name: type(suffixes[one.name], (RecordValue,), {"names": tuple(field.name for field in one.fields)})
            for one in records
        }
        """The class of the values of each record, by its full name. It takes them as `field0`, `field1`, and so on."""
        constants: dict[str, object] = {"Chosen": Chosen, **{one.__name__: one for one in self.classes.values()}}
        for one in named.values():
            if isinstance(one, Enumeration):
                written, members = layouts.enum_constants(one.name)
                constants[members] = one.symbols
                constants[written] = {symbol: varint(index << 1) for index, symbol in enumerate(one.symbols)}
        root = layouts.reference(Reference(name=_WHOLE))
        self._codec = compile_layouts(name, root, map(layouts.record, records), constants)

    def encode(self, value: object) -> bytes:
        """Return a value as Avro binary.

        Raises:
            EncodeError: It does not fit the type; the path begins with `value`.
        """
        return self._codec.encode(self.classes[_WHOLE](field0=value))

    def decode(self, data: bytes) -> object:
        """Return the value of Avro binary.

        Raises:
            DecodeError: It is none of the type; the path begins with `value`.
        """
        found: object = self._codec.decode(data).field0
        return found
