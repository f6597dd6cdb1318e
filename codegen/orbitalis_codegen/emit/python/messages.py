"""Message classes: laid out by datamodel-code-generator with our templates.

It decides on annotations, imports and the order of the classes. It gets the schemas without documentation and
defaults and with the names of :mod:`names`, since it would reorder fields that have defaults, rename others without
telling, and make lists the defaults of sequences. Those parts reach the templates as finished Python.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

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
_DEFAULT_IMPORTS = {
    "datetime.fromtimestamp(": ("datetime.UTC", "datetime.timedelta"),
    "MappingProxyType(": ("types.MappingProxyType",),
}


def emit_messages(types: Types) -> str:
    """Emit a class for each record and enumeration."""
    schemas: list[dict[str, object]] = []
    parts: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    imports: set[str] = set()
    for name, named in types.named.items():
        class_name = types.class_names[name]
        if isinstance(named, Record):
            fields = types.fields(named)
            schemas.append(
                {
                    "type": "record",
                    "name": class_name,
                    "fields": [{"name": field.name, "type": _schema(field.field.type, types)} for field in fields],
                }
            )
            members = [_member(field) for field in fields]
            for field in fields:
                imports.update(_imports(field))
        elif isinstance(named, Enumeration):
            members = [{"name": name, "value": text.literal(symbol)} for symbol, name in symbol_names(named).items()]
            symbols = list(symbol_names(named).values())
            schemas.append({"type": "enum", "name": class_name, "symbols": symbols})
        else:
            continue
        parts[class_name] = {"docstring": text.docstring(named.description, indent=4), "members": members}
    source = _generate(schemas, parts, sorted(imports)) if schemas else "from __future__ import annotations\n"
    head = "from __future__ import annotations\n"
    imported, separator, classes = source.partition("\n\n\n")
    body = imported.partition(head)[2].strip()
    return environment.render(
        "messages.py.jinja2",
        imports=body,
        exported=sorted(parts),
        classes=classes.strip() if separator else "",
    )


def symbol_names(enumeration: Enumeration) -> dict[str, str]:
    """Name the members of an enumeration: symbol to name, in the order of the schema."""
    return names.unique_names((symbol, names.symbol_name(symbol)) for symbol in enumeration.symbols)


def _generate(schemas: list[dict[str, object]], parts: defaultdict[str, dict[str, Any]], imports: list[str]) -> str:
    # Importing it takes 0.1 s and its first run 0.7 s: only who emits pays.
    from datamodel_code_generator import generate
    from datamodel_code_generator.enums import DataModelType, InputFileType
    from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion

    source = generate(
        json.dumps(schemas),
        input_file_type=InputFileType.Avro,
        output_model_type=DataModelType.DataclassesDataclass,
        target_python_version=PythonVersion.PY_311,
        dataclass_arguments={"frozen": True, "slots": True, "kw_only": True},
        strict_nullable=True,
        use_standard_collections=True,
        use_generic_container_types=True,
        use_union_operator=True,
        use_standard_primitive_types=True,
        output_datetime_class=DatetimeClassType.Datetime,
        formatters=[Formatter.BUILTIN],
        disable_timestamp=True,
        custom_file_header="",
        custom_template_dir=environment.TEMPLATES / "messages",
        extra_template_data=parts,
        additional_imports=imports,
    )
    if not isinstance(source, str):
        raise EmitError("datamodel-code-generator made something other than one module of the schemas")
    # The union in which it was given the schemas is not a type of the protocol.
    classes, separator, _ = source.rpartition("\n\n\nModel: TypeAlias = ")
    return classes.replace("from typing import TypeAlias\n", "") if separator else source


def _member(field: PythonField) -> dict[str, str]:
    description = field.field.description
    if field.name != field.field.name:
        description = f"{description.strip()}\n\nCalled `{field.field.name}` on the wire.".strip()
    if field.default is None:
        assignment = ""
    elif field.is_factory:
        assignment = f" = field(default_factory=lambda: {field.default})"
    else:
        assignment = f" = {field.default}"
    return {"name": field.name, "assignment": assignment, "docstring": text.docstring(description, indent=4)}


def _imports(field: PythonField) -> set[str]:
    default = field.default or ""
    imports = {name for part, found in _DEFAULT_IMPORTS.items() if part in default for name in found}
    return imports | {"dataclasses.field"} if field.is_factory else imports


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
            return "bytes" if isinstance(types.named[name], Fixed) else types.class_names[name]


def _union(branches: list[object]) -> list[object]:
    """Leave out what differs on the wire only, such as `bytes` beside a fixed."""
    return [branch for position, branch in enumerate(branches) if branch not in branches[:position]]
