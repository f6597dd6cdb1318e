"""What the functions that write, read and copy have in common: lines, places, checks and the object at the end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from orbitalis_avro.layout import (
    ArrayLayout,
    Layout,
    MapLayout,
    RecordLayout,
    ScalarLayout,
    UnionLayout,
)
from orbitalis_avro.logical import LOGICAL
from orbitalis_avro.plan import ScalarStep

__all__ = ["Function", "bulk_of", "has_parts", "is_null", "quoted"]

_LINE_LENGTH = 120
_EXPECTED = {
    "boolean": "a bool",
    "int": "an int",
    "long": "an int",
    "float": "a float",
    "double": "a float",
    "string": "a str",
    "bytes": "bytes",
    "fixed": "bytes",
    "null": "None",
}
_CLASSES = {
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "string": "str",
    "bytes": "bytes",
    "fixed": "bytes",
}


_BULK = {"int": "ints", "long": "longs", "double": "floats"}


class Function:
    """The lines of one function."""

    def __init__(self, record: RecordLayout) -> None:
        self.record = record
        self.lines: list[str] = []
        self._indent = 0
        self._numbers = 0

    def add(self, line: str) -> None:
        """Add a line."""
        line = "    " * self._indent + line
        # Only names make a line long, and a name has no layout of its own.
        self.lines.append(line if len(line) <= _LINE_LENGTH else f"{line}  # fmt: skip  # noqa: E501")

    @contextmanager
    def block(self, line: str) -> Generator[None]:
        """Add a line, and indent what follows."""
        self.add(line)
        self._indent += 1
        yield
        self._indent -= 1

    def number(self) -> int:
        """Return a number that no variable of the function has yet."""
        self._numbers += 1
        return self._numbers

    def at(self, at: str) -> None:
        """Note where the function is."""
        self.add(f'at = "{at}"')

    @contextmanager
    def level(self) -> Generator[None]:
        """Go one level down, and come back up after what is added."""
        if self.record.plan.is_recursive:
            self.add("guard.enter()")
        yield
        if self.record.plan.is_recursive:
            self.add("guard.leave()")

    def locate(self, faults: str) -> None:
        """Locate what the fields of the record meet."""
        with self.block(f"except {faults} as error:"):
            self.add("raise located(error, at, locals()) from None")

    @property
    def guard(self) -> tuple[str, str]:
        """What comes after the other parameters, and after the other arguments."""
        return (", guard: Guard", ", guard") if self.record.plan.is_guarded else ("", "")

    def check_class(self) -> None:
        """Hold `value` against the class of the record."""
        name = self.record.class_name
        with self.block(f"if value.__class__ is not {name}:"):
            if self.record.is_strict:
                self.add(f"raise unexpected({quoted(self.record.expected)}, value)")
            else:
                self.add(f"check_instance(value, {name})")

    @property
    def fields_parameter(self) -> str:
        """The parameter that says how many fields there are, of a record with several versions."""
        return ", fields: int" if len(self.record.plan.lengths) > 1 else ""

    @contextmanager
    def version_of_length(self, count: int) -> Generator[bool]:
        """Open a block for values of a version that has no more fields than `count`; yields whether there is one."""
        if count in self.record.plan.lengths[:-1]:
            with self.block(f"if fields == {count}:"):
                yield True
        else:
            yield False

    def construct(self, values: dict[str, str]) -> None:
        """Assign an object of the class to `value`, given the names of the variables with the fields.

        Fields of which there is no variable have their defaults.
        """
        fields = [field for field in self.record.fields if field.name in values]
        if self.record.is_filled:
            # Type checkers may believe that the class has no such dictionary.
            self.add(f"value: Any = object.__new__({self.record.class_name})")
            if fields:
                self.add("filled = value.__dict__")
            for field in fields:
                self.add(f'filled["{field.attribute}"] = {values[field.name]}')
            return
        arguments = [f"{field.attribute}={values[field.name]}" for field in fields if field.is_argument]
        if self.record.may_refuse:
            with self.block("try:"):
                self._call(arguments)
            with self.block("except Exception as error:"):
                self.add("raise refused(error) from error")
        else:
            self._call(arguments)
        for field in fields:
            if not field.is_argument:
                self.add(f'object.__setattr__(value, "{field.attribute}", {values[field.name]})')

    def _call(self, arguments: list[str]) -> None:
        line = f"value = {self.record.class_name}({', '.join(arguments)})"
        if len(line) + 4 * self._indent <= _LINE_LENGTH or not arguments:
            self.add(line)
            return
        with self.block(f"value = {self.record.class_name}("):
            for argument in arguments:
                self.add(f"{argument},")
        self.add(")")

    def branches(self, layout: UnionLayout, value: str) -> Iterator[int]:
        """Open a block for each branch that a value may be of; yields its index."""
        null_index = layout.step.null_index
        if null_index is not None:
            # What is not None is held against the other branch, whose error says more.
            with self.block(f"if {value} is None:"):
                yield null_index
            with self.block("else:"):
                yield 1 - null_index
            return
        word = "if"
        for index, test in layout.tests:
            with self.block(f"{word} {test.replace('{}', value)}:"):
                yield index
            word = "elif"
        with self.block("else:"):
            self.add(f"raise unexpected({quoted(layout.expected)}, {value})")

    def require(self, value: str, layout: ScalarLayout) -> None:
        """Hold a value against its class; what is forgiven is made one of the class."""
        step = layout.step
        name = _CLASSES[step.underlying]
        with self.block(f"if {value}.__class__ is not {name}:"):
            if not layout.is_strict:
                self.add(f"{value} = as_{name}({value})")
            elif name == "float":
                self.add(f"{value} = exact_float({value})")
            else:
                self.add(f'raise unexpected("{_EXPECTED[step.name]}", {value})')

    def require_sequence(self, value: str, layout: ArrayLayout, number: int) -> None:
        """Hold a value against its class, and assign the sequence to `items…`."""
        if layout.sequence == "any":
            self.add(f"items{number} = {value} if {value}.__class__ is tuple else sequence_of({value})")
        else:
            with self.block(f"if {value}.__class__ is not {layout.sequence}:"):
                self.add(f'raise unexpected("a {layout.sequence}", {value})')
            self.add(f"items{number} = {value}")

    def require_mapping(self, value: str, layout: MapLayout, number: int) -> None:
        """Hold a value against its class, and assign the mapping to `entries…`."""
        if layout.is_strict:
            with self.block(f"if {value}.__class__ is not dict:"):
                self.add(f'raise unexpected("a dict", {value})')
            self.add(f"entries{number} = {value}")
        else:
            self.add(f"entries{number} = mapping_of({value})")

    def require_key(self, layout: MapLayout, number: int) -> None:
        """Hold `key…` against its class."""
        with self.block(f"if key{number}.__class__ is not str:"):
            if layout.is_strict:
                self.add(f'raise unexpected("a str as key", key{number})')
            else:
                self.add(f"key{number} = as_str(key{number})")

    def allow(self, value: str, layout: ScalarLayout) -> None:
        """Refuse what is not among the values that are allowed."""
        if layout.allowed is not None:
            with self.block(f"if {value} not in {layout.allowed}:"):
                self.add(f'raise unexpected(f"one of {{{layout.allowed}}}", {value})')

    def lower(self, value: str, step: ScalarStep, target: str) -> None:
        """Make the primitive of a logical value."""
        extra = f", {step.precision}, {step.scale}, {step.size}" if step.name == "decimal" else ""
        self.add(f"{target} = {LOGICAL[step.name].lower}({value}{extra})")

    def lift(self, value: str, step: ScalarStep, target: str) -> None:
        """Make the logical value of a primitive."""
        extra = f", {step.precision}, {step.scale}" if step.name == "decimal" else ""
        self.add(f"{target} = {LOGICAL[step.name].lift}({value}{extra})")


def bulk_of(layout: ArrayLayout) -> str | None:
    """Return what :mod:`orbitalis_avro.numbers` calls the items that it handles all at once; `None` for others."""
    match layout.items:
        case ScalarLayout(step=step, allowed=None):
            return _BULK.get(step.name)
        case _:
            return None


def has_parts(layout: Layout) -> bool:
    """Return whether work on a value changes `at`."""
    match layout:
        case ArrayLayout() | MapLayout():
            return True
        case UnionLayout(branches=branches):
            return any(has_parts(branch) for branch in branches)
        case _:
            return False


def is_null(layout: Layout) -> bool:
    """Return whether only None is of a layout."""
    return isinstance(layout, ScalarLayout) and layout.step.name == "null"


def quoted(text: str) -> str:
    """Write a text as it stands in source."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
