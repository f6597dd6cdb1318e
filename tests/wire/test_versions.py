"""Every version of the protocol is read by the newest code, and the code of every version reads the newest.

`tests/wire/versions/` has the specification of each version, and events that were written then.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orbitalis.message import Event
from orbitalis.protocol.peers import newest_encoding
from orbitalis_codegen import Model, read_specification
from orbitalis_codegen.emit import emit
from orbitalis_codegen.model import Message
from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE
from orbitalis_wire.envelope import Encoding, decode_event
from tests.codegen.broken.cases import edited
from tests.support.repository import ROOT
from tests.wire.versions.reader import plain

FOLDER = Path(__file__).parent / "versions"
VERSIONS = sorted(
    (path.name for path in FOLDER.iterdir() if (path / "schemas").is_dir()),
    key=lambda name: [int(part) for part in name.split(".")],
)
every_version = pytest.mark.parametrize("version", VERSIONS)


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


RECORDED = [
    pytest.param(version, row, id=f"{version}-{number}-{row['envelope']['message_type']}")
    for version in VERSIONS
    for number, row in enumerate(rows(FOLDER / version / "events.jsonl"))
]
NEWEST: list[Event[Any]] = [Event.decode(row["json"].encode()) for row in rows(ROOT / "vectors" / "events.jsonl")]


@pytest.mark.parametrize("is_json", [True, False], ids=["json", "avro"])
@pytest.mark.parametrize(("version", "row"), RECORDED)
def test_the_newest_code_reads_what_every_version_wrote(version: str, row: dict[str, Any], is_json: bool) -> None:
    envelope, encoding = decode_event(row["json"].encode() if is_json else bytes.fromhex(row["avro_hex"]))

    assert (encoding is Encoding.JSON) is is_json
    # Headers that came later are not there.
    read = plain(dataclasses.asdict(envelope))
    assert read == {**dict.fromkeys(read), **row["envelope"]}
    event: Event[Any] = Event.decode(row["json"].encode() if is_json else bytes.fromhex(row["avro_hex"]))
    if row["value"] is None:
        assert event.payload is None
        return
    fields = plain(dataclasses.asdict(event.payload))
    assert {name: fields[name] for name in row["value"]} == row["value"]
    # Fields that came later have their defaults.
    schema = json.loads(CODEC_BY_MESSAGE_TYPE[row["envelope"]["message_type"]].schema)
    defaults = {field["name"]: field.get("default") for field in schema["fields"]}
    assert {name: defaults[name] for name in fields if name not in row["value"]} == {
        name: value for name, value in fields.items() if name not in row["value"]
    }


class Reader:
    """The code that was generated from the specification of a version, in a process of its own."""

    def __init__(self, model: Model, folder: Path) -> None:
        """Generate the code into a folder."""
        self._path = folder / "generated" / "python"
        for name, data in emit(model).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def read(self, events: list[bytes]) -> Iterator[dict[str, Any]]:
        """Return what it reads of events; the first line is its version."""
        path = os.pathsep.join([str(self._path), str(ROOT / "avro")])
        command = [sys.executable, str(FOLDER / "reader.py")]
        lines = "".join(f"{event.hex()}\n" for event in events)
        done = subprocess.run(
            command, input=lines, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
        )
        assert done.returncode == 0, done.stderr
        version, *read = done.stdout.splitlines()
        self.version = version
        return (json.loads(line) for line in read)


@every_version
def test_the_code_of_every_version_reads_what_the_newest_writes(version: str, tmp_path: Path) -> None:
    model = read_specification(FOLDER / version)
    reader = Reader(model, tmp_path)
    listed = ["json", *(f"avro:{one.fingerprint}" for one in model.envelope.versions)]
    best = newest_encoding(listed)
    assert best is not Encoding.JSON
    fields = {message.name: _fields(message) for message in model.messages.values() if message.name}

    written = [(event, event.encode(encoding)) for event in NEWEST for encoding in (Encoding.JSON, best)]
    read = list(reader.read([data for _, data in written]))

    assert reader.version == model.version
    assert len(read) == len(written)
    for (event, data), found in zip(written, read, strict=True):
        envelope = plain(dataclasses.asdict(decode_event(data)[0]))
        assert list(found["envelope"]) == _fields(model.envelope)
        assert found["envelope"] == {name: envelope[name] for name in found["envelope"]}
        known = fields.get(envelope["message_type"])
        if known is None:
            assert found["payload"] is None
        else:
            payload = plain(dataclasses.asdict(event.payload))
            assert found["payload"] == {name: payload[name] for name in known}


def _fields(message: Message) -> list[str]:
    return [field["name"] for field in json.loads(message.schema or '{"fields": []}')["fields"]]


def changed(released: Model, newest: Model) -> list[str]:
    """Return the names of messages of a released version that the newest specification does not have as they were."""
    now = {message.name: message for message in (newest.envelope, *newest.messages.values())}
    return [
        message.name
        for message in (released.envelope, *released.messages.values())
        if message.name is not None and not _is_kept(message, now.get(message.name))
    ]


def _is_kept(released: Message, newest: Message | None) -> bool:
    if newest is None or not newest.versions:
        return newest is not None and newest.fingerprint == released.fingerprint
    kept = [(one.version, one.length, one.fingerprint) for one in newest.versions]
    return kept[: len(released.versions)] == [(one.version, one.length, one.fingerprint) for one in released.versions]


@every_version
def test_no_message_of_a_version_has_changed(version: str) -> None:
    released = read_specification(FOLDER / version)

    assert changed(released, read_specification(ROOT)) == [], (
        f"version {version} is as it is: what is added to a message or to the envelope goes to its end, with a default "
        "and with the version that it comes with in `since`; tools/record_version.py records a version that is not "
        "released yet"
    )


def test_the_version_of_the_document_is_recorded() -> None:
    newest = read_specification(ROOT)

    assert newest.version.rpartition(".")[0] == VERSIONS[-1]
    recorded = read_specification(FOLDER / VERSIONS[-1])
    assert changed(newest, recorded) == [], "run tools/record_version.py"


ADDED = '"default": {}}'


@pytest.mark.parametrize(
    ("field", "is_change"),
    [
        ('{"name": "more", "type": "long", "default": 0, "since": "2.1"}', False),
        ('{"name": "more", "type": "long", "default": 0}', True),
        ('{"name": "more", "type": "long"}', True),
    ],
)
def test_a_field_without_a_version_of_its_own_changes_a_message(field: str, is_change: bool, tmp_path: Path) -> None:
    released = read_specification(edited(tmp_path / "released"))
    newest = read_specification(
        edited(tmp_path / "newest", ("schemas/Switch.avsc", ADDED, f"{ADDED},\n    {field}")),
    )

    assert changed(released, newest) == (["Switch"] if is_change else [])


def test_another_type_changes_a_message(tmp_path: Path) -> None:
    released = read_specification(edited(tmp_path / "released"))
    newest = read_specification(edited(tmp_path / "newest", ("schemas/Switch.avsc", '"double"', '"float"')))

    assert changed(released, newest) == ["Switch"]
