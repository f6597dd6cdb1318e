"""Records of many fields: what is emitted for them works, and type checkers do not give up on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orbitalis_avro import errors
from tests.codegen.broken.cases import edited
from tests.codegen.zoo import emitted_package
from tests.support.repository import ROOT, run

PYRIGHT = ROOT / "tools/node_modules/pyright/index.js"
FIELDS = 120
KINDS = [
    *("string", "int", ["null", "string"], {"type": "array", "items": "long"}, {"type": "map", "values": "double"}),
    *(["null", "Color"], ["null", "Text"], {"type": "long", "logicalType": "timestamp-micros"}, "bytes"),
]


def wide(root: Path, kinds: list[object]) -> Path:
    fields = [{"name": f"f{index}", "type": kinds[index % len(kinds)]} for index in range(FIELDS)]
    record = {"type": "record", "name": "Text", "fields": [{"name": "value", "type": "string"}, *fields]}
    return edited(
        root,
        ("schemas/Text.avsc", "", json.dumps(record)),
        ("asyncapi.yaml", "      x-payload:\n        format: utf-8\n", ""),
    )


def grown(root: Path) -> Path:
    """Write a specification with a message of many fields, of which ten come with each version."""
    kinds, defaults = KINDS[:6], ["", 0, None, [], {}, None]
    fields = [
        {"name": f"f{index}", "type": kinds[index % 6]}
        | ({"default": defaults[index % 6], "since": f"2.{index // 10}"} if index >= 10 else {})
        for index in range(FIELDS)
    ]
    return edited(
        root,
        ("schemas/Switch.avsc", "", json.dumps({"type": "record", "name": "Switch", "fields": fields})),
        ("asyncapi.yaml", "version: 2.1.0", "version: 2.11.0"),
    )


def test_every_version_of_many_fields_is_written_and_read(tmp_path: Path) -> None:
    wire = emitted_package(grown(tmp_path / "spec"), tmp_path, "grown_wide_wire")
    switch, codecs = wire.messages.Switch, wire.codecs
    codec = codecs.CODEC_BY_CLASS[switch]
    samples = ["text", 5, "other", (1, 2), {"a": 0.5}, wire.messages.Color(green=7)]
    values = {f"f{index}": samples[index % 6] for index in range(FIELDS)}

    for length in range(10, FIELDS + 1, 10):
        data = codecs.encode_switch(switch(**values), length)
        expected = switch(**{name: values[name] for name in [*values][:length]})
        assert codec.decode_version(data, length) == expected
        assert codecs.encode_switch(switch(**values)).startswith(data)
        with pytest.raises(errors.DecodeError, match="1 bytes are left at the end"):
            codec.decode_version(data + b"\0", length)
        with pytest.raises(errors.DecodeError, match=rf"f{length - 1}\b"):
            codec.decode_version(data[:-1], length)
    assert codec.decode_version(data + b"more", None) == switch(**values)


def test_every_field_is_written_and_read(tmp_path: Path) -> None:
    wire = emitted_package(wide(tmp_path / "spec", ["string", ["null", "Text"]]), tmp_path, "wide_wire")
    text = wire.messages.Text
    inner = text(value="inner", **{f"f{index}": None if index % 2 else "y" for index in range(FIELDS)})
    value = text(value="x", **{f"f{index}": inner if index % 2 else str(index) for index in range(FIELDS)})

    data = wire.codecs.encode_text(value)

    assert wire.codecs.decode_text(data) == value
    for end in range(0, len(data), 97):
        with pytest.raises(errors.DecodeError, match=r"the data ends too early|only"):
            wire.codecs.decode_text(data[:end])
    wrong = text(**{name: getattr(value, name) for name in text.__slots__} | {"f100": 5})
    with pytest.raises(errors.EncodeError, match=r"Text\.f100: expected a str"):
        wire.codecs.encode_text(wrong)


def test_depth_is_counted_once_a_record(tmp_path: Path) -> None:
    wire = emitted_package(wide(tmp_path / "spec", ["int", ["null", "Text"]]), tmp_path, "deep_wire")
    rest = {f"f{index}": None if index % 2 else 0 for index in range(FIELDS)}
    value = None
    for _ in range(64):
        value = wire.messages.Text(value="", **rest | {"f119": value})

    assert wire.codecs.decode_text(wire.codecs.encode_text(value)) == value
    with pytest.raises(errors.EncodeError, match="nested more than 64 levels deep"):
        wire.codecs.encode_text(wire.messages.Text(value="", **rest | {"f119": value}))


@pytest.mark.skipif(not PYRIGHT.exists() or shutil.which("node") is None, reason="pyright is not installed")
@pytest.mark.parametrize("kind", ["all", "texts", "grown"])
def test_pyright_finds_nothing(kind: str, tmp_path: Path) -> None:
    root = tmp_path / "spec"
    kinds: dict[str, list[object]] = {"all": [*KINDS], "texts": ["string"]}
    emitted_package(grown(root) if kind == "grown" else wide(root, kinds[kind]), tmp_path, "strict_wire")
    settings = {"typeCheckingMode": "strict", "include": ["strict_wire"], "extraPaths": [str(ROOT / "avro")]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))

    run(["node", PYRIGHT, "-p", tmp_path], folder=tmp_path)
