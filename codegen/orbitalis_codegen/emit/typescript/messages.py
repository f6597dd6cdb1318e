"""The module `messages`: an interface for each record, with a function that fills in defaults, and each enumeration."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orbitalis_avro.types import Enumeration, Fixed, Record
from orbitalis_codegen.emit.typescript import environment, names, text
from orbitalis_codegen.emit.typescript.types import Types
from orbitalis_codegen.model import Model

__all__ = ["emit_messages", "message_types"]


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

    @property
    def given(self) -> str:
        """The type of what the function takes."""
        left_out = [text.literal(field.name) for field in self.fields if field.has_default]
        return f"Given<{self.name}, {' | '.join(left_out)}>" if left_out else self.name

    @property
    def head(self) -> str:
        """The beginning of the function."""
        start, end = f"export const {self.function} = (", f"): {self.name} => ({{"
        parameter = f"fields: {self.given}"
        if len(start + parameter + end) <= text.LINE_LENGTH:
            return start + parameter + end
        if len(parameter) + 3 > text.LINE_LENGTH:
            left_out = "".join(f"\n    | {text.literal(field.name)}" for field in self.fields if field.has_default)
            parameter = f"fields: Given<\n    {self.name},{left_out}\n  >"
        return f"{start}\n  {parameter},\n{end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _EnumerationView:
    """An enumeration."""

    name: str
    comment: str
    symbols: tuple[tuple[str, str], ...]


def message_types(model: Model, types: Types) -> dict[str, str]:
    """Return the type of each message by its name on the wire, in the order of the document."""
    return {
        message.name or message.key: types.type_names[message.record]
        for message in model.messages.values()
        if message.record is not None
    }


def emit_messages(model: Model) -> str:
    """Emit an interface for each record, and each enumeration."""
    types = Types(model)
    views: list[_RecordView | _EnumerationView] = []
    for named in types.named.values():
        match named:
            case Enumeration():
                symbols = names.unique_names((one, names.constant_name(one)) for one in named.symbols)
                views.append(
                    _EnumerationView(
                        name=types.type_names[named.name],
                        comment=text.comment(named.description),
                        symbols=tuple((name, text.literal(symbol)) for symbol, name in symbols.items()),
                    )
                )
            case Record():
                views.append(_record(named, types))
            case Fixed():
                pass
    source = " ".join(field.annotation for view in views if isinstance(view, _RecordView) for field in view.fields)
    used = {*re.findall(r"\w+", source), *(["Given"] if _has_defaults(views) else [])}
    return environment.render(
        "messages.ts.jinja2",
        views=views,
        message_types=message_types(model, types),
        imports=[name for name in ("Decimal", "Duration", "Given") if name in used],
    )


def _has_defaults(views: list[_RecordView | _EnumerationView]) -> bool:
    return any(field.has_default for view in views if isinstance(view, _RecordView) for field in view.fields)


def _record(record: Record, types: Types) -> _RecordView:
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
                comment=text.comment(description, indent=2),
                value=value,
                has_default=one.default is not None,
            )
        )
    return _RecordView(
        name=types.type_names[record.name],
        function=types.function_names[record.name],
        comment=text.comment(record.description),
        fields=tuple(fields),
    )
