"""What is emitted for messages that have grown reads and writes every version of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orbitalis_avro.errors import DecodeError
from orbitalis_codegen import Model, read_specification
from orbitalis_codegen.model import Message
from tests.codegen.broken.cases import edited
from tests.codegen.zoo import emitted_package
from tests.support.avro import long, text
from tests.support.repository import ROOT, run

NAME = "grown_wire"
SWITCH = """{
  "type": "record",
  "name": "Switch",
  "fields": [
    {"name": "state", "type": "State", "default": "OFF", "since": "2.1"},
    {"name": "nothings", "type": {"type": "array", "items": "null"}, "default": [null], "since": "2.1"},
    {"name": "color", "type": ["null", "Color"], "default": null, "since": "2.2"}
  ]
}
"""
INCARNATION = '{"name": "incarnation", "type": ["null", "string"], "default": null'
WRITTEN = [b"", long(1) + long(1) + b"\x00", long(1) + long(1) + b"\x00" + long(0)]
"""A switch that is off, in each version."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return edited(
        tmp_path_factory.mktemp("grown"),
        ("asyncapi.yaml", "version: 2.1.0", "version: 2.2.0"),
        ("schemas/Switch.avsc", "", SWITCH),
        ("schemas/Envelope.avsc", INCARNATION, f'{INCARNATION}, "since": "2.2"'),
    )


@pytest.fixture(scope="module")
def model(root: Path) -> Model:
    return read_specification(root)


@pytest.fixture(scope="module")
def grown(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    yield emitted_package(root, tmp_path_factory.mktemp("package"), NAME)
    for module in [module for module in sys.modules if module.partition(".")[0] == NAME]:
        del sys.modules[module]


@pytest.fixture
def codec(grown: ModuleType) -> Any:
    return grown.codecs.CODEC_BY_MESSAGE_TYPE["Switch"]


def versions(message: Message) -> list[tuple[str, int]]:
    return [(one.version, one.length) for one in message.versions]


def test_a_message_has_a_version_for_each_that_its_fields_came_with(model: Model) -> None:
    assert versions(model.messages["Switch"]) == [("2.0", 0), ("2.1", 2), ("2.2", 3)]
    assert versions(model.messages["Status"]) == [("2.0", 4)]
    assert versions(model.envelope) == [("2.0", 6), ("2.2", 7)]
    assert model.messages["Switch"].versions[-1].fingerprint == model.messages["Switch"].fingerprint
    assert len({one.fingerprint for one in model.messages["Switch"].versions}) == 3


def test_what_users_send_has_no_versions(model: Model) -> None:
    assert model.messages["Text"].versions == model.messages["Level"].versions == ()


def test_the_encodings_are_those_of_the_envelope_the_newest_first(grown: ModuleType, model: Model) -> None:
    older, newest = (f"avro:{one.fingerprint}" for one in model.envelope.versions)
    encodings = grown.envelope.Encoding

    assert [(one.name, one.value) for one in encodings] == [("JSON", "json"), ("AVRO", newest), ("AVRO_2_0", older)]


@pytest.mark.parametrize(("index", "data"), [*enumerate(WRITTEN)])
def test_a_known_version_has_exactly_its_fields(codec: Any, model: Model, index: int, data: bytes) -> None:
    version = model.messages["Switch"].versions[index]

    switch = codec.decode_payload("avro", data, version.fingerprint)

    assert (switch.state, switch.nothings, switch.color) == ("OFF", (None,), None)
    assert codec.decode_version(data, version.length) == switch
    for other in WRITTEN:
        if other != data:
            with pytest.raises(DecodeError):
                codec.decode_payload("avro", other, version.fingerprint)
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            codec.decode_payload("avro", data[:end], version.fingerprint)


def test_what_has_no_fingerprint_is_of_the_oldest_version(codec: Any) -> None:
    assert codec.decode_payload("avro", b"") == codec.decode(WRITTEN[-1])
    with pytest.raises(DecodeError, match="1 bytes are left at the end"):
        codec.decode_payload("avro", b"\0")


def test_what_is_not_known_has_at_least_the_fields_that_are(codec: Any) -> None:
    whole = codec.decode(WRITTEN[-1])

    for more in b"", b"\0", b"\xff" * 10:
        assert codec.decode_payload("avro", WRITTEN[-1] + more, "0123456789abcdef") == whole
    with pytest.raises(DecodeError, match=r"Switch.color: the data ends too early"):
        codec.decode_payload("avro", WRITTEN[1], "0123456789abcdef")


def test_what_users_send_has_nothing_behind_it(grown: ModuleType) -> None:
    for name, data in ("Text", text("a")), ("Level", b"\0" * 8):
        codec = grown.codecs.CODEC_BY_MESSAGE_TYPE[name]
        assert codec.decode_payload("avro", data, "0123456789abcdef") == codec.decode(data)
        with pytest.raises(DecodeError, match="1 bytes are left at the end"):
            codec.decode_payload("avro", data + b"\0", "0123456789abcdef")


def test_every_version_is_written(grown: ModuleType, codec: Any) -> None:
    switch = codec.decode(WRITTEN[-1])
    one = grown.messages.Switch(state=switch.state, nothings=())

    assert [grown.codecs.encode_switch(one, length) for length in (0, 2, 3)] == [b"", b"\x02\x00", b"\x02\x00\x00"]
    assert codec.encode(one) == b"\x02\x00\x00"


def test_what_is_emitted_is_laid_out(grown: ModuleType) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    folder = Path(grown.__path__[0])
    files = [folder / name for name in ("codecs.py", "_envelope.py", "envelope.py", "schemas.py")]
    settings: list[str | Path] = ["--config", ROOT / "pyproject.toml", "--no-cache", *files]

    run([*ruff, "check", *settings])
    run([*ruff, "format", "--check", *settings])
