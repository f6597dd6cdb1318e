"""Message classes: datamodel-code-generator decides on their order, annotations and imports; a template lays them out.

It gets the schemas without documentation and defaults and with names of no meaning, since it would reorder fields that
have defaults, rename what it finds no good name, and make lists the defaults of sequences.
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from dataclasses import dataclass

from orbitalis_avro.types import (
    Array,
    AvroType,
    Enumeration,
    Fixed,
    LogicalType,
    Map,
    Primitive,
    Record,
    Reference,
    Union,
)
from orbitalis_codegen.emit.errors import EmitError
from orbitalis_codegen.emit.python import environment, names, records, text
from orbitalis_codegen.emit.python.records import Slot
from orbitalis_codegen.emit.python.types import PythonField, Types

__all__ = ["emit_messages", "symbol_names"]

_LOGICAL_TYPES = frozenset({"timestamp-millis", "timestamp-micros", "date", "uuid"})
_IMPORTS_OF_DEFAULTS = {
    "UTC": "datetime",
    "UUID": "uuid",
    "date": "datetime",
    "datetime": "datetime",
    "timedelta": "datetime",
}
"""What the source of a default uses, and where it comes from."""
_MODULES_OF_ANNOTATIONS = ("collections.abc", "datetime", "uuid")


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
    generated = ast.parse(_generate(types))
    imports = _imports(generated)
    classes: list[_RecordView | _EnumerationView] = []
    for node in generated.body:
        named = _named(node, types)
        if isinstance(node, ast.ClassDef) and named is not None:
            name = types.class_names[named.name]
            docstring = text.docstring(named.description, indent=4)
            if isinstance(named, Enumeration):
                classes.append(_EnumerationView(name=name, docstring=docstring, symbols=_symbols(named)))
                imports["enum"].add("StrEnum")
                continue
            fields, annotations = types.fields(named), _annotations(node, types)
            slots = [
                Slot(name=one.name, annotation=annotation, default=one.default, is_factory=one.is_factory)
                for index, one in enumerate(fields)
                for annotation in [annotations[_field_key(index)]]
            ]
            imports["orbitalis_avro.records"].update(["Record", "record"])
            for slot in slots:
                _add_imports(imports, slot)
            classes.append(
                _RecordView(
                    name=name,
                    docstring=docstring,
                    slots=records.slots(slots),
                    fields=tuple(_field(field, slot) for field, slot in zip(fields, slots, strict=True)),
                    signature=records.signature(slots),
                    is_message=named.name in types.messages,
                )
            )
    own = imports.pop("orbitalis_avro.records", ())
    return environment.render(
        "messages.py.jinja2",
        imports=[text.import_from(module, imported) for module, imported in sorted(imports.items())],
        own_imports=text.import_from("orbitalis_avro.records", own) if own else "",
        exported=text.sorted_names(view.name for view in classes),
        classes=classes,
    )


def symbol_names(enumeration: Enumeration) -> dict[str, str]:
    """Name the members of an enumeration: symbol to name, in the order of the schema."""
    return names.unique_names((symbol, names.symbol_name(symbol)) for symbol in enumeration.symbols)


def _generate(types: Types) -> str:
    # Importing it takes 0.1 s and its first run 0.7 s: only who emits pays.
    from datamodel_code_generator import generate
    from datamodel_code_generator.enums import DataModelType, InputFileType
    from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion

    schemas = [
        schema
        for index, named in enumerate(types.named.values())
        if (schema := _named_schema(named, _class_key(index), types)) is not None
    ]
    source = generate(
        json.dumps(schemas),
        input_file_type=InputFileType.Avro,
        output_model_type=DataModelType.DataclassesDataclass,
        target_python_version=PythonVersion.PY_311,
        strict_nullable=True,
        use_standard_collections=True,
        use_generic_container_types=True,
        use_union_operator=True,
        use_standard_primitive_types=True,
        output_datetime_class=DatetimeClassType.Datetime,
        formatters=[Formatter.BUILTIN],
        disable_timestamp=True,
    )
    if not isinstance(source, str):
        raise EmitError("datamodel-code-generator made something other than one module of the schemas")
    return source


def _class_key(index: int) -> str:
    """Name a class for datamodel-code-generator."""
    return f"Named{index}"


def _field_key(index: int) -> str:
    """Name a field for datamodel-code-generator."""
    return f"field{index}"


def _named(node: ast.AST, types: Types) -> Record | Enumeration | None:
    """Find the type that a class, or the name of one, stands for."""
    key = node.name if isinstance(node, ast.ClassDef) else node.id if isinstance(node, ast.Name) else ""
    found = re.fullmatch(r"Named(\d+)", key)
    named = None if found is None else list(types.named.values())[int(found[1])]
    return None if isinstance(named, Fixed) else named


def _imports(generated: ast.Module) -> defaultdict[str, set[str]]:
    imports: defaultdict[str, set[str]] = defaultdict(set)
    for node in generated.body:
        if isinstance(node, ast.ImportFrom) and node.module in _MODULES_OF_ANNOTATIONS:
            imports[node.module].update(alias.name for alias in node.names)
    return imports


def _add_imports(imports: defaultdict[str, set[str]], slot: Slot) -> None:
    if slot.takes_texts:
        imports["orbitalis_avro.records"].update(["TEXT", "not_several"])
    if slot.default is not None:
        used = {node.id for node in ast.walk(ast.parse(slot.default)) if isinstance(node, ast.Name)}
        for name in used & _IMPORTS_OF_DEFAULTS.keys():
            imports[_IMPORTS_OF_DEFAULTS[name]].add(name)
    if slot.is_made_anew:
        imports["orbitalis_avro.records"].add("ABSENT")


def _annotations(class_: ast.ClassDef, types: Types) -> dict[str, str]:
    """Read the annotations of a class by field, with the names that classes are to have."""
    annotations: dict[str, str] = {}
    for node in class_.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            for inner in ast.walk(node.annotation):
                named = _named(inner, types)
                if isinstance(inner, ast.Name) and named is not None:
                    inner.id = types.class_names[named.name]
            annotations[node.target.id] = ast.unparse(node.annotation)
    return annotations


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


def _named_schema(named: Record | Enumeration | Fixed, key: str, types: Types) -> dict[str, object] | None:
    """Write a named type for datamodel-code-generator."""
    match named:
        case Record(fields=fields):
            members = [
                {"name": _field_key(index), "type": _schema(field.type, types)} for index, field in enumerate(fields)
            ]
            return {"type": "record", "name": key, "fields": members}
        case Enumeration(symbols=symbols):
            return {"type": "enum", "name": key, "symbols": [f"S{index}" for index in range(len(symbols))]}
        case Fixed():
            return None


def _schema(type_: AvroType, types: Types) -> object:
    """Write a type for datamodel-code-generator."""
    match type_:
        case Primitive(name=name):
            return name
        case LogicalType(name=name, underlying=underlying):
            return {"type": underlying.name, "logicalType": name} if name in _LOGICAL_TYPES else underlying.name
        case Array(items=items):
            return {"type": "array", "items": _schema(items, types)}
        case Map(values=values):
            return {"type": "map", "values": _schema(values, types)}
        case Union(branches=branches):
            return _union([_schema(branch, types) for branch in branches])
        case Reference(name=name):
            return "bytes" if isinstance(types.named[name], Fixed) else _class_key(list(types.named).index(name))


def _union(branches: list[object]) -> list[object]:
    """Leave out what differs on the wire only, such as `bytes` beside a fixed."""
    return [branch for position, branch in enumerate(branches) if branch not in branches[:position]]
