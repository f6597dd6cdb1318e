"""What the templates of the codecs are given: a view for each function, and for each message in the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "BranchView",
    "Call",
    "ContainerView",
    "EnumerationView",
    "FieldView",
    "MessageView",
    "RecordFunctions",
    "RecordView",
    "UnionView",
    "View",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How values of a type are written and read."""

    annotation: str
    """Of the value that is read."""
    write: str
    """Start of the call that writes a value, up to the bracket."""
    write_extra: tuple[str, ...]
    """Arguments after the value."""
    read: str
    """The whole call that reads one."""
    is_guarded: bool

    def write_value(self, value: str) -> str:
        """Call for a value."""
        return f"{self.write}{', '.join((value, *self.write_extra))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A field in the functions of its record."""

    path: str
    name: str
    local: str
    null_index: int | None
    """Which branch null is, if the field is a union of null and one other type."""
    null_bytes: str
    value_bytes: str
    write: str
    write_arguments: tuple[str, ...]
    read: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """A record."""

    kind: str = "record"
    suffix: str
    class_name: str
    guard_parameter: str
    is_recursive: bool
    read_signature: str
    fields: tuple[FieldView, ...]

    @property
    def has_optional(self) -> bool:
        """Whether a field is a union of null and one other type."""
        return any(field.null_index is not None for field in self.fields)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the class."""
        return tuple(f"{field.name}={field.local}" for field in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerView:
    """An array or a map."""

    kind: str
    suffix: str
    guard_parameter: str
    read_signature: str
    item_annotation: str
    minimum: int
    """Bytes that an item takes at least; with the key in a map."""
    write: str
    read: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchView:
    """A branch of a union."""

    test: str
    """Whether a value is of this branch; the tests are made in the order of `UnionView.write_order`."""
    prefix: str
    write: str
    read: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionView:
    """A union."""

    kind: str = "union"
    suffix: str
    guard_parameter: str
    read_signature: str
    expected: str
    branches: tuple[BranchView, ...]
    write_order: tuple[BranchView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationView:
    """An enumeration."""

    kind: str = "enumeration"
    suffix: str
    constant: str
    class_name: str
    symbols: int
    read_signature: str


View: TypeAlias = RecordView | ContainerView | UnionView | EnumerationView


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFunctions:
    """The public functions of a record."""

    class_name: str
    function: str
    suffix: str
    guard_argument: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message in the table of codecs."""

    constant: str
    class_name: str
    function: str
    payload_format: str
    payload_field: str
    payload_path: str
    reads_text: bool
    struct: str | None
