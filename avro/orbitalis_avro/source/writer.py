"""Functions that write."""

from __future__ import annotations

from orbitalis_avro.binary import varint
from orbitalis_avro.layout import (
    ArrayLayout,
    EnumLayout,
    FieldLayout,
    Layout,
    MapLayout,
    RecordReference,
    ScalarLayout,
    UnionLayout,
)
from orbitalis_avro.logical import LOGICAL
from orbitalis_avro.plan import ScalarStep
from orbitalis_avro.source.function import Function, bulk_of, has_parts, is_null, quoted

__all__ = ["Writer"]


class Writer(Function):
    """Makes a function that writes."""

    def function(self) -> str:
        """Return the source."""
        suffix, parts = self.record.suffix, self.record.parts
        parameter, argument = self.guard
        start = "value: Any, add: Callable[[bytes], None]"
        if len(parts) > 1:
            for number, fields in enumerate(parts, start=1):
                with self.block(f"def _part_{number}_write_{suffix}({start}{parameter}) -> None:"):
                    self._fields(fields, has_versions=False)
                self.lines += ["", ""]
        with self.block(f"def _write_{suffix}({start}{self.fields_parameter}{parameter}) -> None:"):
            self.check_class()
            if len(parts) == 1:
                with self.level():
                    self._fields(parts[0], has_versions=True)
            elif parts:
                with self.level():
                    count = 0
                    for number, fields in enumerate(parts, start=1):
                        self._end_version(count)
                        count += len(fields)
                        self.add(f"_part_{number}_write_{suffix}(value, add{argument})")
        return "\n".join(self.lines)

    def _end_version(self, count: int) -> None:
        """Return after the fields of a version that has no more than `count`."""
        with self.version_of_length(count) as is_one:
            if is_one:
                self.add("return")

    def _fields(self, fields: tuple[FieldLayout, ...], *, has_versions: bool) -> None:
        for index, field in enumerate(fields):
            if has_versions:
                self._end_version(index)
            if index == 0:
                self.at(f".{field.name}")
                self.add("try:")
                self._indent += 1
            else:
                self.at(f".{field.name}")
            value = f"value{self.number()}"
            self.add(f"{value} = value.{field.attribute}")
            self._write(field.layout, value, f".{field.name}")
        self._indent -= 1
        self.locate("WRITE_FAULTS")

    def _write(self, layout: Layout, value: str, at: str) -> None:
        match layout:
            case ScalarLayout(step=step):
                self.allow(value, layout)
                if step.name in LOGICAL:
                    raw = f"raw{self.number()}"
                    self.lower(value, step, raw)
                    self._primitive(step.underlying, raw, step)
                else:
                    self._scalar(layout, value)
            case EnumLayout():
                self._symbol(layout, value)
            case ArrayLayout():
                self._array(layout, value, at)
            case MapLayout():
                self._map(layout, value, at)
            case UnionLayout():
                self._union(layout, value, at)
            case RecordReference(suffix=suffix, step=step):
                self.add(f"_write_{suffix}({value}, add{', guard' if step.is_guarded else ''})")

    def _scalar(self, layout: ScalarLayout, value: str) -> None:
        match layout.step.underlying:
            case "null":
                with self.block(f"if {value} is not None:"):
                    self.add(f'raise unexpected("None", {value})')
            case "boolean":
                self.add(rf'add(b"\1" if {value} is True else b"\0" if {value} is False else as_bool({value}))')
            case underlying:
                self.require(value, layout)
                self._primitive(underlying, value, layout.step)

    def _primitive(self, underlying: str, value: str, step: ScalarStep) -> None:
        match underlying:
            case "int" | "long":
                self.add(f"add(LENGTHS[{value}] if 0 <= {value} < 1024 else write_{underlying}({value}))")
            case "float":
                self.add(f"add(write_float({value}))")
            case "double":
                self.add(f"add(pack_double({value}))")
            case "string":
                self._text(value)
            case "bytes":
                self._length(value)
                self.add(f"add({value})")
            case _:
                self.add(f"add(write_fixed({value}, {step.size}))")

    def _text(self, value: str) -> None:
        self.add(f"encoded = {value}.encode()")
        self._length("encoded")
        self.add("add(encoded)")

    def _length(self, value: str) -> None:
        self.add(f"length = len({value})")
        self.add("add(LENGTHS[length] if length < 1024 else varint(length << 1))")

    def _symbol(self, layout: EnumLayout, value: str) -> None:
        symbol = f"symbol{self.number()}"
        # Looked up once: members of an enum have a hash of their own, in Python.
        self.add(f"{symbol} = {layout.written}.get({value}) if {value}.__class__ is {layout.class_name} else None")
        with self.block(f"if {symbol} is None:"):
            self.add(f"raise unexpected({quoted(layout.expected)}, {value})")
        self.add(f"add({symbol})")

    def _array(self, layout: ArrayLayout, value: str, at: str) -> None:
        number = self.number()
        self.require_sequence(value, layout, number)
        with self.block(f"if items{number}:"):
            if layout.step.minimum == 0:
                self.add(f"guard.count(len(items{number}))")
            self._length(f"items{number}")
            bulk = bulk_of(layout)
            if bulk is None:
                self._each(layout, number, at)
            else:
                with self.block(f"if len(items{number}) > MANY and are_{bulk}(items{number}):"):
                    self.add(f"add(write_{'floats' if bulk == 'floats' else 'longs'}(items{number}))")
                with self.block("else:"):
                    self._each(layout, number, at)
        self.add(r'add(b"\0")')

    def _each(self, layout: ArrayLayout, number: int, at: str) -> None:
        """Write the items one by one."""
        self.add(f"each{number} = iter(items{number})")
        inner = f"{at}[each{number}]"
        self.at(inner)
        with self.block(f"for item{number} in each{number}:"):
            if has_parts(layout.items):
                self.at(inner)
            self._write(layout.items, f"item{number}", inner)

    def _map(self, layout: MapLayout, value: str, at: str) -> None:
        number = self.number()
        self.require_mapping(value, layout, number)
        with self.block(f"if entries{number}:"):
            self._length(f"entries{number}")
            inner = f"{at}[key{number}]"
            with self.block(f"for key{number}, item{number} in entries{number}.items():"):
                self.at(inner)
                self.require_key(layout, number)
                self._text(f"key{number}")
                self._write(layout.values, f"item{number}", inner)
        self.add(r'add(b"\0")')

    def _union(self, layout: UnionLayout, value: str, at: str) -> None:
        for index in self.branches(layout, value):
            self.add(f"add({_index_literal(index)})")
            if not is_null(layout.branches[index]):
                self._write(layout.branches[index], value, at)


def _index_literal(index: int) -> str:
    """Return source of the index of a branch, as it stands on the wire."""
    return "b" + '"' + "".join(f"\\x{byte:02x}" for byte in varint(index << 1)) + '"'
