"""Just as much of MQTT as a proxy has to know: where packets end, who connects, and which carry events."""

from __future__ import annotations

import asyncio
from enum import IntEnum

__all__ = ["Kind", "client_of", "kind_of", "read_packet", "without_acknowledgement"]


class Kind(IntEnum):
    """What the first four bits of a packet say."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    """Read one packet.

    Raises:
        asyncio.IncompleteReadError: The connection has ended.
        OSError: The connection has broken.
    """
    packet = await reader.readexactly(2)
    shift, length = 7, packet[1] & 0x7F
    while packet[-1] & 0x80:
        packet += await reader.readexactly(1)
        length |= (packet[-1] & 0x7F) << shift
        shift += 7
    return packet + await reader.readexactly(length)


def kind_of(packet: bytes) -> int:
    """Return what a packet is."""
    return packet[0] >> 4


def client_of(connect: bytes) -> str:
    """Return the identifier of the client that sends a CONNECT of MQTT 5."""
    body = _body(connect)
    begin = 10
    properties, begin = _length_at(body, begin)
    begin += properties
    length = int.from_bytes(body[begin : begin + 2])
    return body[begin + 2 : begin + 2 + length].decode()


def without_acknowledgement(publish: bytes) -> bytes:
    """Return a PUBLISH as one of quality of service 0, which is not acknowledged."""
    body = _body(publish)
    if publish[0] & 0x06:
        topic_end = 2 + int.from_bytes(body[:2])
        body = body[:topic_end] + body[topic_end + 2 :]
    length, header = len(body), bytearray([Kind.PUBLISH << 4])
    while True:
        length, digit = divmod(length, 0x80)
        header.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(header) + body


def _body(packet: bytes) -> bytes:
    _, begin = _length_at(packet, 1)
    return packet[begin:]


def _length_at(data: bytes, position: int) -> tuple[int, int]:
    """Return the variable length number at a position, and where it ends."""
    number, shift = 0, 0
    while True:
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return number, position
