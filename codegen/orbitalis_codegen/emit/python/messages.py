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

from orbitalis_codegen.emit.errors import EmitError
from orbitalis_codegen.emit.python import environment, names, text
from orbitalis_codegen.emit.python.types import PythonField, Types
from orbitalis_codegen.model import (
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

__all__ = ["emit_messages", "symbol_names"]

_LOGICAL_TYPES = frozenset({"timestamp-millis", "timestamp-micros", "date", "uuid"})
_IMPORTS_OF_DEFAULTS = {
    "UTC": "datetime",
    "UUID": "uuid",
    "date": "datetime",
    "datetime": "datetime",
    "field": "dataclasses",
    "timedelta": "datetime",
}
"""What the source of a default uses, and where it comes from."""
_MODULES_OF_ANNOTATIONS = ("collections.abc", "datetime", "uuid")


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemberView:
    """A field of a record, or a symbol of an enumeration."""

    declaration: str
    docstring: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClassView:
    """A record or an enumeration."""

    name: str
    is_enumeration: bool
    is_message: bool
    """Whether it travels by itself, and so has a codec that knows its schema."""
    docstring: str
    members: tuple[_MemberView, ...]


def emit_messages(types: Types) -> str:
    """Emit a class for each record and enumeration."""
    generated = ast.parse(_generate(types))
    imports = _imports(generated)
    classes: list[_ClassView] = []
    for node in generated.body:
        named = _named(node, types)
        if isinstance(node, ast.ClassDef) and named is not None:
            if isinstance(named, Record):
                fields = types.fields(named)
                annotations = _annotations(node, types)
                members = tuple(_member(field, annotations[_field_key(index)]) for index, field in enumerate(fields))
                imports["dataclasses"].add("dataclass")
                for field in fields:
                    _add_imports(imports, field)
            else:
                members = _symbols(named)
                imports["enum"].add("StrEnum")
            classes.append(
                _ClassView(
                    name=types.class_names[named.name],
                    is_enumeration=isinstance(named, Enumeration),
                    is_message=named.name in types.messages,
                    docstring=text.docstring(named.description, indent=4),
                    members=members,
                )
            )
    return environment.render(
        "messages.py.jinja2",
        imports=[text.import_from(module, imported) for module, imported in sorted(imports.items())],
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


def _add_imports(imports: defaultdict[str, set[str]], field: PythonField) -> None:
    used = {node.id for node in ast.walk(ast.parse(_assignment(field).strip(" ="))) if isinstance(node, ast.Name)}
    for name in used & _IMPORTS_OF_DEFAULTS.keys():
        imports[_IMPORTS_OF_DEFAULTS[name]].add(name)


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


def _member(field: PythonField, annotation: str) -> _MemberView:
    description = field.field.description
    if field.name != field.field.name:
        description = f"{description.strip()}\n\nCalled `{field.field.name}` on the wire.".strip()
    start = f"{field.name}: {annotation}"
    if field.default is not None and isinstance(field.field.default, str) and field.default.startswith(("'", '"')):
        declaration = text.fit_string(f"{start} = ", field.field.default, indent=4)
    else:
        declaration = text.unbroken(start + _assignment(field), indent=4)
    return _MemberView(declaration=declaration, docstring=text.docstring(description, indent=4))


def _assignment(field: PythonField) -> str:
    if field.default is None:
        return ""
    return f" = field(default_factory=lambda: {field.default})" if field.is_factory else f" = {field.default}"


def _symbols(enumeration: Enumeration) -> tuple[_MemberView, ...]:
    return tuple(
        _MemberView(declaration=f"{name} = {text.literal(symbol)}", docstring="")
        for symbol, name in symbol_names(enumeration).items()
    )


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
