"""Writes and reads a message with the generated code that is on its path.

`write JSON` prints the fingerprint and the bytes of a Switch of which the fields are given; `read FINGERPRINT HEX` what
it reads of one, or `refused`. It uses nothing of this repository but that code.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from orbitalis_wire import messages
from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE


def main(command: str, *arguments: str) -> None:
    """Run one of the two commands."""
    codec, known = CODEC_BY_MESSAGE_TYPE["Switch"], vars(messages)
    if command == "write":
        value = known["Switch"](**{**json.loads(arguments[0]), "state": known["State"].ON})
        print(codec.fingerprint, codec.encode_payload(value).hex())
        return
    fingerprint, data = arguments
    try:
        read: Any = codec.decode_payload("avro", bytes.fromhex(data), fingerprint)
    except Exception:
        print("refused")
    else:
        print(json.dumps({**dataclasses.asdict(read), "state": read.state.name}))


if __name__ == "__main__":
    main(*sys.argv[1:])
