"""Functions that copy: what they return is what reading would give of what writing gives."""

from __future__ import annotations

from orbitalis_avro.layout import (
    ArrayLayout,
    EnumLayout,
    Layout,
    MapLayout,
    RecordReference,
    ScalarLayout,
    UnionLayout,
    is_shareable,
)
from orbitalis_avro.logical import LOGICAL
from orbitalis_avro.source.function import Function, bulk_of, has_parts, is_null, quoted

__all__ = ["Copier"]


class Copier(Function):
    """Makes a function that copies."""

    def function(self) -> str:
        """Return the source."""
        record = self.record
        values = {field.name: f"value{index}" for index, field in enumerate(record.fields, start=1)}
        self._numbers = len(values)
        with self.block(f"def _copy_{record.suffix}(value: Any{self.guard[0]}) -> {record.class_name}:"):
            self.check_class()
            start = len(self.lines)
            if record.fields:
                with self.level():
                    for index, field in enumerate(record.fields):
                        self.at(f".{field.name}")
                        if index == 0:
                            self.add("try:")
                            self._indent += 1
                        self.add(f"{values[field.name]} = value.{field.attribute}")
                        self._copy(field.layout, values[field.name], f".{field.name}")
                    self._indent -= 1
                    self.locate("WRITE_FAULTS")
            if not record.is_shareable:
                self.construct(values)
            if any(line.endswith("is_same = False") for line in self.lines[start:]):
                self.lines.insert(start, "    is_same = True")
                with self.block("if not is_same:"):
                    self.add(f"return read_back(_write_{record.suffix}, _read_{record.suffix}, value)")
            self.add("return value")
        return "\n".join(self.lines)

    def _copy(self, layout: Layout, value: str, at: str) -> None:
        """Check what the variable `value` holds, and put a copy into it."""
        match layout:
            case ScalarLayout(step=step):
                self.allow(value, layout)
                if step.name in LOGICAL:
                    self.lower(value, step, value)
                    self.lift(value, step, value)
                else:
                    self._scalar(layout, value)
            case EnumLayout(class_name=class_name, written=written, expected=expected):
                with self.block(f"if {value}.__class__ is not {class_name} or {value} not in {written}:"):
                    self.add(f"raise unexpected({quoted(expected)}, {value})")
            case ArrayLayout():
                self._array(layout, value, at)
            case MapLayout():
                self._map(layout, value, at)
            case UnionLayout():
                for index in self.branches(layout, value):
                    if is_null(layout.branches[index]):
                        self.add("pass")
                    else:
                        self._copy(layout.branches[index], value, at)
            case RecordReference(suffix=suffix, step=step):
                copied = f"_copy_{suffix}({value}{', guard' if step.is_guarded else ''})"
                if self.record.is_shareable:
                    with self.block(f"if {copied} is not {value}:"):
                        self.add("is_same = False")
                else:
                    self.add(f"{value} = {copied}")

    def _scalar(self, layout: ScalarLayout, value: str) -> None:
        step = layout.step
        match step.underlying:
            case "null":
                with self.block(f"if {value} is not None:"):
                    self.add(f'raise unexpected("None", {value})')
            case "boolean":
                with self.block(f"if {value} is not True and {value} is not False:"):
                    self.add(f"as_bool({value})")
            case "string":
                self.require(value, layout)
                with self.block(f"if not {value}.isascii():"):
                    self.add(f"{value}.encode()")
            case "int" | "long":
                self.require(value, layout)
                with self.block(f"if not 0 <= {value} < 1024:"):
                    self.add(f"write_{step.underlying}({value})")
            case "float":
                self.require(value, layout)
                self.add(f"{value} = round_float({value})")
            case "double" if self.record.is_shareable:
                with self.block(f"if {value}.__class__ is not float:"):
                    self.add(f"exact_float({value})")
                    self.add("is_same = False")
            case "fixed":
                self.require(value, layout)
                self.add(f"write_fixed({value}, {step.size})")
            case _:
                self.require(value, layout)

    def _array(self, layout: ArrayLayout, value: str, at: str) -> None:
        number = self.number()
        self.require_sequence(value, layout, number)
        if layout.step.minimum == 0:
            self.add(f"guard.count(len(items{number}))")
        changes = not is_shareable(layout) or (not self.record.is_shareable and _may_differ(layout.items))
        if changes:
            self.add(f"copies{number}: list[{layout.items.annotation}] = []")
        bulk = bulk_of(layout)
        if bulk is None:
            self._each(layout, number, at, changes)
        elif changes:
            with self.block(f"if len(items{number}) > MANY and are_{bulk}(items{number}):"):
                self.add(f"copies{number} += items{number}")
            with self.block("else:"):
                self._each(layout, number, at, changes)
        else:
            with self.block(f"if len(items{number}) <= MANY or not are_{bulk}(items{number}):"):
                self._each(layout, number, at, changes)
        if changes:
            made = f"copies{number}" if layout.sequence == "list" else f"tuple(copies{number})"
            self.add(f"{value} = {made}")

    def _each(self, layout: ArrayLayout, number: int, at: str, changes: bool) -> None:
        """Check the items one by one, and copy them if that makes a difference."""
        self.add(f"each{number} = iter(items{number})")
        inner = f"{at}[each{number}]"
        self.at(inner)
        with self.block(f"for item{number} in each{number}:"):
            if has_parts(layout.items):
                self.at(inner)
            self._copy(layout.items, f"item{number}", inner)
            if changes:
                self.add(f"copies{number}.append(item{number})")

    def _map(self, layout: MapLayout, value: str, at: str) -> None:
        number = self.number()
        self.require_mapping(value, layout, number)
        self.add(f"copies{number}: dict[str, {layout.values.annotation}] = {{}}")
        inner = f"{at}[key{number}]"
        with self.block(f"for key{number}, item{number} in entries{number}.items():"):
            self.at(inner)
            self.require_key(layout, number)
            with self.block(f"if not key{number}.isascii():"):
                self.add(f"key{number}.encode()")
            self._copy(layout.values, f"item{number}", inner)
            self.add(f"copies{number}[key{number}] = item{number}")
        self.add(f"{value} = copies{number}")


def _may_differ(layout: Layout) -> bool:
    """Return whether a value that can be shared may still arrive as another one: an int that a float equals."""
    match layout:
        case ScalarLayout(step=step):
            return step.name == "double"
        case ArrayLayout(items=items):
            return _may_differ(items)
        case UnionLayout(branches=branches):
            return any(_may_differ(branch) for branch in branches)
        case RecordReference():
            return True
        case _:
            return False
