"""The TypeScript codecs read what the Python codecs read; where something is malformed, both name the same field."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orbitalis import Limits
from orbitalis_avro.errors import DecodeError
from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE
from orbitalis_wire.envelope import decode_event
from tests.support.repository import ROOT, run
from tests.typescript.package import BEYOND, needs_node
from tests.wire import test_codecs, test_envelope

SEED = 20_261_123
VECTORS = (ROOT / "vectors" / "events.jsonl").read_text(encoding="utf-8")
EVENTS: list[dict[str, Any]] = [json.loads(line) for line in VECTORS.splitlines()]
MUTATIONS = 40
"""Of every event and of every payload."""
SAFE = 2**53 - 1
NOISE = [b'"', b"{", b"[", b"null", b"1e999", b"NaN", b"\\ud800", b"1.0", b"-0", b"\xff", b"\x80", b"\0", b"\1", b"\2"]


def plain(value: object) -> Any:
    """Say a value as the TypeScript side prints it."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case float() if not math.isfinite(value):
            return None
        case int() if not isinstance(value, bool) and abs(value) > SAFE:
            return str(value)
        case _:
            return value


def line(data: bytes, message: str | None = None, fingerprint: str | None = None, form: str = "avro") -> dict[str, Any]:
    """Write what the other side reads."""
    return {"hex": data.hex(), "message": message, "format": form, "fingerprint": fingerprint}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change a few bytes."""
    for _ in range(chance.randint(1, 2)):
        at = chance.randint(0, len(data))
        noise = chance.choice([chance.randbytes(chance.randint(0, 4)), chance.choice(NOISE)])
        data = data[:at] + noise + data[at + chance.randint(0, 4) :]
    return data


def cases() -> Iterator[dict[str, Any]]:
    """Yield what is well-formed, what the tests of the Python side call malformed, and what is changed at random."""
    chance = random.Random(SEED)
    yield from (line(data) for data in (b"", b"\x00", b"[]", b"\xc3\x01", b"\xc3\x01" + bytes(8) + b"\x02"))
    for changes, _, _ in test_envelope.MALFORMED:
        yield line(test_envelope.with_content(**changes))
    for name, data, _, _ in test_codecs.MALFORMED:
        if name == "EventEnvelope":
            yield line(bytes.fromhex("c301d43931555178cf62") + data)
        else:
            yield line(data, name, CODEC_BY_MESSAGE_TYPE[name].fingerprint)
    for event in EVENTS:
        for data in (event["json"].encode(), bytes.fromhex(event["avro_hex"])):
            yield line(data)
            yield from (line(mutated(data, chance)) for _ in range(MUTATIONS))
        envelope, _ = decode_event(event["json"].encode())
        if envelope.message_type is not None and envelope.serialized_payload is not None:
            about = (envelope.message_type, envelope.schema_fingerprint, envelope.payload_format_type or "")
            yield line(envelope.serialized_payload, *about)
            yield from (line(mutated(envelope.serialized_payload, chance), *about) for _ in range(MUTATIONS))


def read(case: dict[str, Any]) -> dict[str, Any]:
    """Read with the Python side."""
    data = bytes.fromhex(case["hex"])
    try:
        if case["message"] is None:
            envelope, encoding = decode_event(data)
            return {"encoding": str(encoding), "value": plain(dataclasses.asdict(envelope))}
        codec = CODEC_BY_MESSAGE_TYPE[case["message"]]
        message = codec.decode_payload(case["format"], data, case["fingerprint"])
        return {"value": plain(dataclasses.asdict(message))}
    except DecodeError as error:
        return {"record": error.record, "path": error.path, "reason": error.reason}


@needs_node
@pytest.mark.timeout(120)
def test_both_sides_read_the_same(javascript: Path, tmp_path: Path) -> None:
    given = list(cases())
    (tmp_path / "lines").write_text("".join(f"{json.dumps(case)}\n" for case in given))
    program = javascript / "typescript" / "tests" / "wire" / "reader.js"
    reader = f"node {program} {ROOT / 'schemas/EventEnvelope.avsc'} < {tmp_path / 'lines'}"

    printed = run(["sh", "-c", reader], errors_too=False).splitlines()

    differences: list[str] = []
    malformed = 0
    for case, theirs in zip(given, map(json.loads, printed), strict=True):
        ours = read(case)
        malformed += "path" in ours
        # The texts differ, since values are called otherwise.
        reason = theirs.pop("reason", "")
        if {key: value for key, value in ours.items() if key != "reason"} != theirs and not reason.startswith(BEYOND):
            differences.append(f"{case}\n  Python: {ours}\n  TypeScript: {theirs} {reason}")
    shown = "\n".join(differences[:5])
    assert not differences, f"{len(differences)} of {len(given)} differ:\n{shown}"
    assert len(given) > malformed > len(given) / 2


def test_limits_have_the_same_names() -> None:
    text = (ROOT / "typescript" / "src" / "protocol" / "limits.ts").read_text(encoding="utf-8")
    names = [re.sub(r"_([a-z])", lambda found: found[1].upper(), one.name) for one in dataclasses.fields(Limits)]

    assert re.findall(r"^  readonly (\w+): number;$", text, re.MULTILINE) == names
