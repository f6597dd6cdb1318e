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
@pytest.mark.parametrize("kinds", [KINDS, ["string"]], ids=["all", "texts"])
def test_pyright_finds_nothing(kinds: list[object], tmp_path: Path) -> None:
    emitted_package(wide(tmp_path / "spec", kinds), tmp_path, "strict_wire")
    settings = {"typeCheckingMode": "strict", "include": ["strict_wire"], "extraPaths": [str(ROOT / "avro")]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))

    run(["node", PYRIGHT, "-p", tmp_path], folder=tmp_path)
