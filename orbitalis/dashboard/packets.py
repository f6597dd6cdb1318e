"""The few things of MQTT 5.0 that a relay reads: where packets end, where they publish, what they subscribe to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from orbitalis_wire.limits import EVENT_BYTES, TOPIC_BYTES

__all__ = [
    "LARGEST_FRAME",
    "Connect",
    "MalformedPacketError",
    "Packet",
    "PacketType",
    "Packets",
    "Publish",
    "filters_of",
]

_LONGEST: Final = EVENT_BYTES + TOPIC_BYTES + 4096
"""Bytes of a packet, the longest that an orbiter sends with a margin for its properties."""
LARGEST_FRAME: Final = 16 * EVENT_BYTES
"""Bytes of a packet that the page takes, and of a frame that it sends: some packets together."""
_LENGTH_BYTES: Final = 4
_VERSION: Final = 5
_PROTOCOL_NAME: Final = b"MQTT"


class MalformedPacketError(Exception):
    """Bytes are no packet of MQTT 5.0, or one that is longer than any that an orbiter sends."""


class PacketType(IntEnum):
    """Packets that a client sends (MQTT 5.0, table 2-1)."""

    CONNECT = 1
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    UNSUBSCRIBE = 10
    PINGREQ = 12
    DISCONNECT = 14


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as it was sent."""

    type: PacketType
    flags: int
    body: bytes
    """What follows the fixed header."""
    data: bytes
    """All of it."""


@dataclass(frozen=True, slots=True)
class Publish:
    """The parts of a PUBLISH packet that a relay looks at."""

    topic: str
    """Empty where a topic alias stands for it."""
    is_retained: bool

    @classmethod
    def read(cls, packet: Packet) -> Publish:
        """Read a PUBLISH packet.

        Raises:
            MalformedPacketError: It ends too early, or its topic is no UTF-8.
        """
        return cls(_Reader(packet.body).text(), bool(packet.flags & 1))


@dataclass(frozen=True, slots=True)
class Connect:
    """The parts of a CONNECT packet that a relay looks at."""

    keepalive: int
    """Seconds."""
    will: tuple[str, bytes, int] | None
    """Topic, payload and flags of the will."""

    @property
    def will_is_retained(self) -> bool:
        """Whether the broker is to keep the will."""
        return self.will is not None and bool(self.will[2] & 0x20)

    @classmethod
    def read(cls, packet: Packet) -> Connect:
        """Read a CONNECT packet.

        Raises:
            MalformedPacketError: It ends too early, or is of another version than MQTT 5.0.
        """
        reader = _Reader(packet.body)
        if reader.bytes() != _PROTOCOL_NAME or reader.byte() != _VERSION:
            raise MalformedPacketError("expected MQTT 5.0, got another version or protocol")
        flags = reader.byte()
        keepalive = reader.number()
        reader.skip(reader.length())
        reader.bytes()  # the client identifier
        if not flags & 0x04:
            return cls(keepalive, None)
        reader.skip(reader.length())
        return cls(keepalive, (reader.text(), reader.bytes(), flags & 0x38))

    def written(self, identifier: str, username: str | None, password: str | None) -> bytes:
        """Write it for a session that is new and ends with its connection, as the client that is named."""
        flags = 0x02
        largest = b"\x27" + LARGEST_FRAME.to_bytes(4, "big")
        tail = _with_length(identifier.encode())
        if self.will is not None:
            topic, payload, will_flags = self.will
            flags |= 0x04 | will_flags
            tail += b"\x00" + _with_length(topic.encode()) + _with_length(payload)
        if username is not None:
            flags |= 0x80
            tail += _with_length(username.encode())
        if password is not None:
            flags |= 0x40
            tail += _with_length(password.encode())
        head = _with_length(_PROTOCOL_NAME) + bytes((_VERSION, flags)) + self.keepalive.to_bytes(2, "big")
        body = head + _length(len(largest)) + largest + tail
        return bytes((PacketType.CONNECT << 4,)) + _length(len(body)) + body


def filters_of(packet: Packet) -> Iterator[str]:
    """Yield the topic filters of a SUBSCRIBE packet.

    Raises:
        MalformedPacketError: It ends too early, or a filter is no UTF-8.
    """
    reader = _Reader(packet.body)
    reader.skip(2)
    reader.skip(reader.length())
    while reader.is_left:
        yield reader.text()
        reader.skip(1)


class Packets:
    """Collects bytes, and gives the packets in them."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, data: bytes) -> Iterator[Packet]:
        """Take the next bytes, and yield each packet that is whole by now.

        Raises:
            MalformedPacketError: They are no packets of a client.
        """
        self._buffer += data
        while (packet := _first_packet(self._buffer)) is not None:
            del self._buffer[: len(packet.data)]
            yield packet


def _first_packet(buffer: bytes | bytearray) -> Packet | None:
    """Return the first packet in some bytes; `None` if it is not whole.

    Raises:
        MalformedPacketError: It is none of a client, or is too long.
    """
    if len(buffer) < 2:
        return None
    try:
        kind = PacketType(buffer[0] >> 4)
    except ValueError:
        raise MalformedPacketError(f"expected a packet of a client, got the type {buffer[0] >> 4}") from None
    length = 0
    for place, byte in enumerate(buffer[1 : 1 + _LENGTH_BYTES]):
        length |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            start = place + 2
            break
    else:
        if len(buffer) > _LENGTH_BYTES:
            raise MalformedPacketError("the length of a packet takes more than four bytes")
        return None
    if length > _LONGEST:
        raise MalformedPacketError(f"expected a packet of at most {_LONGEST} bytes, got one of {length}")
    if len(buffer) < start + length:
        return None
    data = bytes(buffer[: start + length])
    return Packet(kind, data[0] & 0x0F, data[start:], data)


def _length(number: int) -> bytes:
    written = bytearray()
    while True:
        number, byte = number >> 7, number & 0x7F
        written.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(written)


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


class _Reader:
    """Reads what a packet is made of."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def is_left(self) -> bool:
        return self._place < len(self._data)

    def skip(self, count: int) -> bytes:
        taken = self._data[self._place : self._place + count]
        if len(taken) < count:
            raise MalformedPacketError("a packet ends too early")
        self._place += count
        return taken

    def byte(self) -> int:
        return self.skip(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.skip(2), "big")

    def length(self) -> int:
        found = 0
        for place in range(_LENGTH_BYTES):
            byte = self.byte()
            found |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                return found
        raise MalformedPacketError("a length takes more than four bytes")

    def bytes(self) -> bytes:
        return self.skip(self.number())

    def text(self) -> str:
        try:
            return self.bytes().decode()
        except UnicodeDecodeError:
            raise MalformedPacketError("a topic is no UTF-8") from None
