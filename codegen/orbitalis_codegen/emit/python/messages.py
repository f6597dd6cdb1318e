"""The module `messages`: a class for each record and enumeration, laid out by a template."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass

from orbitalis_avro.types import Enumeration, Fixed, Record
from orbitalis_codegen.emit.python import environment, names, records, text
from orbitalis_codegen.emit.python.records import Slot
from orbitalis_codegen.emit.python.types import PythonField, Types

__all__ = ["MODULES", "emit_messages", "names_in", "symbol_names"]

MODULES = {
    **dict.fromkeys(("Mapping", "Sequence"), "collections.abc"),
    **dict.fromkeys(("UTC", "date", "datetime", "time", "timedelta"), "datetime"),
    "Decimal": "decimal",
    "Duration": "orbitalis_avro.rare",
    "UUID": "uuid",
}
"""What annotations and the source of defaults use, and where it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _FieldView:
    """A field of a record."""

    declaration: str
    docstring: str
    refusal: str
    assignment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordView:
    """A record."""

    name: str
    docstring: str
    slots: str
    fields: tuple[_FieldView, ...]
    signature: str
    is_message: bool
    """Whether it travels by itself, and so has a codec that knows its schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _EnumerationView:
    """An enumeration."""

    name: str
    docstring: str
    symbols: tuple[str, ...]


def emit_messages(types: Types) -> str:
    """Emit a class for each record and enumeration."""
    imports: defaultdict[str, set[str]] = defaultdict(set)
    classes: list[_RecordView | _EnumerationView] = []
    for named in types.named.values():
        name = types.class_names[named.name]
        docstring = text.docstring(named.description, indent=4)
        match named:
            case Enumeration():
                classes.append(_EnumerationView(name=name, docstring=docstring, symbols=_symbols(named)))
                imports["enum"].add("StrEnum")
            case Record():
                classes.append(_record(named, name, docstring, types, imports))
            case Fixed():
                pass
    own = {module: imports.pop(module) for module in sorted(imports) if module.startswith("orbitalis_avro.")}
    return environment.render(
        "messages.py.jinja2",
        imports=[text.import_from(module, imported) for module, imported in sorted(imports.items())],
        own_imports="\n".join(text.import_from(module, imported) for module, imported in own.items()),
        exported=text.sorted_names(view.name for view in classes),
        classes=classes,
    )


def _record(
    record: Record, name: str, docstring: str, types: Types, imports: defaultdict[str, set[str]]
) -> _RecordView:
    fields = types.fields(record)
    slots = [
        Slot(name=one.name, annotation=types.annotation(one.field.type), default=one.default, is_factory=one.is_factory)
        for one in fields
    ]
    imports["orbitalis_avro.records"].update(["Record", "record"])
    for slot in slots:
        _add_imports(imports, slot)
    return _RecordView(
        name=name,
        docstring=docstring,
        slots=records.slots(slots),
        fields=tuple(_field(field, slot) for field, slot in zip(fields, slots, strict=True)),
        signature=records.signature(slots),
        is_message=record.name in types.messages,
    )


def symbol_names(enumeration: Enumeration) -> dict[str, str]:
    """Name the members of an enumeration: symbol to name, in the order of the schema."""
    return names.unique_names((symbol, names.symbol_name(symbol)) for symbol in enumeration.symbols)


def names_in(*sources: str) -> set[str]:
    """The names that some sources refer to."""
    nodes = (node for source in sources for node in ast.walk(ast.parse(source)))
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _add_imports(imports: defaultdict[str, set[str]], slot: Slot) -> None:
    if slot.takes_texts:
        imports["orbitalis_avro.records"].update(["TEXT", "not_several"])
    for name in names_in(slot.annotation, slot.default or "") & MODULES.keys():
        imports[MODULES[name]].add(name)
    if slot.is_made_anew:
        imports["orbitalis_avro.records"].add("ABSENT")


def _field(field: PythonField, slot: Slot) -> _FieldView:
    description = field.field.description
    if field.name != field.field.name:
        description = f"{description.strip()}\n\nCalled `{field.field.name}` on the wire.".strip()
    return _FieldView(
        declaration=slot.declaration,
        docstring=text.docstring(description, indent=4),
        refusal=slot.refusal,
        assignment=slot.assignment,
    )


def _symbols(enumeration: Enumeration) -> tuple[str, ...]:
    return tuple(f"{name} = {text.literal(symbol)}" for symbol, name in symbol_names(enumeration).items())
