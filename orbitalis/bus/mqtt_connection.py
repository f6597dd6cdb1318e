"""One connection to an MQTT broker, from its opening to its loss.

This is aiomqtt's client, bent where it does not do for a client that runs for months:

- messages go straight from the socket to a function, not through a queue that grows without bound, and are read as
  fast as they come; what comes is acknowledged at once;
- what is sent within one turn of the event loop goes out at its end, without a word from one thread to another;
- a publish takes neither a task nor a timeout of its own, and one that the broker refuses is not silent;
- an opening can be given up at any moment, and leaves no socket and no task behind: no thread takes part in it;
- who waits for an answer from the broker hears at once when the connection is lost;
- what the broker says of itself when it accepts the connection (how large a packet it takes) is kept;
- what is to be written to a socket that is closed a moment later does not go to another one with the same number;
- a reason that the standard does not foresee for an acknowledgement does not end the connection;
- an opening that the broker ends instead of answering it fails at once, and says what TLS has to say of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import aiomqtt
from aiomqtt.exceptions import MqttCodeError
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import LogLevel, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from orbitalis.bus.mqtt_endpoint import ENDED_INSTEAD, Endpoint
from orbitalis.bus.mqtt_socket import open_socket
from orbitalis.errors import BusUnavailableError
from orbitalis.log import FieldLogger
from orbitalis_wire import limits

__all__ = [
    "IN_FLIGHT",
    "MAXIMUM_PACKET_BYTES",
    "TAKEN_OVER",
    "TOO_LARGE",
    "ConnectionLostError",
    "MqttConnection",
    "Publication",
]

T = TypeVar("T")

_logger = FieldLogger(logging.getLogger(__name__))
_paho_logger = logging.getLogger(f"{__name__}.paho")
# What it calls errors is reported by ours, and better. At level DEBUG, it shows every packet.
_paho_logger.setLevel(logging.CRITICAL)

MAXIMUM_PACKET_BYTES = 16 * limits.EVENT_BYTES
"""What the broker may send at most; less than that, but too much for an event, is counted and reported here."""
IN_FLIGHT = 20
"""What waits for the broker at the same time, of each kind; paho sends no more publishes than that either."""
_HEARING: Final = 0.02
"""Seconds before a broker is told anything over TLS. One that refuses this client's certificate says so only after the
handshake (TLS 1.3), and that would be lost when it is told something on a connection that it has ended."""
_SENT_BYTES = 65_536
"""How much is sent in one turn of the event loop before publishes have to wait for the next."""
_PACKETS_A_TURN = 20
"""Packets that are read before the event loop gets on with the rest; aiomqtt reads one, and falls behind."""
_CLOSE_TIMEOUT = 2.0
"""Seconds that the broker has to take note of a disconnect."""

# A broker without TCP_NODELAY (mosquitto's default) sends a small packet only when the one before is acknowledged, and
# the kernel takes 40 ms for that unless told otherwise each time. Linux only.
_QUICKACK = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1) if hasattr(socket, "TCP_QUICKACK") else None
TOO_LARGE: Final = "Packet too large"
"""What brokers call a packet of which they take less."""
_UNSPECIFIED: Final = 0x80
_FORESEEN: Final = frozenset((0x00, 0x10, _UNSPECIFIED, 0x83, 0x87, 0x90, 0x91, 0x92, 0x97, 0x99))
"""Reasons in the acknowledgement of a publish."""
_IDENTIFIERS: Final = 65_535
"""Packet identifiers, which are given out in turn."""
TAKEN_OVER: Final = "another client has connected with the same identifier, and there must be one only"
"""Why a connection was lost to another client."""
_LOSSES = {
    "Unspecified error": "the network connection broke",
    "Session taken over": TAKEN_OVER,
}
"""What to say of a loss instead of the broker's or paho's own words."""


class ConnectionLostError(Exception):
    """The connection was lost before the broker answered."""


@dataclass(slots=True, eq=False)
class Publication:
    """Something that is published, until the broker has it."""

    topic: str
    data: bytes
    quality_of_service: int
    retain: bool
    deadline: float
    """When it is given up, by the clock of the event loop."""
    outcome: asyncio.Future[None]
    """What its publisher waits for."""
    attempts: int = 0
    """Connections on which it was sent."""


class MqttConnection(aiomqtt.Client):
    """A connection that is used once; must be made in the event loop that uses it."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        will: aiomqtt.Will | None = None,
        on_received: Callable[[str, bytes, Sequence[int]], None],
        on_acknowledged: Callable[[Publication, str | None], None],
        on_ready: Callable[[], None],
        on_lost: Callable[[MqttConnection], None],
    ) -> None:
        """Prepare a connection, with what the broker publishes if it is cut. What it calls must not raise.

        `on_received` gets topic and payload of every message, and the identifiers of the subscriptions that it is
        delivered for, if the broker tells. `on_acknowledged` gets a publication that the broker has, and why it
        refuses it, or `None`. `on_ready` is called when there may be room for another publication, `on_lost` when
        there is no connection any more.
        """
        super().__init__(
            endpoint.host,
            endpoint.port,
            identifier=endpoint.identifier,
            username=endpoint.username,
            password=endpoint.password,
            keepalive=max(1, round(endpoint.keepalive)),
            timeout=math.inf,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=will,
            properties=_properties(PacketTypes.CONNECT, MaximumPacketSize=MAXIMUM_PACKET_BYTES),
            logger=_paho_logger,
        )
        self.pending_calls_threshold = IN_FLIGHT
        self.maximum_packet_bytes: int | None = None
        """What the broker takes at most, if it says so."""
        self.in_flight: dict[int, Publication] = {}
        """By packet identifier: what is sent and not acknowledged, oldest first."""
        self._window = IN_FLIGHT
        self._tells_subscriptions = True
        self._on_received = on_received
        self._on_acknowledged = on_acknowledged
        self._on_ready = on_ready
        self._on_no_more = on_lost
        self._endpoint = endpoint
        self._calls: dict[asyncio.Timeout, None] = {}
        self._lost = asyncio.Event()
        self._reason = "it was closed"
        self._is_aborted = False
        self._progress = 0
        """Counts the packets that were read, except rare ones."""
        self._is_reading = False
        self._is_opening = False
        self._sent_bytes = 0
        """How much was sent in this turn of the event loop."""
        self._has_made_room = False
        """Whether there may be room for a publication that had none before."""
        self._blocked: socket.socket | None = None
        """The socket, while the network takes no more."""
        self.unproven: tuple[int, str, int] | None = None
        """Length, topic and packet identifier of the largest event of quality of service 0 that the broker may not have
        read yet: it says nothing of those, except when it ends the connection."""
        self.is_too_much = False
        """Whether the broker has ended the connection for a packet that is too large."""
        self._odd_reason: int | None = None
        """The reason in the acknowledgement that is being read, where paho does not know it there."""
        self._opening_error = ""
        """What went wrong with the socket while it was opened."""

    async def open(self) -> None:
        """Connect.

        Raises:
            BusUnavailableError: There is no broker, or none that answers in time.
            BusRefusedError: The broker does not want this client.
        """
        self._client.on_log = self._on_opening_log
        try:
            async with asyncio.timeout(self._endpoint.connect_timeout):
                self._begin(await open_socket(self._endpoint))
                await self._connected
            self._client.on_log = None
            self._disconnected.add_done_callback(self._on_lost)
            self._replace_reader()
        except BaseException as error:
            await self.abort()
            if not isinstance(error, Exception):
                raise
            raise self._endpoint.failure(error) from None

    async def lost(self) -> str:
        """Wait until the connection is lost, and return why."""
        await self._lost.wait()
        return self._reason

    async def call(self, answer: Coroutine[Any, Any, T]) -> T:
        """Wait for a method of this connection, such as `subscribe_to(...)`.

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

    def takes(self, quality_of_service: int) -> bool:
        """Return whether there is room for a publication, both on the network and in what may be unacknowledged."""
        return (
            self._sent_bytes < _SENT_BYTES
            and (quality_of_service == 0 or len(self.in_flight) < self._window)
            and self._blocked is None
            and not self._disconnected.done()
        )

    def send(self, topic: str, data: bytes, quality_of_service: int, retain: bool) -> int | None:
        """Send a message for which there is room; return its packet identifier, or `None` if it could not be sent.

        Of quality of service 0, the broker says nothing of it.
        """
        info = self._client.publish(topic, data, quality_of_service, retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._fail(MqttCodeError(info.rc, "Could not publish message"))
            return None
        self._sent_bytes += len(data)
        if quality_of_service == 0 and (self.unproven is None or len(data) > self.unproven[0]):
            self.unproven = len(data), topic, info.mid
        return info.mid

    def send_publication(self, publication: Publication) -> bool:
        """Send a publication for which there is room; return whether it was sent."""
        identifier = self.send(publication.topic, publication.data, publication.quality_of_service, publication.retain)
        if identifier is None:
            return False
        publication.attempts += 1
        if publication.quality_of_service:
            self.in_flight[identifier] = publication
        return True

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

    def let_go(self) -> None:
        """Close the socket without a word and without the event loop, which is closed."""
        self._is_aborted = True
        client = self._client
        client.on_disconnect = client.on_socket_close = client.on_socket_unregister_write = None
        sock = client.socket()
        if isinstance(sock, socket.socket):
            sock.close()

    async def abort(self) -> None:
        """Close the socket without a word and end all calls; safe at any time, and more than once."""
        self._is_aborted = True
        self._end_calls()
        # After what paho has had scheduled with this socket.
        self._loop.call_soon(self._close_socket)
        if self._misc_task is not None:
            self._misc_task.cancel()
            await asyncio.wait([self._misc_task])

    def _begin(self, sock: socket.socket) -> None:
        """Say hello to the broker over a socket that is connected with it."""
        client: Any = self._client
        # Left alone, paho opens one itself, and blocks meanwhile.
        client._create_socket = lambda: sock
        client._handle_pubackcomp = partial(self._on_acknowledgement, client._handle_pubackcomp)
        self._is_opening = True
        self._client_connect()
        self._is_opening = False

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
        if self._is_opening and self._endpoint.tls is not None:
            self._loop.call_later(_HEARING, self._wait_to_write, sock)
        elif not self._is_reading:
            self._loop.call_soon(self._write)

    def _on_socket_unregister_write(self, client: PahoClient, userdata: Any, sock: Any) -> None:
        # When it is closed, or there is nothing more to be written.
        blocked, self._blocked = self._blocked, None
        if blocked is not None:
            self._loop.remove_writer(blocked.fileno())
            self._has_made_room = True

    def _write(self) -> None:
        """Write what has been sent, as far as the network takes it."""
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            return
        if self._sent_bytes >= _SENT_BYTES:
            self._has_made_room = True
        self._sent_bytes = 0
        try:
            self._client.loop_write()
            if self._client.want_write():
                self._wait_to_write(sock)
        except Exception as error:  # the connection broke
            self._fail(error)
        self._tell_of_room()

    def _wait_to_write(self, sock: object) -> None:
        # It is closed already if it turned out to be broken.
        if self._client.socket() is sock and isinstance(sock, socket.socket) and self._blocked is None:
            self._blocked = sock
            self._loop.add_writer(sock.fileno(), self._write)

    def _tell_of_room(self) -> None:
        if self._has_made_room:
            self._has_made_room = False
            self._on_ready()

    def _replace_reader(self) -> None:
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            self._loop.add_reader(sock.fileno(), self._read, sock)

    def _read(self, sock: socket.socket) -> None:
        """Read what has arrived, yet not so much that others do not get their turn."""
        self._is_reading = True
        try:
            if _QUICKACK is not None:
                sock.setsockopt(*_QUICKACK)
            for _ in range(_PACKETS_A_TURN):
                progress = self._progress
                self._client.loop_read()
                if self._progress == progress:
                    break
            self._tell_of_room()
        except Exception as error:  # aiomqtt and paho choke on packets that make no sense
            self._fail(error)
            return
        finally:
            self._is_reading = False
        if self._client.want_write() and self._blocked is None:
            self._write()
        if isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
            # It has been read from the network, so that nothing else will call this.
            self._loop.call_soon(self._read, sock)

    def _fail(self, error: Exception) -> None:
        """End the connection, which is of no use any more."""
        if not self._disconnected.done():
            self._disconnected.set_exception(error)

    def _on_lost(self, disconnected: asyncio.Future[None]) -> None:
        error = None if disconnected.cancelled() else disconnected.exception()
        if isinstance(error, MqttCodeError):
            reason = str(error.rc)
            self.is_too_much = reason == TOO_LARGE
            self._reason = _LOSSES.get(reason, reason)
        elif error is not None:
            self._reason = f"{type(error).__name__}: {error}"
        self._end_calls()

    def _end_calls(self) -> None:
        if self._lost.is_set():
            return
        self._lost.set()
        for limit in self._calls:
            limit.reschedule(self._loop.time())
        self._on_no_more(self)

    def _on_connect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.maximum_packet_bytes = getattr(properties, "MaximumPacketSize", None)
        self._tells_subscriptions = getattr(properties, "SubscriptionIdentifierAvailable", 1) == 1
        self._window = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))
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
            error = self._opening_error or ENDED_INSTEAD
            self._connected.set_exception(aiomqtt.MqttError(error))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_opening_log(self, client: PahoClient, userdata: Any, level: int, text: str) -> None:
        # paho tells nobody else.
        if level == LogLevel.MQTT_LOG_ERR:
            self._opening_error = text

    def _on_message(self, client: PahoClient, userdata: Any, message: MQTTMessage) -> None:
        self._progress += 1
        if not self._is_aborted:
            identifiers = getattr(message.properties, "SubscriptionIdentifier", ())
            self._on_received(message.topic, bytes(message.payload), identifiers)

    def _on_publish(
        self, client: PahoClient, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        publication = self.in_flight.pop(mid, None)
        # Of quality of service 0, it is not read but written.
        if publication is not None:
            self._progress += 1
            self._has_made_room = True
            if self.unproven is not None and (mid - self.unproven[2]) % _IDENTIFIERS < _IDENTIFIERS // 2:
                # The broker reads in order: it has taken what was sent before this.
                self.unproven = None
            reason = str(reason_code) if self._odd_reason is None else _name_of(self._odd_reason)
            self._on_acknowledged(publication, reason if reason_code.is_failure else None)

    def _on_acknowledgement(self, read: Callable[[str], MQTTErrorCode], kind: str) -> MQTTErrorCode:
        # Mosquitto says "packet too large" here, which is foreseen for the end of a connection only: paho would end it.
        client: Any = self._client
        packet: bytearray = client._in_packet["packet"]
        if len(packet) > 2 and packet[2] not in _FORESEEN:
            self._odd_reason = packet[2]
            # Whether it is a failure stays.
            packet[2] &= _UNSPECIFIED
        try:
            return read(kind)
        finally:
            self._odd_reason = None


def _name_of(reason: int) -> str:
    """Return what a reason is called, whatever packet it is in."""
    names: Mapping[int, Mapping[str, object]] = getattr(ReasonCode, "names")  # noqa: B009 - it has no annotations
    return next(iter(names.get(reason, ())), f"reason 0x{reason:02x}")


# paho's class has no annotations.
_new_properties: Callable[[int], Properties] = Properties


def _properties(packet_type: int, **values: int) -> Properties:
    properties = _new_properties(packet_type)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
