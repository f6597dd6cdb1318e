"""A broker that says what a test wants it to say: a few packets of MQTT 5, byte by byte."""

from __future__ import annotations

import asyncio
import struct
from types import TracebackType
from typing import Any, Self

from tests.support.broker import unused_port

__all__ = ["ScriptedBroker"]


class ScriptedBroker:
    """Accepts connections and acknowledges everything, or refuses it; delivers nothing by itself."""

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        connect_reason: int = 0,
        connect_properties: bytes = b"",
        subscribe_reason: int = 1,
        publish_reason: int = 0,
        is_silent: bool = False,
        most_bytes: int = 1 << 28,
        is_hasty: bool = False,
        is_curt: bool = False,
    ) -> None:
        """Answer with these reason codes; `connect_properties` are those of the CONNACK packet, as bytes.

        A packet of more than `most_bytes` ends the connection for that reason; a broker that is hasty reads none of it
        before, and one that is curt does not say why. One that is silent answers nothing but the connect, until it is
        to :meth:`speak`.
        """
        self.port = unused_port()
        self.connect_reason = connect_reason
        self.connect_properties = connect_properties
        self.subscribe_reason = subscribe_reason
        self.publish_reason = publish_reason
        self.packets: list[tuple[int, bytes]] = []
        """Type and body of each packet that came."""
        self.published: list[bytes] = []
        """The payload of each message that came."""
        self.most_bytes = most_bytes
        self._is_hasty = is_hasty
        self._is_curt = is_curt
        self._is_silent = is_silent
        self._unanswered: list[tuple[int, bytes]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self._server.close()
        self.hang_up()
        if self._serving:
            await asyncio.wait(self._serving)

    def count(self, packet_type: int) -> int:
        """Return how many packets of one type came.

        1 is CONNECT, 3 PUBLISH, 6 PUBREL, 8 SUBSCRIBE, 10 UNSUBSCRIBE, 12 PINGREQ.
        """
        return sum(kind == packet_type for kind, _ in self.packets)

    def speak(self) -> None:
        """Answer from now on, and what has come before."""
        self._is_silent = False
        for first, body in self._unanswered:
            self._answer(first, body)

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Deliver a message to the client that connected last."""
        self._send(0x30, struct.pack(">H", len(topic)) + topic + b"\0" + payload)

    def disconnect(self, reason: int) -> None:
        """End the last connection and say why."""
        self._send(0xE0, bytes([reason, 0]))
        self.hang_up()

    def send(self, data: bytes) -> None:
        """Write anything at all to the client that connected last."""
        self._writers[-1].write(data)

    def hang_up(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.close()

    def _send(self, first: int, body: bytes) -> None:
        length = [len(body) % 128]
        rest = len(body) // 128
        while rest:
            length[-1] |= 128
            length.append(rest % 128)
            rest //= 128
        self.send(bytes([first, *length]) + body)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while True:
                (first,) = await reader.readexactly(1)
                length = await _length(reader)
                body = b"" if self._is_hasty and length > self.most_bytes else await reader.readexactly(length)
                self.packets.append((first >> 4, body))
                if length > self.most_bytes:
                    if not self._is_curt:
                        self.disconnect(0x95)
                    return
                if self._is_silent and first >> 4 != 1:
                    self._unanswered.append((first, body))
                else:
                    self._answer(first, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, first: int, body: bytes) -> None:
        match first >> 4:
            case 1:
                self._send(
                    0x20, bytes([0, self.connect_reason, len(self.connect_properties)]) + self.connect_properties
                )
            case 3:
                (length,) = struct.unpack(">H", body[:2])
                rest = body[2 + length :]
                if first & 0b110:
                    # PUBACK, or PUBREC to one of quality of service 2.
                    self._send(0x40 if first & 0b010 else 0x50, rest[:2] + bytes([self.publish_reason, 0]))
                    rest = rest[2:]
                # There are no properties.
                self.published.append(rest[1:])
            case 6:
                self._send(0x70, body[:2])
            case 8 | 10 as kind:
                self._send((kind + 1) << 4, body[:2] + b"\0" + bytes([self.subscribe_reason]))
            case 12:
                self._send(0xD0, b"")
            case _:
                pass


async def _length(reader: asyncio.StreamReader) -> int:
    length = shift = 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return length
