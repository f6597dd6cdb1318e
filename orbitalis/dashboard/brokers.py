"""Connections with a broker: over TCP, over TLS, and over the broker's own listener for WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from orbitalis.bus.mqtt_endpoint import Endpoint
from orbitalis.errors import BusUnavailableError

__all__ = ["BrokerAddress", "BrokerStream", "reach"]

_CHUNK = 65_536


class BrokerStream(Protocol):
    """Bytes from and to a broker."""

    async def read(self) -> bytes:
        """Return what comes next; nothing at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send something, and wait while the broker is slow."""
        ...


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is, and how and with which credentials it is reached."""

    endpoint: Endpoint
    path: str | None = None
    """Path of its listener for WebSockets; `None` for one of plain MQTT."""

    def __str__(self) -> str:
        """Show the URL without credentials."""
        if self.path is None:
            return str(self.endpoint)
        return str(self.endpoint).replace("mqtt", "ws", 1) + self.path


@asynccontextmanager
async def reach(address: BrokerAddress) -> AsyncGenerator[BrokerStream, None]:
    """Connect with a broker, and disconnect at the end.

    Raises:
        BusError: It cannot be reached within `address.endpoint.connect_timeout` seconds.
    """
    if address.path is None:
        endpoint = address.endpoint
        try:
            async with asyncio.timeout(endpoint.connect_timeout):
                reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=endpoint.tls)
        except (OSError, TimeoutError) as error:
            raise endpoint.failure(error) from None
        try:
            yield _TcpStream(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        return
    async with _reach_websocket(address) as stream:
        yield stream


@asynccontextmanager
async def _reach_websocket(address: BrokerAddress) -> AsyncGenerator[BrokerStream, None]:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, WebSocketException
    from websockets.typing import Subprotocol

    endpoint = address.endpoint
    try:
        connection = await connect(
            str(address),
            subprotocols=[Subprotocol("mqtt")],
            ssl=endpoint.tls,
            compression=None,
            max_size=None,
            open_timeout=endpoint.connect_timeout,
        )
    except (OSError, TimeoutError, WebSocketException) as error:
        raise BusUnavailableError(f"cannot connect to {address}: {error}") from None

    class _WebSocketStream:
        async def read(self) -> bytes:
            try:
                data = await connection.recv()
            except ConnectionClosed:
                return b""
            return data if isinstance(data, bytes) else data.encode()

        async def write(self, data: bytes) -> None:
            try:
                await connection.send(data)
            except ConnectionClosed as error:
                raise ConnectionResetError(str(error)) from None

    async with connection:
        yield _WebSocketStream()


class _TcpStream:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        return await self._reader.read(_CHUNK)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
