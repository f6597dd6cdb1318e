"""Functions that read."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

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
from orbitalis_avro.source.function import Function, bulk_of, has_parts, quoted

__all__ = ["Reader"]

_FEW_BRANCHES = 64
"""So many have an index of one byte."""


class Reader(Function):
    """Makes a function that reads."""

    def function(self) -> str:
        """Return the source."""
        record, parts = self.record, self.record.parts
        parameter, argument = self.guard
        start = "data: bytes, position: int"
        values = {field.name: f"value{index}" for index, field in enumerate(record.fields, start=1)}
        self._numbers = len(values)
        if len(parts) > 1:
            for number, fields in enumerate(parts, start=1):
                # Sequences are read as tuples, which classes take where they do not take every sequence of texts.
                annotations = (field.layout.annotation for field in fields)
                types = ", ".join(
                    one.replace("Sequence[str]", "tuple[str, ...]", one.startswith("Seq")) for one in annotations
                )
                name = f"_part_{number}_read_{record.suffix}"
                with self.block(f"def {name}({start}{parameter}) -> tuple[{types}, int]:"):
                    self._fields(fields, values, has_versions=False)
                    self.add(f"return {', '.join(values[field.name] for field in fields)}, position")
                self.lines += ["", ""]
        parameters = f"{start}{self.fields_parameter}{parameter}"
        with self.block(f"def _read_{record.suffix}({parameters}) -> tuple[{record.class_name}, int]:"):
            if len(parts) == 1:
                with self.level():
                    self._fields(parts[0], values, has_versions=True)
            elif parts:
                with self.level():
                    count = 0
                    for number, fields in enumerate(parts, start=1):
                        self._end_version(count, values)
                        count += len(fields)
                        targets = ", ".join(values[field.name] for field in fields)
                        self.add(f"{targets}, position = _part_{number}_read_{record.suffix}(data, position{argument})")
            self.construct(values)
            self.add("return value, position")
        return "\n".join(self.lines)

    def _end_version(self, count: int, values: dict[str, str]) -> None:
        """Return what there is, of a version that has no more fields than `count`."""
        with self.version_of_length(count) as is_one:
            if is_one:
                self.construct(dict([*values.items()][:count]))
                self.add("return value, position")

    def _fields(self, fields: tuple[FieldLayout, ...], values: dict[str, str], *, has_versions: bool) -> None:
        start = len(self.lines)
        for index, field in enumerate(fields):
            if has_versions:
                self._end_version(index, values)
            self.at(f".{field.name}")
            if index == 0:
                self.add("try:")
                self._indent += 1
            self.read(field.layout, values[field.name], f".{field.name}")
        self._indent -= 1
        self.locate("READ_FAULTS")
        self.measure(start)

    def measure(self, start: int) -> None:
        """Assign the length of the data before the line `start`, if lines after it need that."""
        if any("> size:" in line for line in self.lines[start:]):
            self.add("size = len(data)")
            self.lines.insert(start, self.lines.pop())

    def read(self, layout: Layout, target: str, at: str) -> None:
        """Add what reads a value into the variable `target`; `at` is its path in the message."""
        match layout:
            case ScalarLayout(step=step):
                if step.name in LOGICAL:
                    raw = f"raw{self.number()}"
                    self.primitive(step.underlying, raw, step)
                    self.lift(raw, step, target)
                else:
                    self.primitive(step.underlying, target, step)
                self.allow(target, layout)
            case EnumLayout(step=step):
                self.add(f"index, position = read_index(data, position, {len(step.symbols)})")
                self.take(layout, target)
            case ArrayLayout():
                self._array(layout, target, at)
            case MapLayout():
                self._map(layout, target, at)
            case UnionLayout():
                self._union(layout, target, at)
            case RecordReference(suffix=suffix, step=step):
                guard = ", guard" if step.is_guarded else ""
                self.add(f"{target}, position = _read_{suffix}(data, position{guard})")

    def take(self, layout: EnumLayout, target: str) -> None:
        """Assign the member at `index`."""
        self.add(f"{target} = {layout.members}[index]")
        if layout.is_narrowed:
            with self.block(f"if {target} not in {layout.written}:"):
                self.add(f"raise unexpected({quoted(layout.expected)}, {target})")

    def primitive(self, underlying: str, target: str, step: ScalarStep) -> None:
        """Add what reads a value of a primitive type into the variable `target`."""
        match underlying:
            case "null":
                self.add(f"{target} = None")
            case "boolean":
                self.add("byte = data[position]")
                with self.block("if byte > 1:"):
                    self.add("raise bad_boolean(byte)")
                self.add("position += 1")
                self.add(f"{target} = byte == 1")
            case "int" | "long":
                self.add("number = data[position]")
                with self.block("if number < 128:"):
                    self.add("position += 1")
                    self.add(f"{target} = (number >> 1) ^ -(number & 1)")
                with self.block("else:"):
                    self.add(f"{target}, position = read_{underlying}(data, position)")
            case "float":
                self.add(f"{target}, position = read_float(data, position)")
            case "double":
                self.add(f"({target},) = unpack_double(data, position)")
                self.add("position += 8")
            case "string" | "bytes":
                self.add("length = data[position]")
                # The byte of a length below 64: even, and the last of the number.
                with self.block("if length & 129:"):
                    self.add("length, position = read_length(data, position)")
                with self.block("else:"):
                    self.add("length >>= 1")
                    self.add("position += 1")
                self.add("end = position + length")
                with self.block("if end > size:"):
                    self.add("raise too_long(length, size - position)")
                self.add(f"{target} = data[position:end]{'.decode()' if underlying == 'string' else ''}")
                self.add("position = end")
            case _:
                self.add(f"{target}, position = read_fixed(data, position, {step.size})")

    def _array(self, layout: ArrayLayout, target: str, at: str) -> None:
        number = self.number()
        self.add(f"items{number}: list[{layout.items.annotation}] = []")
        inner = f"{at}[items{number}]"
        with self.blocks(number, layout.step.minimum, at):
            if layout.step.minimum == 0:
                self.add(f"guard.count(count{number})")
            self.at(inner)
            bulk = bulk_of(layout)
            if bulk is None:
                self._each(layout, number, inner)
            else:
                with self.block(f"if count{number} > MANY:"):
                    self.add(f"position = read_{bulk}(data, position, count{number}, items{number})")
                with self.block("else:"):
                    self._each(layout, number, inner)
            self.at(at)
        self.add(f"{target} = items{number}" if layout.sequence == "list" else f"{target} = tuple(items{number})")

    def _each(self, layout: ArrayLayout, number: int, inner: str) -> None:
        """Read the items of a block one by one."""
        with self.block(f"for _ in range(count{number}):"):
            if has_parts(layout.items):
                self.at(inner)
            self.read(layout.items, f"item{number}", inner)
            self.add(f"items{number}.append(item{number})")

    def _map(self, layout: MapLayout, target: str, at: str) -> None:
        number = self.number()
        self.add(f"entries{number}: dict[str, {layout.values.annotation}] = {{}}")
        with self.blocks(number, layout.step.minimum, at):
            with self.block(f"for _ in range(count{number}):"):
                self.at(at)
                self.add(f"key{number}, position = read_key(data, position, entries{number})")
                inner = f"{at}[key{number}]"
                self.at(inner)
                self.read(layout.values, f"item{number}", inner)
                self.add(f"entries{number}[key{number}] = item{number}")
            self.at(at)
        self.add(f"{target} = entries{number}")

    @contextmanager
    def blocks(self, number: int, minimum: int, at: str) -> Generator[None]:
        """Add the loops over the blocks of an array or map; what is added within reads one of its items."""
        with self.block("while data[position]:"):
            self.add(f"count{number}, position, end{number} = read_block(data, position, {minimum})")
            yield
            with self.block(f"if position != end{number}:"):
                self.add(f"check_block(position, end{number})")
        self.add("position += 1")

    def _union(self, layout: UnionLayout, target: str, at: str) -> None:
        count = len(layout.branches)
        self.add(f"{target}: {layout.annotation}")
        branch = f"branch{self.number()}"
        is_short = count <= _FEW_BRANCHES
        if is_short:
            self.add(f"{branch} = data[position]")
            self.add("position += 1")
        else:
            self.add(f"{branch}, position = read_index(data, position, {count})")
        word = "if"
        for index, inner in enumerate(layout.branches):
            with self.block(f"{word} {branch} == {index * 2 if is_short else index}:"):
                self.read(inner, target, at)
            word = "elif"
        with self.block("else:"):
            self.add(f"raise bad_branch(data, position - 1, {count})")
