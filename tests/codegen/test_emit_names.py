"""Names of a specification that emitted modules use themselves: both are there, and each is what it should be."""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
from tests.codegen.broken.cases import edited
from tests.codegen.zoo import emitted_package

PACKAGE = "generated/python/orbitalis_wire/"


def identifiers() -> Iterator[str]:
    """Give every name that the modules emitted for a small specification define, import or refer to."""
    for path, content in emit(read_specification(Path(__file__).parent / "lamps")).items():
        if path.endswith(".py"):
            for node in ast.walk(ast.parse(content)):
                match node:
                    case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                        yield name
                    case ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                        yield name
                    case _:
                        pass


def distinct(names: Iterator[str] | list[str], pattern: str) -> list[str]:
    """Leave out names that differ in case and underscores alone, which the specification may not have."""
    found: dict[str, str] = {}
    for name in names:
        if re.fullmatch(pattern, name):
            found.setdefault(name.replace("_", "").lower(), name)
    return sorted(found.values())


NAMES = [
    *identifiers(),
    *(
        "OFFER",
        "LENGTHS",
        "NESTING_DEPTH",
        "MANY",
        "Fault",
        "Exception",
        "Avro",
        "Json",
        "Event",
        "Decimal",
        "Duration",
    ),
    *keyword.kwlist,
]
OWN = {"color", "envelope", "level", "state", "status", "switch", "text", "checksum"}
"""Types of the specification that the names are put into."""


def test_records_and_fields_may_have_every_name_that_is_used(tmp_path: Path) -> None:
    classes = [name for name in distinct(NAMES, r"[A-Za-z][A-Za-z0-9_]*") if name.replace("_", "").lower() not in OWN]
    # The name of a primitive or complex type is none to Avro.
    taken = {"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "fixed", "array"}
    classes = [name for name in classes if name not in taken | {"map"}]
    fields = [{"name": name, "type": {"type": "array", "items": "string"}, "default": []} for name in classes]
    types = [{"type": "record", "name": name, "fields": [{"name": name, "type": "int"}]} for name in classes]
    members = [{"name": f"f{index}", "type": one} for index, one in enumerate(types)]
    text = {"type": "record", "name": "Text", "fields": [{"name": "value", "type": "string"}, *members]}
    root = edited(
        tmp_path / "spec",
        ("schemas/Text.avsc", "", json.dumps(text)),
        ("schemas/Color.avsc", "", json.dumps({"type": "record", "name": "Color", "fields": fields})),
        ("asyncapi.yaml", "      x-payload:\n        format: utf-8\n", ""),
    )

    wire = emitted_package(root, tmp_path, "names_wire")

    inner = [getattr(wire.messages, name) for name in wire.messages.__all__]
    assert len(inner) == len(set(inner)) == len(classes) + len(OWN) - 1
    codec, color = wire.codecs.CODEC_BY_MESSAGE_TYPE["Text"], wire.messages.Color()
    data = b"\x02x" + b"".join(bytes([2 * index % 64]) for index in range(len(classes)))
    assert codec.encode(codec.decode(data)) == data
    assert wire.codecs.decode_color(wire.codecs.encode_color(color)) == color


@pytest.mark.parametrize("key", ["channels", "operations", "final", "mapping", "Channel", "Switch", "color", "topic"])
def test_channels_may_have_names_that_are_used(key: str, tmp_path: Path) -> None:
    document = (Path(__file__).parent / "lamps/asyncapi.yaml").read_text()
    document = document.replace("  command:\n    address", f"  {key}:\n    address").replace(
        "#/channels/command", f"#/channels/{key}"
    )
    root = edited(tmp_path / "spec", ("asyncapi.yaml", "", document))

    wire = emitted_package(root, tmp_path, f"channel_{key}_wire")

    assert list(wire.channels.CHANNELS) == [key, "status"]
    assert wire.channels.CHANNELS[key].address == "lamps/{lamp}/{sender}/command"
    assert wire.channels.OPERATIONS["coreSendsCommand"].channel is wire.channels.CHANNELS[key]
    assert wire.messages.Switch in wire.channels.CHANNELS[key].messages


PARAMETERS = ["ADDRESS", "build", "join", "filter", "parse", "cls", "self", "str", "re", "record", "topic", "parts"]


@pytest.mark.parametrize("name", [*PARAMETERS, "check_level", "TopicError", "Final", "Record", "classmethod", "class"])
def test_parameters_may_have_names_that_are_used(name: str, tmp_path: Path) -> None:
    document = (Path(__file__).parent / "lamps/asyncapi.yaml").read_text()
    document = document.replace("lamps/{lamp}/status", f"lamps/{{{name}}}/status")
    head, status = document.split("  status:\n")
    root = edited(
        tmp_path / "spec", ("asyncapi.yaml", "", f"{head}  status:\n" + status.replace("lamp:", f"{name}:", 1))
    )

    topics = emitted_package(root, tmp_path, f"parameter_{name}_wire").topics

    parsed = topics.StatusTopic.parse("lamps/one/status")
    assert str(parsed) == "lamps/one/status"
    assert topics.StatusTopic.join("one") == topics.StatusTopic.build(**{parsed.__slots__[0]: "one"})
    assert topics.StatusTopic.filter() == "lamps/+/status"


def test_tables_of_state_charts_keep_names_of_their_own(tmp_path: Path) -> None:
    document = (Path(__file__).parent / "lamps/asyncapi.yaml").read_text()
    states = document[document.index("    lamp:\n      description: What a lamp") : document.index("servers:")]
    other = states.replace("    lamp:", "    core_lamp:").replace("roles: [core, plugin]", "roles: [plugin]")
    root = edited(tmp_path / "spec", ("asyncapi.yaml", "servers:\n", other + "servers:\n"))

    wire = emitted_package(root, tmp_path, "tables_wire")

    tables = [name for name in wire.states.__all__ if name.endswith("TRANSITIONS_") or name.endswith("TRANSITIONS")]
    assert len(tables) == 3


def test_names_in_lower_case_and_of_namespaces_are_those_of_classes(tmp_path: Path) -> None:
    root = edited(
        tmp_path / "spec",
        ("schemas/Status.avsc", '"name": "Checksum"', '"name": "sum", "namespace": "lamps"'),
        ("schemas/Color.avsc", '"green", "type": "int"', '"green", "type": ["null", "car.color", "home.color"]'),
        ("schemas/car.color.avsc", "", '{"type": "enum", "name": "color", "namespace": "car", "symbols": ["RED"]}'),
        ("schemas/home.color.avsc", "", '{"type": "record", "name": "home.color", "fields": []}'),
        ("schemas/Text.avsc", '"string"}', '"string"}, {"name": "tone", "type": "tone"}'),
        ("schemas/tone.avsc", "", '{"type": "enum", "name": "tone", "symbols": ["A"]}'),
        ("asyncapi.yaml", "      x-payload:\n        format: utf-8\n", ""),
    )

    wire = emitted_package(root, tmp_path, "lower_wire")

    messages = wire.messages
    assert {"Color", "CarColor", "HomeColor", "Tone"} <= set(messages.__all__)
    value = messages.Color(red=1, green=messages.HomeColor())
    assert wire.codecs.decode_color(wire.codecs.encode_color(value)) == value
    other = messages.Color(red=1, green=messages.CarColor.RED)
    assert wire.codecs.decode_color(wire.codecs.encode_color(other)) == other


def test_a_message_may_be_of_a_namespace(tmp_path: Path) -> None:
    root = edited(
        tmp_path / "spec",
        ("schemas/Level.avsc", '"name": "Level"', '"name": "level", "namespace": "lamps.v1"'),
        ("asyncapi.yaml", "      name: Level\n", "      name: lamps.v1.level\n"),
    )

    wire = emitted_package(root, tmp_path, "namespace_wire")

    assert wire.codecs.CODEC_BY_MESSAGE_TYPE["lamps.v1.level"].message_class is wire.messages.Level
