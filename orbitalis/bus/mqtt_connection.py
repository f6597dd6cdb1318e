"""One connection to an MQTT broker, from its opening to its loss.

This is aiomqtt's client, bent where it does not do for a client that runs for months:

- messages go straight from the socket to a function, not through a queue that grows without bound, and are read as
  fast as they come; what comes is acknowledged at once;
- an opening that is cancelled or fails leaves no socket and no task behind, though a thread takes part in it;
- whoever waits for an answer from the broker hears of it at once when the connection is lost;
- what the broker says of itself when it accepts the connection (how large a packet it takes) is kept;
- what is to be written to a socket that is closed a moment later does not go to another one with the same number;
- an opening that the broker ends instead of answering it fails at once, and says what TLS has to say of it;
- a publish that the broker refuses is not silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import re
import socket
import ssl
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiomqtt
from aiomqtt.exceptions import MqttCodeError, MqttConnectError
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import LogLevel
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from orbitalis.errors import BusError, BusRefusedError, BusUnavailableError
from orbitalis.log import FieldLogger
from orbitalis_wire import limits

__all__ = ["IN_FLIGHT", "MAXIMUM_PACKET_BYTES", "Connection", "ConnectionLostError", "Endpoint", "MqttMessage"]

T = TypeVar("T")

_logger = FieldLogger(logging.getLogger(__name__))
_paho_logger = logging.getLogger(f"{__name__}.paho")
# What it calls errors is reported by ours, and better. At level DEBUG, it shows every packet.
_paho_logger.setLevel(logging.CRITICAL)

MAXIMUM_PACKET_BYTES = 16 * limits.EVENT_BYTES
"""What the broker may send at most; less than that, but too much for an event, is counted and reported here."""
IN_FLIGHT = 20
"""Calls that wait for the broker at the same time, of each kind; with more, aiomqtt's bookkeeping takes over."""
_PACKETS_A_TURN = 20
"""Packets that are read before the event loop gets on with the rest; aiomqtt reads one, and falls behind."""
_CLOSE_TIMEOUT = 2.0
"""Seconds that the broker has to take note of a disconnect."""

_NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
# A broker without TCP_NODELAY (mosquitto's default) sends a small packet only when the one before is acknowledged, and
# the kernel takes 40 ms for that unless told otherwise each time. Linux only.
_QUICKACK = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1) if hasattr(socket, "TCP_QUICKACK") else None
_LOSSES = {
    "Unspecified error": "the network connection broke",
    "Session taken over": "another client has connected with the same identifier, and there must be one only",
}
"""What to say of a loss instead of the broker's or paho's own words."""
_TLS_ALERT = re.compile(r"\[SSL: \w*ALERT\w*\]")
"""How errors begin that say what the other side has against us."""
_HUNG_UP = re.compile(r"reset by peer|ended the connection instead of answering", re.IGNORECASE)
_PASSING_REFUSALS = ("Server unavailable", "Server busy", "Quota exceeded", "Connection rate exceeded")


class ConnectionLostError(Exception):
    """The connection was lost before the broker answered."""


class _PublishRefusedError(Exception):
    """The broker does not take what was published; the text is its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a broker is, and how it is talked to."""

    host: str
    port: int
    identifier: str
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None
    keepalive: float
    connect_timeout: float

    def __str__(self) -> str:
        """Show what is safe to be logged."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtt' if self.tls is None else 'mqtts'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """A message as the broker delivered it."""

    topic: str
    payload: bytes
    subscription_identifiers: Sequence[int]
    """Which subscriptions it is delivered for; empty if the broker does not say."""


class Connection(aiomqtt.Client):
    """A connection that is used once; must be made in the event loop that uses it."""

    def __init__(self, endpoint: Endpoint, deliver: Callable[[MqttMessage], None]) -> None:
        """Prepare a connection that hands every message to `deliver`, which must not raise."""
        connection = self

        class Inbox(asyncio.Queue[aiomqtt.Message]):
            """A queue that nothing waits in."""

            def put_nowait(self, item: aiomqtt.Message) -> None:
                identifiers = getattr(item.properties, "SubscriptionIdentifier", ())
                connection._progress += 1
                if not connection._is_aborted:
                    deliver(MqttMessage(item.topic.value, bytes(item.payload), identifiers))

        super().__init__(
            endpoint.host,
            endpoint.port,
            identifier=endpoint.identifier,
            username=endpoint.username,
            password=endpoint.password,
            tls_context=endpoint.tls,
            keepalive=max(1, round(endpoint.keepalive)),
            timeout=math.inf,
            protocol=aiomqtt.ProtocolVersion.V5,
            properties=_properties(PacketTypes.CONNECT, MaximumPacketSize=MAXIMUM_PACKET_BYTES),
            queue_type=Inbox,
            socket_options=[_NODELAY],
            logger=_paho_logger,
        )
        self.pending_calls_threshold = 2 * IN_FLIGHT
        self.maximum_packet_bytes: int | None = None
        """What the broker takes at most, if it says so."""
        self._tells_subscriptions = True
        self._endpoint = endpoint
        self._calls: dict[asyncio.Timeout, None] = {}
        self._lost = asyncio.Event()
        self._reason = "it was closed"
        self._is_aborted = False
        self._progress = 0
        """Counts packets that were read, but for rare ones."""
        self._thread_is_busy = False
        self._refusals: dict[int, str] = {}
        """By packet identifier: why the broker refuses what somebody is publishing."""
        self._unwritten: object | None = None
        """The socket, while there is something to be written to it."""
        self._opening_error = ""
        """What went wrong with the socket while it was opened."""

    async def open(self) -> None:
        """Connect.

        Raises:
            BusUnavailableError: There is no broker, or none that answers in time.
            BusRefusedError: The broker does not want this client.
        """
        self._client.connect_timeout = self._endpoint.connect_timeout
        self._client.on_log = self._on_opening_log
        self._thread_is_busy = True
        try:
            async with asyncio.timeout(self._endpoint.connect_timeout):
                await self.__aenter__()
            self._client.on_log = None
            self._disconnected.add_done_callback(self._on_lost)
            self._replace_reader()
        except BaseException as error:
            await self.abort()
            if not isinstance(error, Exception):
                raise
            raise self._translated(error) from None

    async def lost(self) -> str:
        """Wait until the connection is lost, and return why."""
        await self._lost.wait()
        return self._reason

    async def call(self, answer: Coroutine[Any, Any, T]) -> T:
        """Wait for a method of this connection, such as `publish(...)`.

        Raises:
            ConnectionLostError: The connection was lost, just now or earlier.
            BusUnavailableError: The method failed otherwise.
        """
        if self._lost.is_set():
            answer.close()
            raise ConnectionLostError
        limit = asyncio.timeout(None)
        self._calls[limit] = None
        try:
            async with limit:
                return await answer
        except TimeoutError:
            raise ConnectionLostError from None
        except aiomqtt.MqttError as error:
            if self._client.socket() is None:
                raise ConnectionLostError from None
            raise BusUnavailableError(f"{self._endpoint}: {error}") from None
        finally:
            self._calls.pop(limit, None)

    async def publish_to(self, topic: str, data: bytes, quality_of_service: int, retain: bool) -> str | None:
        """Publish, and return why the broker refuses that, or `None`; of quality of service 0 it says nothing."""
        try:
            await self.publish(topic, data, quality_of_service, retain)
        except _PublishRefusedError as refusal:
            return str(refusal)
        return None

    async def subscribe_to(self, topics: Mapping[str, int], identifier: int) -> Sequence[str | None]:
        """Subscribe to filters, each with its quality of service; return for each why it is refused, or `None`.

        Messages for any of them carry `identifier`, if the broker knows how to.
        """
        reasons = await self.subscribe(
            [(topic, SubscribeOptions(qos=quality_of_service)) for topic, quality_of_service in topics.items()],
            properties=_properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=identifier)
            if self._tells_subscriptions
            else None,
        )
        return [str(one) if isinstance(one, ReasonCode) and one.is_failure else None for one in reasons]

    async def close(self) -> None:
        """Take leave of the broker, then end all calls."""
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self.__aexit__(None, None, None)
        except (TimeoutError, aiomqtt.MqttError) as error:
            _logger.debug(
                "%s took no note of the disconnect: %s", self._endpoint, error, extra={"bus": str(self._endpoint)}
            )
        finally:
            await self.abort()

    async def abort(self) -> None:
        """Close the socket without a word and end all calls; safe at any time, and more than once."""
        self._is_aborted = True
        self._end_calls()
        if not self._thread_is_busy:
            # After what paho has had scheduled with this socket.
            self._loop.call_soon(self._close_socket)
        if self._misc_task is not None:
            self._misc_task.cancel()
            await asyncio.wait([self._misc_task])

    def _client_connect(self) -> None:
        # Runs in a thread, which cannot be cancelled: when it is done, the opening may have been given up.
        try:
            super()._client_connect()
        finally:
            self._loop.call_soon_threadsafe(self._on_thread_done)

    def _on_thread_done(self) -> None:
        self._thread_is_busy = False
        if self._is_aborted:
            self._close_socket()

    def _close_socket(self) -> None:
        # aiomqtt would look at futures that a cancelled opening has cancelled.
        self._client.on_disconnect = None
        # Without this, paho writes at once, finds the connection broken, and unregisters and closes the socket.
        self._client.on_socket_register_write = None
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            self._client.disconnect()

    def _on_socket_register_write(self, client: PahoClient, userdata: Any, sock: Any) -> None:
        self._unwritten = sock
        # A thread may call this.
        self._loop.call_soon_threadsafe(self._add_writer, sock)

    def _on_socket_unregister_write(self, client: PahoClient, userdata: Any, sock: Any) -> None:
        self._unwritten = None
        super()._on_socket_unregister_write(client, userdata, sock)

    def _add_writer(self, sock: socket.socket) -> None:
        # By now it may be closed, and its number that of another connection's socket.
        if self._unwritten is sock:
            self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except Exception as error:  # the connection broke
            if not self._disconnected.done():
                self._disconnected.set_exception(error)

    def _replace_reader(self) -> None:
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            self._loop.add_reader(sock.fileno(), self._read, sock)

    def _read(self, sock: socket.socket) -> None:
        """Read what has arrived, yet not so much that others do not get their turn."""
        try:
            if _QUICKACK is not None:
                sock.setsockopt(*_QUICKACK)
            for _ in range(_PACKETS_A_TURN):
                progress = self._progress
                self._client.loop_read()
                if self._progress == progress:
                    break
        except Exception as error:  # aiomqtt and paho choke on packets that make no sense
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
        else:
            if isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
                # It has been read from the network, so that nothing else will call this.
                self._loop.call_soon(self._read, sock)

    def _on_lost(self, disconnected: asyncio.Future[None]) -> None:
        error = None if disconnected.cancelled() else disconnected.exception()
        if isinstance(error, MqttCodeError):
            reason = str(error.rc)
            self._reason = _LOSSES.get(reason, reason)
        elif error is not None:
            self._reason = f"{type(error).__name__}: {error}"
        self._end_calls()

    def _end_calls(self) -> None:
        if self._lost.is_set():
            return
        self._lost.set()
        # In order, so that what is published again is so in the order in which it was published.
        for limit in self._calls:
            limit.reschedule(self._loop.time())

    def _on_connect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.maximum_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        self._tells_subscriptions = _identifiers_available(properties)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            # aiomqtt would go on waiting for an answer.
            error = self._opening_error or "the broker ended the connection instead of answering"
            self._connected.set_exception(aiomqtt.MqttError(error))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_opening_log(self, client: PahoClient, userdata: Any, level: int, text: str) -> None:
        # paho tells nobody else.
        if level == LogLevel.MQTT_LOG_ERR:
            self._opening_error = text

    def _on_publish(
        self, client: PahoClient, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        self._progress += 1
        if reason_code.is_failure and mid in self._pending_publishes:
            self._refusals[mid] = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    @contextlib.contextmanager
    def _pending_call(self, mid: int, value: T, pending_dict: dict[int, T]) -> Generator[None]:
        # Whoever publishes waits in here, and nothing else tells it of the answer.
        try:
            with super()._pending_call(mid, value, pending_dict):
                yield
        finally:
            refusal = self._refusals.pop(mid, None)
        if refusal is not None:
            raise _PublishRefusedError(refusal)

    def _translated(self, error: Exception) -> BusError:
        match error:
            case MqttConnectError():
                reason = str(error)
                is_passing = any(text in reason for text in _PASSING_REFUSALS)
                kind = BusUnavailableError if is_passing else BusRefusedError
                return kind(f"{self._endpoint} refuses client {self._endpoint.identifier!r}: {reason}")
            case TimeoutError():
                reason = f"no answer within {self._endpoint.connect_timeout:g} s"
            case _:
                reason = str(error) or type(error).__name__
                if _TLS_ALERT.search(reason):
                    return BusRefusedError(f"{self._endpoint} refuses this client's certificate, or its lack: {reason}")
                if self._endpoint.tls is None and _HUNG_UP.search(reason):
                    reason += "; so does a broker that expects TLS: its URL begins with mqtts://"
        return BusUnavailableError(f"cannot connect to {self._endpoint}: {reason}")


def _identifiers_available(properties: Properties | None) -> bool:
    return getattr(properties, "SubscriptionIdentifierAvailable", 1) == 1


# paho's class has no annotations.
_new_properties: Callable[[int], Properties] = Properties


def _properties(packet_type: int, **values: int) -> Properties:
    properties = _new_properties(packet_type)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
