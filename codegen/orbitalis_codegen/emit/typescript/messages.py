"""The module `messages`: an interface for each record, with a function that fills in defaults, and each enumeration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orbitalis_avro.types import Enumeration, Fixed, NamedType, Record
from orbitalis_codegen.emit.typescript import environment, names, text
from orbitalis_codegen.emit.typescript.types import Types
from orbitalis_codegen.model import Model

__all__ = ["TypeView", "emit_messages", "imported_types", "message_types", "type_views"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FieldView:
    """A field of a record."""

    name: str
    annotation: str
    comment: str
    value: str
    """What the function that makes the record takes for it."""
    has_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordView:
    """A record."""

    name: str
    function: str
    comment: str
    fields: tuple[_FieldView, ...]
    is_error: bool
    tag: str
    """What it has as `$type`, or nothing."""

    @property
    def given(self) -> str:
        """The type of what the function takes."""
        left_out = [text.literal(field.name) for field in self.fields if field.has_default]
        return f"Given<{self._fields}, {' | '.join(left_out)}>" if left_out else self._fields

    @property
    def head(self) -> str:
        """The beginning of the function."""
        if self.is_error:
            return self._taking_fields("constructor(", ") {", indent=2)
        return self._taking_fields(f"export const {self.function} = (", f"): {self.name} => ({{", indent=0)

    @property
    def _fields(self) -> str:
        """The type of the fields alone."""
        if self.is_error:
            return f"ErrorFields<{self.name}>"
        return f'Omit<{self.name}, "$type">' if self.tag else self.name

    def _taking_fields(self, start: str, end: str, *, indent: int) -> str:
        parameter = f"fields: {self.given}"
        if indent + len(start + parameter + end) <= text.LINE_LENGTH:
            return start + parameter + end
        margin = " " * indent
        if indent + len(parameter) + 3 > text.LINE_LENGTH:
            names = [text.literal(field.name) for field in self.fields if field.has_default]
            left_out = "".join(f"\n{margin}    | {name}" for name in names) if len(names) > 1 else f"\n    {names[0]}"
            parameter = f"fields: Given<\n{margin}    {self._fields},{left_out}\n{margin}  >"
        return f"{start}\n{margin}  {parameter},\n{margin}{end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _EnumerationView:
    """An enumeration."""

    name: str
    comment: str
    symbols: tuple[tuple[str, str], ...]


TypeView = _RecordView | _EnumerationView
"""What is emitted of a type."""


def message_types(model: Model, types: Types) -> dict[str, str]:
    """Return the type of each message by its name on the wire, in the order of the document."""
    return {
        message.name or message.key: types.type_names[message.record]
        for message in model.messages.values()
        if message.record is not None
    }


def emit_messages(model: Model) -> str:
    """Emit an interface for each record, and each enumeration."""
    types = Types.of(model)
    views = type_views(types)
    return environment.render(
        "messages.ts.jinja2",
        views=views,
        message_types=message_types(model, types),
        imports=imported_types(views),
    )


def type_views(types: Types, described: Callable[[NamedType], str] = lambda named: named.description) -> list[TypeView]:
    """Return what is to be emitted of each type, with the words that describe it."""
    views: list[TypeView] = []
    for named in types.named.values():
        match named:
            case Enumeration():
                symbols = names.unique_names((one, names.constant_name(one)) for one in named.symbols)
                views.append(
                    _EnumerationView(
                        name=types.type_names[named.name],
                        comment=text.comment(described(named)),
                        symbols=tuple((name, text.literal(symbol)) for symbol, name in symbols.items()),
                    )
                )
            case Record():
                views.append(_record(named, types, described(named)))
            case Fixed():
                pass
    return views


def imported_types(views: Iterable[TypeView]) -> list[str]:
    """Return what types and functions use of `typescript/src/support`."""
    fields = [field for view in views if isinstance(view, _RecordView) for field in view.fields]
    used = set(re.findall(r"\w+", " ".join(field.annotation for field in fields)))
    if any(field.has_default for field in fields):
        used.add("Given")
    return [name for name in ("Decimal", "Duration", "Given") if name in used]


def _record(record: Record, types: Types, words: str) -> _RecordView:
    of_protocol = record.name in types.of_protocol
    fields: list[_FieldView] = []
    for one in types.fields(record):
        description = one.field.description
        if one.name != one.field.name and names.camel_case(one.field.name) != one.name:
            description = f"{description.strip()}\n\nCalled `{one.field.name}` on the wire.".strip()
        annotation = types.annotation(one.field.type, of_protocol=of_protocol)
        value = f"fields.{one.name}"
        if one.default is not None:
            takes_null = "null" in annotation.split(" | ") and one.default != "null"
            value = f"{value} === undefined ? {one.default} : {value}" if takes_null else f"{value} ?? {one.default}"
        fields.append(
            _FieldView(
                name=one.name,
                annotation=annotation,
                comment=text.comment(description, indent=2) if description.strip() else "",
                value=value,
                has_default=one.default is not None,
            )
        )
    return _RecordView(
        name=types.type_names[record.name],
        function=types.function_names[record.name],
        comment=text.comment(words),
        fields=tuple(fields),
        is_error=record.name in types.errors,
        tag=text.literal(types.type_names[record.name]) if record.name in types.tagged else "",
    )
