"""A specification with one message for each thing that is hard to emit, made of the one of the lamps."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
from tests.codegen.broken.cases import edited

__all__ = ["DESCRIPTIONS", "FIELD_NAMES", "SCHEMAS", "TYPE_NAMES", "emitted_package", "write_zoo"]


def record(name: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Write a record; a field is a type, or a type and a default."""
    members = [
        {"name": key, "type": type_[0], "default": type_[1]}
        if isinstance(type_, tuple)
        else {"name": key, "type": type_}
        for key, type_ in fields.items()
    ]
    return {"type": "record", "name": name, "fields": members, **more}


def array(items: Any) -> dict[str, Any]:
    """Write an array."""
    return {"type": "array", "items": items}


def values(of: Any) -> dict[str, Any]:
    """Write a map."""
    return {"type": "map", "values": of}


def logical(type_: str, name: str) -> dict[str, Any]:
    """Write a logical type."""
    return {"type": type_, "logicalType": name}


FIELD_NAMES = [
    *("from", "class", "None", "Any", "bytes", "field", "datetime", "date", "timedelta", "self", "str", "type"),
    *("_hidden", "__dunder__", "_1", "value", "data", "position", "guard", "at", "branch", "optional", "item", "items"),
    *("isinstance", "len", "located", "write_string", "Mapping", "Sequence", "UUID", "x", "Plain", "Color"),
    *("not_several", "time", "Decimal", "Duration", "list", "record", "TEXT", "ABSENT", "UTC", "size"),
    *("message", "error", "shown", "property", "MappingProxyType", "count", "end", "key", "index", "fault", "object"),
]
"""Every one of them is the name of a field."""

TYPE_NAMES = [
    *("Any", "Sequence", "Mapping", "T", "Fault", "Guard", "EncodeError", "COMMAND", "Channel"),
    *("OFFER", "LENGTHS", "NESTING_DEPTH", "Decimal", "Duration", "ABSENT", "CHANNELS", "ValueError"),
    *("StrEnum", "UUID", "Struct", "Model", "UnicodeDecodeError", "READ_FAULTS", "MessageCodec", "ClassVar", "Self"),
]
"""Every one of them is the name of a record."""

DESCRIPTIONS = {
    "quote": 'Says "hello"',
    "quotes": '"hello"',
    "triple": 'Ends """ and goes on: """',
    "four": '""""',
    "backslash": r"A path such as C:\new\u0041 and \d+.",
    "backslash_at_end": "Ends with \\",
    "backslashed_quote": 'Ends with \\"',
    "backslashed_triple": 'In \\""" it.',
    "lines": 'One.\n\nTwo \\n.\n\n\n   Three with\ttab\nand "four"',
    "code": '""" + __import__("os").getcwd() + """',
    "braces": "{{ fields }} {% raw %} {0} %s",
    "comment": "# not a comment",
    "separators": "A line separator \u2028 and a paragraph separator \u2029.",
    "other": "Ünïcode ✓ 世界 \U0001f600 \u200b \u2013 \u2019a\u2019 \u00d7 \u03b1.",
    "long_word": "x" * 200,
    "many_words": "word " * 100,
    "just_fits": "a" * 50 + " " + "b" * 59,
    "just_too_long": "a" * 50 + " " + "b" * 60,
    "fits_without_quotes": "a" * 50 + " " + "b" * 62,
    "blank": "   ",
    "none": "",
}
"""Every one of them describes a field, and all together their record."""

ANY_STRING = 'It\'s "quoted" \\ \n\t\x00\x1b é \u2028 \U0001f600 {{ x }}' + "long " * 40

SCHEMAS: list[dict[str, Any]] = [
    record("Plain", {name: name for name in ("null", "boolean", "int", "long", "float", "double", "bytes", "string")}),
    record("Empty", {}),
    record(
        "Times",
        {
            "millis": logical("long", "timestamp-millis"),
            "micros": logical("long", "timestamp-micros"),
            "date": ["null", logical("int", "date")],
            "uuid": logical("string", "uuid"),
            "all": array(logical("long", "timestamp-millis")),
        },
    ),
    record(
        "Logical",
        {
            "local_millis": logical("long", "local-timestamp-millis"),
            "local_micros": logical("long", "local-timestamp-micros"),
            "nanos": logical("long", "timestamp-nanos"),
            "local_nanos": logical("long", "local-timestamp-nanos"),
            "time_millis": logical("int", "time-millis"),
            "time_micros": logical("long", "time-micros"),
            "price": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            "cents": {
                **{"type": "fixed", "name": "Cents", "size": 4},
                **{"logicalType": "decimal", "precision": 9, "scale": 2},
            },
            "more_cents": "Cents",
            "big": logical("bytes", "big-decimal"),
            "token": {"type": "fixed", "name": "Token", "size": 16, "logicalType": "uuid"},
            "span": {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"},
            "spans": array(["null", "Span"]),
            "either": ["null", logical("int", "time-millis"), "Token", "Span", logical("bytes", "big-decimal")],
            "unknown": {"type": "bytes", "logicalType": "picture", "format": "png"},
        },
    ),
    record(
        "LogicalDefaults",
        {
            "local_millis": (logical("long", "local-timestamp-millis"), 1500),
            "local_micros": (logical("long", "local-timestamp-micros"), -1),
            "nanos": (logical("long", "timestamp-nanos"), 2**62),
            "time_millis": (logical("int", "time-millis"), 86_399_999),
            "time_micros": (logical("long", "time-micros"), 1),
            "price": ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, "\u00ff"),
            "cents": ("Cents", "\u0000\u0000\u0001\u0000"),
            "big": (logical("bytes", "big-decimal"), "\u0002\u000f\u0002"),
            "token": ("Token", "\u0000" * 15 + "\u0001"),
            "span": ("Span", "\u0001" + "\u0000" * 3 + "\u0002" + "\u0000" * 3 + "\u0003" + "\u0000" * 3),
        },
    ),
    record(
        "Unions",
        {
            "any": [
                *("null", "boolean", "int", "double", {"type": "fixed", "name": "Four", "size": 4}),
                {"type": "fixed", "name": "Five", "size": 5},
                {"type": "enum", "name": "Suit", "symbols": ["spades", "HEARTS", "class", "_x", "mro"]},
                *("string", array("int"), values("string"), "Plain", "Empty"),
            ],
            "numbers": ["int", "double"],
            "floats": ["float", "null"],
            "null_at_the_end": [array(["string", "null"]), "null"],
            "moments": [logical("long", "timestamp-micros"), logical("int", "date"), logical("string", "uuid"), "null"],
            "one": ["string"],
            "nested": values(array(["null", "Plain", values("Suit")])),
        },
    ),
    record(
        "Tree",
        {
            "next": ["null", "Tree"],
            "children": array("Tree"),
            "named": values("Tree"),
            "either": ["null", "string", "Tree"],
        },
    ),
    record("Even", {"odd": ["null", record("Odd", {"evens": array(["null", "Even"]), "last": "string"})]}),
    record("Around", {"tree": "Tree", "odd": "Odd", "trees": array(values("Tree"))}),
    record("Nothings", {"nulls": array("null"), "empties": array("Empty"), "deep": array(array("null"))}),
    record(
        "Defaults",
        {
            "null": ("null", None),
            "boolean": ("boolean", True),
            "int": ("int", -5),
            "long": ("long", 2**63 - 1),
            "float": ("float", 1),
            "double": ("double", -1.5e300),
            "bytes": ("bytes", "\u00ff\u0000'\""),
            "string": ("string", ANY_STRING),
            "suit": ("Suit", "class"),
            "four": ("Four", "\u0000\u0001\u00fe\u00ff"),
            "empty_array": (array("string"), []),
            "array": (array("string"), ["a", '"']),
            "single": (array("int"), [1]),
            "suits": (array("Suit"), ["spades", "HEARTS"]),
            "empty_map": (values("int"), {}),
            "map": (values(array("int")), {"a": [1], 'b"': []}),
            "record": (record("Later", {"x": "int", "y": ("string", "y"), "z": (array("string"), [])}), {"x": 1}),
            "records": (
                array("Later"),
                [{"x": 1, "y": "a name that is long enough that it cannot be in one line"}] * 3,
            ),
            "millis": (logical("long", "timestamp-millis"), 1500),
            "micros": (logical("long", "timestamp-micros"), -1),
            "date": (logical("int", "date"), 19000),
            "first_date": (logical("int", "date"), -719162),
            "last_date": (logical("int", "date"), 2932896),
            "first_millis": (logical("long", "timestamp-millis"), -62135596800000),
            "last_micros": (logical("long", "timestamp-micros"), 253402300799999999),
            "uuid": (logical("string", "uuid"), "12345678-1234-5678-1234-567812345678"),
            "optional": (["string", "null"], "text"),
            "absent": (["null", "string"], None),
            "required": "int",
        },
    ),
    record("FieldNames", dict.fromkeys(FIELD_NAMES, "string")),
    record("FieldNamesWithDefaults", {name: ("long", index) for index, name in enumerate(FIELD_NAMES)}),
    record(
        "TypeNames", {f"f{index}": record(name, {"x": "int", name: "int"}) for index, name in enumerate(TYPE_NAMES)}
    ),
    record("TypeNamesAsFields", dict.fromkeys(TYPE_NAMES, ("int", 0)) | {"one": "Self"}),
    record("OneLine", {}, doc=DESCRIPTIONS["fits_without_quotes"]),
    record("Unpolished", {}, doc="turns something on"),
    record("SuitSymbols", {"suit": "Suit"}),
    {
        **record("Described", {}, doc="\n".join(DESCRIPTIONS.values())),
        "fields": [{"name": name, "type": "int", "doc": text} for name, text in DESCRIPTIONS.items()],
    },
]


def write_zoo(root: Path, schemas: Sequence[dict[str, Any]] = SCHEMAS) -> Path:
    """Write the specification into a folder; it has a message for each of `schemas`."""
    names = [schema["name"] for schema in schemas]
    head = "      Anything:\n        $ref: '#/components/messages/Anything'\n"
    listed = "".join(f"      {name}:\n        $ref: '#/components/messages/{name}'\n" for name in names)
    schema_format = "application/vnd.apache.avro+json;version=1.9.0"
    defined = "".join(
        f"    {name}:\n      name: {name}\n      payload:\n        schemaFormat: {schema_format}\n"
        f"        schema:\n          $ref: ./schemas/{name}.avsc\n"
        for name in names
    )
    return edited(
        root,
        ("asyncapi.yaml", head, head + listed),
        ("asyncapi.yaml", "  messages:\n    Switch:\n", f"  messages:\n{defined}    Switch:\n"),
        *((f"schemas/{schema['name']}.avsc", "", json.dumps(schema)) for schema in schemas),
    )


def emitted_package(root: Path, folder: Path, name: str) -> ModuleType:
    """Emit the Python package of a specification, write it below a folder under a name of its own, and import it."""
    package = folder / name
    package.mkdir()
    for path, content in emit(read_specification(root)).items():
        (package / Path(path).name).write_bytes(content)
    sys.path.insert(0, str(folder))
    try:
        for module in sorted(package.glob("*.py")):
            importlib.import_module(name if module.stem == "__init__" else f"{name}.{module.stem}")
        return sys.modules[name]
    finally:
        sys.path.remove(str(folder))
