"""Reads events with the generated code that is on its path, a line each, and prints what it has read.

A line has the bytes of an event in hexadecimal digits. What is printed is `envelope` and `payload`, field by field; the
payload is `None` where that code does not know the message. It uses nothing of this repository but that code.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import datetime
from typing import Any

from orbitalis_wire import SPECIFICATION_VERSION
from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE
from orbitalis_wire.envelope import decode_event


def plain(value: object) -> Any:
    """Say a value as test vectors do."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            return value


def main() -> None:
    """Print the version, and then what each line is."""
    print(SPECIFICATION_VERSION)
    for line in sys.stdin:
        envelope, _ = decode_event(bytes.fromhex(line))
        payload, codec = None, CODEC_BY_MESSAGE_TYPE.get(envelope.message_type or "")
        if codec is not None:
            assert envelope.payload_format_type is not None
            assert envelope.serialized_payload is not None
            message = codec.decode_payload(
                envelope.payload_format_type, envelope.serialized_payload, envelope.schema_fingerprint
            )
            payload = plain(dataclasses.asdict(message))
        print(json.dumps({"envelope": plain(dataclasses.asdict(envelope)), "payload": payload}))


if __name__ == "__main__":
    main()
