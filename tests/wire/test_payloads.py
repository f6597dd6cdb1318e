"""Payloads that are no records: a text, and numbers in big-endian order."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire.codecs import CODEC_BY_CLASS
from orbitalis_wire.messages import (
    Float32Message,
    Float64Message,
    Int32Message,
    Int64Message,
    KeepaliveMessage,
    StringMessage,
)


@pytest.mark.parametrize(
    ("message", "payload_format", "data"),
    [
        (StringMessage(value="é✓"), "utf-8", "é✓".encode()),
        (StringMessage(value=""), "utf-8", b""),
        (Int32Message(value=0x80000102), "bytes", b"\x80\0\1\2"),
        (Int64Message(value=-2), "bytes", b"\xff" * 7 + b"\xfe"),
        (Float32Message(value=1.5), "bytes", b"\x3f\xc0\0\0"),
        (Float64Message(value=float("-inf")), "bytes", b"\xff\xf0" + b"\0" * 6),
    ],
)
def test_payloads_that_are_no_records(message: Any, payload_format: str, data: bytes) -> None:
    codec = CODEC_BY_CLASS[type(message)]

    assert codec.decode_payload(payload_format, data) == message
    if codec.payload_format == payload_format:
        assert codec.encode_payload(message) == data
    assert codec.decode_payload("avro", codec.encode(message)) == message


@pytest.mark.parametrize(
    ("class_", "payload_format", "data", "path", "reason"),
    [
        (StringMessage, "utf-8", b"a\xff", "value", "expected UTF-8, got byte 0xff"),
        (Int32Message, "bytes", b"\0" * 8, "value", "expected 4 bytes, got 8"),
        (Int64Message, "bytes", b"\0" * 4, "value", "expected 8 bytes, got 4"),
        (Float32Message, "bytes", b"", "value", "expected 4 bytes, got 0"),
        (Float64Message, "bytes", b"\0" * 9, "value", "expected 8 bytes, got 9"),
        (Float64Message, "json", b"1", "", 'expected the payload format avro or bytes, got "json"'),
        (KeepaliveMessage, "utf-8", b"", "", 'expected the payload format avro, got "utf-8"'),
        (KeepaliveMessage, "x" * 200, b"", "", f'avro, got "{"x" * 100}…"'),
    ],
)
def test_malformed_payloads(class_: type, payload_format: str, data: bytes, path: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC_BY_CLASS[class_].decode_payload(payload_format, data)
    assert (caught.value.record, caught.value.path) == (class_.__name__, path)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (StringMessage(value=b"x"), "expected a str, got bytes"),  # type: ignore[arg-type]
        (StringMessage(value="\udfff"), "lone surrogate U+DFFF"),
        (Float32Message(value=1e300), "expected a number that fits 4 bytes"),
        (Float64Message(value=10**400), "expected a number that fits 8 bytes"),
        (Float64Message(value="1"), "expected a number, got str"),  # type: ignore[arg-type]
        (Float64Message(value=True), "expected a number, got bool"),
    ],
)
def test_payloads_that_cannot_be_written(message: Any, reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        CODEC_BY_CLASS[type(message)].encode_payload(message)
    assert (caught.value.record, caught.value.path) == (type(message).__name__, "value")
    assert reason in caught.value.reason
