"""The readers of the generator: whatever a file holds, it is read, or every problem is told with its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from orbitalis_codegen import SpecificationError, read_specification
from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read.json_text import read_json
from orbitalis_codegen.read.node import Node, plain
from orbitalis_codegen.read.yaml_text import read_yaml
from tests.fuzzing.target import Target
from tests.support.repository import ROOT

__all__ = ["specification_targets"]

_LAMPS = ROOT / "tests" / "codegen" / "lamps"
_DOCUMENT = "asyncapi.yaml"
_SCHEMA = "schemas/Status.avsc"
_YAML_TOKENS = (
    *(
        b"&a ",
        b"*a",
        b"<<:",
        b"!!x ",
        b"? ",
        b"- ",
        b"- - -",
        b"[[[[",
        b"---\n",
        b"...\n",
        b"%YAML 1.3\n",
        b"\t",
        b"|2\n",
        b">-\n",
    ),
    *(
        b"null",
        b"~",
        b"true",
        b"[]",
        b"{}",
        b'""',
        b"''",
        b"1e999",
        b"9" * 5000,
        b"0x",
        b"0o",
        b".inf",
        b'"\\ud800"',
        b"\n",
        b"  ",
    ),
    *(
        b"$ref: '#/",
        b"'#/channels'",
        b"./schemas/",
        b"asyncapi: 3.0.0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b": ",
    ),
)
_JSON_TOKENS = (
    *(
        b"null",
        b"true",
        b"[",
        b"]",
        b"{",
        b"}",
        b'""',
        b":",
        b",",
        b"1e999",
        b"-0",
        b"9" * 5000,
        b'"\\ud800"',
        b'"\\u0000"',
    ),
    *(
        b'"type":',
        b'"name":',
        b'"namespace":"x",',
        b'"fields":',
        b'"items":',
        b'"values":',
        b'"symbols":',
        b'"size":',
        b'"default":',
    ),
    *(
        b'"logicalType":',
        b'"aliases":',
        b'"Status"',
        b'"Color"',
        b'["null","string"]',
        b'{"type":"array","items":"Status"}',
    ),
)


def specification_targets() -> list[Target]:
    """Return the targets."""
    whole: dict[str, Any] = {"seconds": 5.0, "largest": 16_384, "is_slow": True}
    return [
        Target(name="yaml", run=_yaml, seeds=_documents, tokens=_YAML_TOKENS, largest=16_384, largest_bomb=16_384),
        Target(name="json", run=_json, seeds=_schemas, tokens=_JSON_TOKENS, largest_bomb=16_384),
        Target(
            name="specification document",
            run=partial(_specification, _DOCUMENT),
            seeds=_documents,
            tokens=_YAML_TOKENS,
            **whole,
        ),
        Target(
            name="specification schema",
            run=partial(_specification, _SCHEMA),
            seeds=_schemas,
            tokens=_JSON_TOKENS,
            **whole,
        ),
    ]


def _yaml(data: bytes) -> None:
    _read(data, read_yaml)


def _json(data: bytes) -> None:
    """What is JSON here is JSON to Python as well, and says the same."""
    text = _text(data)
    node = _read(data, read_json)
    if node is not None and text is not None:
        assert plain(node) == json.loads(text)


def _read(data: bytes, reader: Callable[[str, str, Report], Node | None]) -> Node | None:
    text = _text(data)
    if text is None:
        return None
    report = Report()
    node = reader(text, "file", report)
    assert (node is None) <= bool(report)
    if report:
        _check_diagnostics(report.error())
    return None if report else node


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _check_diagnostics(error: SpecificationError) -> None:
    assert error.diagnostics
    for found in error.diagnostics:
        assert found.message.isprintable(), ascii(found.message)
        assert len(found.message) < 2000, found.message
        assert found.position.line >= 1
        assert found.position.column >= 1


@cache
def _copy() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="orbitalis-fuzzing-")
    shutil.copytree(_LAMPS, folder.name, dirs_exist_ok=True)
    return folder


def _specification(file: str, data: bytes) -> None:
    """A small specification with one file replaced."""
    folder = Path(_copy().name)
    try:
        (folder / file).write_bytes(data)
        try:
            model = read_specification(folder)
        except SpecificationError as error:
            _check_diagnostics(error)
        else:
            assert model.messages
    finally:
        shutil.copyfile(_LAMPS / file, folder / file)


def _documents() -> Sequence[bytes]:
    return [(_LAMPS / _DOCUMENT).read_bytes(), b"a: &x [1, {b: *x}, 'c', \"d\"]\n? e\n: |\n  f\n  g\n"]


def _schemas() -> Sequence[bytes]:
    return [path.read_bytes() for path in sorted((_LAMPS / "schemas").iterdir())]
