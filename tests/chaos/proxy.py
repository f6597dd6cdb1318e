"""A proxy between clients and a broker that loses, delays, cuts and goes deaf."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tests.chaos.packets import Kind, client_of, kind_of, read_packet, without_acknowledgement
from tests.support.broker import unused_port

__all__ = ["Direction", "Proxy", "Weather"]

_HOST = "127.0.0.1"
_COUNTS = ("passed", "lost", "repeated", "refused", "unanswered", "broken")
_REMEMBERED = 60
"""Events for each client that can be repeated later."""
_INTERVAL = 0.000_01
"""Seconds between packets that are delayed, so that they keep their order."""
_RESET: Final = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""Ends a connection by a reset, without a word of good-bye."""


class Direction(Enum):
    """Where a packet goes."""

    TO_BROKER = "to the broker"
    TO_CLIENT = "to the client"


@dataclass(kw_only=True)
class Weather:
    """What befalls packets, for as long as it lasts."""

    delay: float = 0.0
    """Seconds that a packet takes longer, at most; none overtakes another."""
    piece: int | None = None
    """Bytes that are sent at a time."""
    loss: float = 0.0
    """Share of events that are lost."""
    is_deaf: bool = False
    """Whether connections are accepted, and nothing comes of them."""
    repeats: bool = False
    """Whether a client that connects gets its last events once more, as if the broker had kept them."""


@dataclass(eq=False)
class _Link:
    """A client's connection and the broker's."""

    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    swallowed: set[Direction] = field(default_factory=set[Direction])
    """Directions in which nothing passes any more, not even the end."""
    due: dict[Direction, float] = field(default_factory=lambda: dict.fromkeys(Direction, 0.0))
    """When the last packet leaves, or has left, on the clock of the event loop."""
    cut: Direction | None = None
    """In the middle of whose next event the connection is to break."""
    identifier: str = ""

    def writer(self, direction: Direction) -> asyncio.StreamWriter:
        return self.broker if direction is Direction.TO_BROKER else self.client

    def abort(self) -> None:
        for writer in (self.client, self.broker):
            _abort(writer)


class Proxy:
    """Stands between clients and the broker that listens on a port."""

    def __init__(self, broker_port: int, seed: int, patience: float) -> None:
        """Prepare a proxy, which :meth:`start` starts.

        `seed` decides which packets suffer, and `patience` is how many seconds :meth:`until` waits.
        """
        self.port = unused_port()
        self.weather = Weather()
        """May be replaced at any time."""
        self.passed = 0
        """Connections that the broker accepted."""
        self.lost = 0
        """Events that were lost on purpose."""
        self.repeated = 0
        """Events that were delivered once more."""
        self.refused = 0
        """Connections that came while the broker was away."""
        self.unanswered = 0
        """Connections that came while the proxy was deaf."""
        self.broken = 0
        """Connections that were cut."""
        self._broker_port = broker_port
        self._patience = patience
        self._random = random.Random(seed)
        self._links: set[_Link] = set()
        self._events: dict[str, deque[bytes]] = {}
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, _HOST, self.port)

    async def stop(self) -> None:
        """End everything."""
        assert self._server is not None
        self._server.close()
        self.cut()
        for writer in self._serving.values():
            _abort(writer)
        await asyncio.gather(*self._serving)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds of what is counted here."""
        try:
            async with asyncio.timeout(self._patience), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"what a proxy waited for has not come; it counted {self.counts()}") from None

    def counts(self) -> dict[str, int]:
        """Return all that is counted here."""
        return {name: getattr(self, name) for name in _COUNTS}

    @property
    def connections(self) -> int:
        """How many connections there are that pass anything on."""
        return sum(not link.swallowed for link in self._links)

    def cut(self) -> None:
        """Break all connections at once."""
        for link in tuple(self._links):
            link.abort()

    def cut_within_next_event(self, direction: Direction) -> None:
        """Break all connections, each in the middle of its next event."""
        for link in self._links:
            link.cut = direction

    def swallow(self, *directions: Direction) -> None:
        """Let nothing pass any more on the connections that there are, and tell nobody."""
        for link in self._links:
            link.swallowed.update(directions)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if self.weather.is_deaf:
                    await self._count("unanswered")
                    await reader.read()
                else:
                    await self._connect(reader, writer)
        finally:
            _abort(writer)
            del self._serving[task]

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            broker_reader, broker_writer = await asyncio.open_connection(_HOST, self._broker_port)
        except OSError:
            await self._count("refused")
            return
        link = _Link(writer, broker_writer)
        self._links.add(link)
        await self._count("passed")
        try:
            for one in (writer, broker_writer):
                one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(link, reader, Direction.TO_BROKER))
                group.create_task(self._pass(link, broker_reader, Direction.TO_CLIENT))
        finally:
            link.abort()
            self._links.discard(link)

    async def _pass(self, link: _Link, reader: asyncio.StreamReader, direction: Direction) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await self._pass_packet(link, await read_packet(reader), direction)
        if not link.swallowed:
            link.abort()

    async def _pass_packet(self, link: _Link, packet: bytes, direction: Direction) -> None:
        weather, kind = self.weather, kind_of(packet)
        if kind == Kind.CONNECT and direction is Direction.TO_BROKER:
            link.identifier = client_of(packet)
        if direction in link.swallowed:
            return
        writer = link.writer(direction)
        if kind == Kind.PUBLISH:
            if link.cut is direction:
                writer.write(packet[: len(packet) // 2])
                await writer.drain()
                link.abort()
                await self._count("broken")
                return
            if self._random.random() < weather.loss:
                await self._count("lost")
                return
            if direction is Direction.TO_CLIENT:
                self._events.setdefault(link.identifier, deque(maxlen=_REMEMBERED)).append(packet)
        loop = asyncio.get_running_loop()
        if weather.delay or link.due[direction] > loop.time():
            due = loop.time() + self._random.uniform(0, weather.delay)
            link.due[direction] = max(due, link.due[direction] + _INTERVAL)
            loop.call_at(link.due[direction], _write, writer, packet)
            return
        step = weather.piece or len(packet)
        for begin in range(0, len(packet), step):
            writer.write(packet[begin : begin + step])
            await writer.drain()
        if kind == Kind.CONNACK and weather.repeats:
            for event in self._events.pop(link.identifier, ()):
                writer.write(without_acknowledgement(event))
                await self._count("repeated")

    async def _count(self, what: str) -> None:
        setattr(self, what, getattr(self, what) + 1)
        async with self._changed:
            self._changed.notify_all()


def _write(writer: asyncio.StreamWriter, packet: bytes) -> None:
    if not writer.is_closing():
        writer.write(packet)


def _abort(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        with contextlib.suppress(OSError):
            connection.setsockopt(*_RESET)
    writer.transport.abort()
