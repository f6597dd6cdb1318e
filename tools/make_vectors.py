"""Makes the test vectors beside the specification: `vectors/schemas.jsonl` and `vectors/events.jsonl`.

python tools/make_vectors.py             writes the files
python tools/make_vectors.py --check     changes nothing; exit status 1 says that a file is out of date

They come from `asyncapi.yaml` and `schemas/` by way of fastavro, and not of the code that is tested by them.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer

from orbitalis_codegen import Model, read_specification
from orbitalis_codegen.model import Message, SchemaVersion

__all__ = ["FOLDER", "files", "main"]

ROOT = Path(__file__).resolve().parents[1]

FOLDER = ROOT / "vectors"
"""Where the files stand."""

_STRUCTS = {"uint32": ">I", "int64": ">q", "float32": ">f", "float64": ">d"}
_TIMESTAMP = datetime(2026, 11, 23, 21, 26, 1, 7, tzinfo=UTC)
_MARKER = b"\xc3\x01"


def files(model: Model) -> dict[str, str]:
    """Return the text of each file by its name."""
    return {"events.jsonl": _lines(_events(model)), "schemas.jsonl": _lines(_schemas(model))}


def _lines(rows: Iterator[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _schemas(model: Model) -> Iterator[Mapping[str, Any]]:
    for message in (model.envelope, *model.messages.values()):
        if message.schema is not None:
            yield {
                "name": message.name,
                "schema": json.loads(message.schema),
                "canonical_form": message.canonical_form,
                "fingerprint": message.fingerprint,
                "versions": [
                    {"version": one.version, "fields": one.length, "fingerprint": one.fingerprint}
                    for one in message.versions
                ],
            }


def _events(model: Model) -> Iterator[Mapping[str, Any]]:
    yield _event(model, None, None, is_full=True)
    for message in model.messages.values():
        if message.schema is not None:
            yield _event(model, message, _example(json.loads(message.schema), "", is_full=True), is_full=True)
            # What has no fingerprint is of the oldest version.
            oldest = message.versions[0].length if message.versions else None
            value = _example(json.loads(message.schema), "", is_full=False, length=oldest)
            yield _event(model, message, value, is_full=False)
            for version in message.versions[:-1]:
                value = _example(json.loads(message.schema), "", is_full=True, length=version.length)
                yield _event(model, message, value, is_full=True, version=version)
    integer = model.messages["Int32Message"]
    yield _event(model, integer, {"value": -1}, is_full=True)
    yield _event(model, integer, {"value": 4_294_967_295}, is_full=True, payload_format="bytes")


def _event(
    model: Model,
    message: Message | None,
    value: Any,
    *,
    is_full: bool,
    payload_format: str | None = None,
    version: SchemaVersion | None = None,
) -> Mapping[str, Any]:
    """Return an event; it has all headers if it is full, and none if it is not.

    An event of an older version has the payload, the headers and the envelope of that.
    """
    payload = None
    envelopes = [one for one in model.envelope.versions if version is None or one.version <= version.version]
    if message is not None:
        payload_format = payload_format or message.payload_format
        written = version or (message.versions[0] if message.versions and not is_full else None)
        payload = _payload(message, payload_format, value, written)
    envelope: dict[str, Any] = {
        "identifier": "event-1",
        "publisher_identifier": "client-1",
        "timestamp": _TIMESTAMP,
        "message_type": None if message is None else message.name,
        "payload_format_type": payload_format,
        "serialized_payload": payload,
        "protocol_version": int(model.version.partition(".")[0]),
        "incarnation": "00000000000000000007",
        "correlation_identifier": "event-0",
        "answer_requested": True,
        "connection_identifier": "connection-1",
        "open_connections": ["connection-1"],
        "schema_fingerprint": None if message is None else (version or message).fingerprint,
        "readable_encodings": ["json", *(f"avro:{one.fingerprint}" for one in reversed(envelopes))],
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "late_offers": False,
        "sequence_number": 3,
        "answer_within": 2.5,
    }
    if not is_full:
        envelope |= dict.fromkeys(list(envelope)[6:])
    newest = envelopes[-1]
    envelope |= dict.fromkeys(list(envelope)[newest.length :])
    binary = _MARKER + bytes.fromhex(newest.fingerprint) + _avro(json.loads(newest.schema), envelope)
    return {
        "value": _plain(value),
        "envelope": _plain(envelope),
        "json": json.dumps(_as_json(envelope), ensure_ascii=False),
        "avro_hex": binary.hex(),
    }


def _payload(message: Message, payload_format: str, value: Any, version: SchemaVersion | None) -> bytes:
    match payload_format:
        case "utf-8":
            return str(value["value"]).encode()
        case "bytes":
            return struct.pack(_STRUCTS[message.payload_layout or ""], value["value"])
        case _:
            return _avro(json.loads((version or message).schema or ""), value)


def _avro(schema: Any, value: Any) -> bytes:
    written = BytesIO()
    schemaless_writer(written, parse_schema(schema), value)
    return written.getvalue()


def _as_json(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return an envelope as its JSON object has it: headers that are null are left out."""
    result: dict[str, Any] = {}
    for index, (name, value) in enumerate(envelope.items()):
        match value:
            case bytes():
                result[name] = {"__type__": "bytes", "value": base64.b64encode(value).decode()}
            case datetime():
                result[name] = {"__type__": "datetime", "value": value.isoformat()}
            case None if index >= 6:
                pass
            case _:
                result[name] = value
    return result


def _plain(value: Any) -> Any:
    """Return a value as the vectors say it: bytes as hexadecimal digits, times in ISO 8601."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case datetime():
            return value.isoformat()
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return value


def _example(
    schema: Any, name: str, *, is_full: bool, known: dict[str, Any] | None = None, length: int | None = None
) -> Any:
    """Return a value of a schema: with something in everything that could be empty, or with nothing.

    Fields of a record behind the first `length` have their defaults.
    """
    known = {} if known is None else known
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(kind, list):
        # A union of nothing and something.
        (other,) = (branch for branch in kind if branch != "null")
        return _example(other, name, is_full=True, known=known) if is_full else None
    if isinstance(schema, dict) and schema.get("logicalType") == "timestamp-micros":
        return _TIMESTAMP if is_full else datetime.fromtimestamp(0, UTC)
    if isinstance(kind, str) and kind in known:
        return _example(known[kind], name, is_full=is_full, known=known)
    match kind:
        case "record":
            known[schema["name"]] = schema
            return {
                field["name"]: _example(field["type"], field["name"], is_full=is_full, known=known)
                if length is None or index < length
                else field["default"]
                for index, field in enumerate(schema["fields"])
            }
        case "array":
            item = _example(schema["items"], name, is_full=is_full, known=known)
            return [item, item] if is_full else []
        case "map":
            return {"key é": _example(schema["values"], name, is_full=is_full, known=known)} if is_full else {}
        case "string":
            return f"{name} ✓" if is_full else ""
        case "bytes":
            return b"\x00\xff" if is_full else b""
        case "boolean":
            return is_full
        case "float" | "double":
            return -1.5 if is_full else 0.0
        case "int" | "long":
            return 1_000_000 if is_full else 0
        case _:
            return _example(kind, name, is_full=is_full, known=known)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files, and return the exit status."""
    parser = argparse.ArgumentParser(description="Make the test vectors of the specification.")
    parser.add_argument("--check", action="store_true", help="change nothing, but fail if a file is out of date")
    check = parser.parse_args(arguments).check
    status = 0
    for name, text in files(read_specification(ROOT)).items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} is out of date; make pages renews it", file=sys.stderr)
            status = 1
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} is written")
    return status


if __name__ == "__main__":
    sys.exit(main())
