"""The event bus over an MQTT 5 broker."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextvars import Context
from typing import Any, TypeVar

import aiomqtt

from orbitalis.arguments import check_seconds
from orbitalis.bus.client import EventBusClient, Later
from orbitalis.bus.decoding import Decoder
from orbitalis.bus.dispatch import QueueBounds, Subscription, start_task_later
from orbitalis.bus.event_handler import EventHandler
from orbitalis.bus.event_loop import check_event_loop
from orbitalis.bus.mqtt_connection import IN_FLIGHT, TAKEN_OVER, ConnectionLostError, MqttConnection
from orbitalis.bus.mqtt_endpoint import Endpoint
from orbitalis.bus.mqtt_outbox import ATTEMPTS, MqttOutbox, too_large
from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.bus.topic_filters import FilterMap, has_wildcard
from orbitalis.errors import BusError, BusNotConnectedError, BusRefusedError, BusUnavailableError
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis_wire import limits, timings
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["MqttEventBusClient"]

T = TypeVar("T")

_STABLE_AFTER = 2.0
"""Seconds after which a connection that is lost counts as having been good: trying again starts without delay."""
_URGENT = timings.SUSPICION_GRACE
"""Seconds of waiting after a loss for which attempts stay close together: after that, remotes may give this one up."""
_LONGEST_URGENT_DELAY = 0.4
"""Longest delay until then."""
_FIRST_DELAY = 0.2
"""Seconds before the second attempt to connect again; then they double."""
_LONGEST_WAIT = 2.0
"""Longest time in seconds between two attempts to reach a broker that is not there yet."""
_REASONS = 10
"""Reasons why an attempt to connect again failed that are logged, each once, until one succeeds."""
_EXACT_TOPICS = 1
"""The subscription identifier of all topics without wildcards, of which a message can match one only."""
_TOPICS_A_PACKET = 50


class MqttEventBusClient(EventBusClient):
    """A client of an MQTT broker.

    If the connection is lost, the client connects and subscribes again, after delays that double from 0.2 s to
    `reconnect_delay`. Events that you publish meanwhile wait for up to `publish_timeout`. Events that were not
    acknowledged are sent again, and may arrive twice at quality of service 1. Events of others are lost meanwhile.

    Two clients must not have the same identifier. The broker ends the connection of one when the other one connects.
    Both log a warning, and try again less and less often.
    """

    def __init__(
        self,
        host: str,
        port: int = 1883,
        *,
        identifier: str | None = None,
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        keepalive: float = 30.0,
        connect_timeout: float = 10.0,
        publish_timeout: float = 10.0,
        reconnect_delay: float = 30.0,
        wait: float | None = None,
        queue_bounds: QueueBounds | None = None,
    ) -> None:
        """Make a client that is not connected. Times are in seconds.

        With `tls`, the connection is encrypted. If the broker is silent, the connection counts as lost after one to two
        `keepalive`. `wait` is the time for which :meth:`connect` tries again while there is no broker yet.

        Raises:
            TypeError: A time is not a number.
            ValueError: A time is negative, or `keepalive` or `connect_timeout` is 0.
        """
        check_seconds("wait", wait, is_optional=True)
        check_seconds("keepalive", keepalive, is_positive=True)
        check_seconds("connect_timeout", connect_timeout, is_positive=True)
        check_seconds("publish_timeout", publish_timeout)
        check_seconds("reconnect_delay", reconnect_delay)
        super().__init__(identifier=identifier, queue_bounds=queue_bounds)
        self._endpoint = Endpoint(
            host=host,
            port=port,
            identifier=self.identifier,
            username=username,
            password=password,
            tls=tls,
            keepalive=keepalive,
            connect_timeout=connect_timeout,
        )
        self._publish_timeout = publish_timeout
        self._reconnect_delay = reconnect_delay
        self._wait = wait or 0.0
        self._takeovers = 0
        """How often another client of the same identifier has ended the connection."""
        self._keeper: asyncio.Task[None] | None = None
        """What holds the connection, from `connect` to `disconnect`."""
        self._connection: MqttConnection | None = None
        """The connection, while there is one with everything subscribed."""
        self._connection_changed: asyncio.Event
        """Set while there is a connection, or none is to be expected any more."""
        self._asking: asyncio.Semaphore
        """Bounds the subscribes and unsubscribes that wait for the broker, and keeps them in order."""
        self._logger = FieldLogger(logging.getLogger(__name__), bus=str(self._endpoint))
        self._complaints = ThrottledLog(self._logger)
        self._outbox = MqttOutbox(self._endpoint, publish_timeout, self._complaints)
        self._filters: FilterMap[Subscription] = FilterMap()
        """For messages of which the broker does not say which subscription they are for."""
        self._identifiers: dict[str, int] = {}
        """By filter with wildcards: the subscription identifier."""
        self._by_identifier: dict[int, Subscription] = {}
        self._next_identifier = itertools.count(_EXACT_TOPICS + 1)
        self._decoder = Decoder(self, bounds=self._intake.bounds, statistics=self._statistics, log=self._complaints)

    def __repr__(self) -> str:
        """Show the broker and the identifier."""
        return f"{type(self).__name__}({str(self._endpoint)!r}, identifier={self.identifier!r})"

    def _log_for(self, orbiter_identifier: str) -> None:
        super()._log_for(orbiter_identifier)
        self._logger.about(orbiter=orbiter_identifier)

    def _rename(self, identifier: str) -> None:
        super()._rename(identifier)
        self._endpoint.identifier = identifier

    @property
    def endpoint(self) -> Endpoint:
        """The address of the broker, and how to connect to it."""
        return self._endpoint

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection at the moment, with everything subscribed."""
        return self._connection is not None

    def has_wills(self, bus: str | None = None) -> bool:
        """Return whether the bus publishes wills for clients whose connection is cut, as every broker does."""
        return bus is None or super().has_wills(bus)

    async def connect(self) -> None:
        """Connect to the broker. It does nothing if the client is connected already.

        Without `wait`, it makes one attempt. With `wait`, it makes new attempts for up to that time.

        Raises:
            BusUnavailableError: There is no broker, or none that answers in time.
            BusRefusedError: The broker refuses this client: credentials, identifier, protocol.
            WrongEventLoopError: The event loop does not watch sockets, such as the one that Windows has by default.
        """
        async with self._home.changing():
            if self._home.is_lost:
                self._let_go()
            if self._keeper is not None:
                return
            check_event_loop(self._endpoint)
            connection = await self._open_first()
            self._asking = asyncio.Semaphore(IN_FLIGHT)
            self._connection_changed = asyncio.Event()
            self._set_connection(connection)
            self._keeper = start_task_later(self._keep(connection), f"connection to {self._endpoint}")
            self._home.enter()

    async def disconnect(self) -> None:
        """Drop all subscriptions, cancel busy handlers, and leave the broker. It does nothing if not connected."""
        async with self._home.changing():
            if self._home.is_lost:
                self._let_go()
            keeper, self._keeper = self._keeper, None
            if keeper is None:
                return
            self._home.leave()
            connection, self._connection = self._connection, None
            # Wakes up those who wait for a connection.
            self._connection_changed.set()
            self._outbox.clear(self._was_disconnected())
            keeper.cancel()
            ending = {keeper, *self._decoder.stop()}
            try:
                await self._forget_all()
            finally:
                if connection is not None:
                    await connection.close()
            await asyncio.wait(ending)

    def _let_go(self) -> None:
        connection, self._connection, self._keeper = self._connection, None, None
        if connection is not None:
            connection.let_go()
        self._outbox.let_go()
        self._decoder.let_go()
        super()._let_go()

    def is_busy(self, topic: str) -> bool:
        """Return whether events of a topic or filter are being handled, or wait for that or to be decoded."""
        subscription = self._subscriptions.get(topic)
        return subscription is not None and (subscription.is_busy or self._decoder.is_busy(subscription))

    async def drained(self, topic: str) -> None:
        """Wait until no event of a topic or filter is being handled, or waits for that or to be decoded."""
        self._home.check()
        while self.is_busy(topic):
            subscription = self._subscriptions[topic]
            await self._decoder.drained(subscription)
            await subscription.drained()

    def _start_publish(
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        data = event.encode(encoding)
        if len(data) > limits.EVENT_BYTES:
            raise too_large(topic, len(data), limits.EVENT_BYTES, "the protocol")
        return self._outbox.put(topic, data, channel.quality_of_service, channel.retain)

    async def check_may_publish(self, topic: str) -> None:
        """Ask the broker by an empty message of quality of service 1; of 0, it would refuse it without a word."""
        await super().check_may_publish(topic)
        answer = self._outbox.put(topic, b"", 1, False)
        assert answer is not None
        await answer

    def _route(self, subscription: Subscription) -> None:
        topic_filter = subscription.topic_filter
        self._filters.add(topic_filter, subscription)
        if has_wildcard(topic_filter):
            identifier = next(self._next_identifier)
            self._identifiers[topic_filter] = identifier
            self._by_identifier[identifier] = subscription

    def _unroute(self, subscription: Subscription) -> None:
        topic_filter = subscription.topic_filter
        self._decoder.forget(subscription)
        self._filters.remove(topic_filter, subscription)
        if has_wildcard(topic_filter):
            del self._by_identifier[self._identifiers.pop(topic_filter)]

    def _start_subscribe(self, subscription: Subscription) -> Awaitable[None] | None:
        return Later(self._subscribe, subscription)

    async def _subscribe(self, subscription: Subscription) -> None:
        async def subscribe(connection: MqttConnection) -> None:
            if subscription.is_closed:
                # It was unsubscribed while this waited for its turn.
                return
            (refusal,) = await self._send_subscriptions(connection, [subscription])
            if refusal is not None:
                raise BusRefusedError(refusal)

        await self._ask(f"subscribe to {subscription.topic_filter!r}", subscribe)

    async def subscribe_each(
        self,
        topics: Sequence[str],
        handler: EventHandler,
        channel: Channel,
        *,
        bus: str | None = None,
        context: Context | None = None,
    ) -> Mapping[str, BusError]:
        """Subscribe to many topics with one packet for up to 50 of them; return what has failed."""
        failures: dict[str, BusError] = {}
        for batch in _batches([*topics]):
            # What this returns for each is left alone: they are all asked for together.
            added = [
                self._subscriptions[topic]
                for topic in batch
                if self.start_subscribe(topic, handler, channel, bus=bus, context=context) is not None
            ]
            if added:
                failures |= await self._subscribe_batch(added)
        return failures

    async def _subscribe_batch(self, subscriptions: Sequence[Subscription]) -> dict[str, BusError]:
        async def subscribe(connection: MqttConnection) -> Sequence[str | None]:
            return await self._send_subscriptions(connection, subscriptions)

        failures: dict[str, BusError] = {}
        try:
            refusals = await self._ask(f"subscribe to {len(subscriptions)} topics", subscribe)
            for subscription, refusal in zip(subscriptions, refusals, strict=True):
                if refusal is None:
                    subscription.is_established = True
                else:
                    failures[subscription.topic_filter] = BusRefusedError(refusal)
        except BusError as error:
            failures = dict.fromkeys((one.topic_filter for one in subscriptions), error)
        finally:
            for subscription in subscriptions:
                if not subscription.is_established:
                    self._forget(subscription)
        return failures

    def _start_unsubscribe(self, subscriptions: Sequence[Subscription]) -> Awaitable[None] | None:
        return Later(self._unsubscribe, subscriptions)

    async def _unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        for batch in _batches([subscription.topic_filter for subscription in subscriptions]):
            connection = self._connection
            if connection is None:
                # A new connection begins with what is subscribed to then.
                return
            try:
                async with asyncio.timeout(self._publish_timeout), self._asking:
                    await connection.call(connection.unsubscribe(batch))
            except ConnectionLostError:
                return
            except TimeoutError:
                raise BusUnavailableError(
                    f"{self._endpoint} did not answer an unsubscribe within {self._publish_timeout:g} s"
                ) from None

    async def _ask(self, action: str, call: Callable[[MqttConnection], Coroutine[Any, Any, T]]) -> T:
        """Have the broker do something, on the next connection if this one is lost."""
        try:
            async with asyncio.timeout(self._publish_timeout), self._asking:
                for _ in range(ATTEMPTS):
                    connection = await self._any_connection()
                    with contextlib.suppress(ConnectionLostError):
                        return await connection.call(call(connection))
                    # It may not have said so itself yet.
                    self._on_lost(connection)
        except TimeoutError:
            state = "it did not answer" if self.is_connected else "there was no connection"
            raise BusUnavailableError(
                f"cannot {action}: {state} within {self._publish_timeout:g} s ({self._endpoint})"
            ) from None
        raise BusUnavailableError(f"cannot {action}: {ATTEMPTS} connections to {self._endpoint} were lost over it")

    async def _any_connection(self) -> MqttConnection:
        while self._connection is None:
            if self._keeper is None:
                raise BusNotConnectedError(self._was_disconnected())
            await self._connection_changed.wait()
        return self._connection

    def _was_disconnected(self) -> str:
        return f"{self!r} was disconnected while something waited for the broker"

    def _set_connection(self, connection: MqttConnection | None) -> None:
        self._connection = connection
        if connection is None:
            self._connection_changed.clear()
        else:
            self._connection_changed.set()
            self._outbox.connect(connection)

    def _on_lost(self, connection: MqttConnection) -> None:
        self._outbox.disconnect(connection)
        if self._connection is connection:
            self._set_connection(None)
            if self.on_lost is not None:
                try:
                    self.on_lost(None)
                except Exception:
                    self._logger.exception("on_lost of %r failed", self)

    async def _keep(self, connection: MqttConnection) -> None:
        loop = asyncio.get_running_loop()
        delays, delays_after_takeover = self._delays(urgent=_URGENT), self._delays()
        while True:
            since = loop.time()
            reason = await connection.lost()
            await connection.abort()
            if reason == TAKEN_OVER:
                # Two clients that connect again at once would end each other's connections without a pause.
                self._report_takeover()
            else:
                self._logger.warning("%r has lost its connection: %s", self, reason)
                if loop.time() - since >= _STABLE_AFTER:
                    delays, delays_after_takeover = self._delays(urgent=_URGENT), self._delays()
            connection = await self._reconnect(delays_after_takeover if reason == TAKEN_OVER else delays)
            self._set_connection(connection)
            self._statistics.reconnections += 1
            # After a takeover that would be told each time that the other client has lost.
            self._logger.log(logging.DEBUG if reason == TAKEN_OVER else logging.INFO, "%r is connected again", self)
            if self.on_reconnected is not None:
                try:
                    self.on_reconnected()
                except Exception:
                    self._logger.exception("on_reconnected of %r failed", self)

    def _report_takeover(self) -> None:
        """Say once what is wrong, where it would be said at each connection of the other client."""
        self._takeovers += 1
        if self._takeovers == 1:
            self._logger.warning(
                "%r has lost its connection: %s. Give each client an identifier of its own: connect(identifier=…), or "
                "leave it out. Each ends the connection of the other; this one tries again less and less often, in the "
                "end every %g s, and logs it again only at level DEBUG",
                self,
                TAKEN_OVER,
                self._reconnect_delay,
            )
        else:
            self._logger.debug("%r has lost its connection %d times: %s", self, self._takeovers, TAKEN_OVER)

    def _delays(self, longest: float = math.inf, *, urgent: float = 0.0) -> Iterator[float]:
        """Seconds to wait before each attempt to connect again, spread so that not all clients come at once.

        For about `urgent` seconds of waiting, attempts stay close together.
        """
        longest = min(longest, self._reconnect_delay)
        delay = min(_FIRST_DELAY, longest)
        while True:
            yield random.uniform(delay / 2, delay)
            urgent -= delay
            delay = min(2 * delay, longest, _LONGEST_URGENT_DELAY if urgent > 0 else math.inf)

    async def _open_first(self) -> MqttConnection:
        """Open the first connection; go on trying for a while if the broker is not there yet."""
        loop = asyncio.get_running_loop()
        ends_at, delays = loop.time() + self._wait, self._delays(_LONGEST_WAIT)
        is_told = False
        while True:
            try:
                return await self._open()
            except BusUnavailableError as error:
                left = ends_at - loop.time()
                if left <= 0:
                    if self._wait:
                        raise BusUnavailableError(f"{error}; it was waited for, up to {self._wait:g} s") from None
                    raise
                if not is_told:
                    self._logger.warning("%r waits up to %g s for the broker: %s", self, self._wait, error)
                    is_told = True
                await asyncio.sleep(min(next(delays), left))

    async def _reconnect(self, delays: Iterator[float]) -> MqttConnection:
        told: set[str] = set()
        while True:
            await asyncio.sleep(next(delays))
            try:
                connection = await self._open()
                try:
                    await self._subscribe_again(connection)
                except BaseException:
                    await connection.abort()
                    raise
            except Exception as error:  # whatever it is, the next attempt may succeed
                reason = str(error) or type(error).__name__
                if reason not in told and len(told) < _REASONS:  # a broker may be away for days
                    told.add(reason)
                    self._logger.warning("%r could not connect again, and goes on trying: %s", self, reason)
            else:
                return connection

    async def _open(self) -> MqttConnection:
        connection = MqttConnection(
            self._endpoint,
            will=self._will(),
            on_received=self._receive,
            on_acknowledged=self._outbox.on_acknowledged,
            on_ready=self._outbox.send,
            on_lost=self._on_lost,
        )
        await connection.open()
        return connection

    def _will(self) -> aiomqtt.Will | None:
        """Return what the broker is to publish if the next connection is cut."""
        will = None if self.make_will is None else self.make_will()
        if will is None:
            return None
        data = will.event.encode(Encoding.JSON)
        return aiomqtt.Will(will.topic, data, will.channel.quality_of_service, will.channel.retain)

    async def _subscribe_again(self, connection: MqttConnection) -> None:
        done: set[Subscription] = set()
        # Once more for what is added meanwhile.
        while missing := [one for one in self._subscriptions.values() if one not in done]:
            done.update(missing)
            exact = [one for one in missing if not has_wildcard(one.topic_filter)]
            others = [[one] for one in missing if has_wildcard(one.topic_filter)]
            for batch in [*_batches(exact), *others]:
                # However many there are: the broker has this long for each packet.
                async with asyncio.timeout(self._publish_timeout):
                    refusals = await connection.call(self._send_subscriptions(connection, batch))
                for subscription, refusal in zip(batch, refusals, strict=True):
                    if refusal is not None:
                        subscription.is_established = False
                        self._logger.error("%s", refusal)

    async def _send_subscriptions(
        self, connection: MqttConnection, subscriptions: Sequence[Subscription]
    ) -> Sequence[str | None]:
        """Subscribe to several topics without wildcards, or to one filter with; return the refusal of each, if any."""
        topics = {one.topic_filter: one.quality_of_service for one in subscriptions}
        identifier = self._identifiers.get(subscriptions[0].topic_filter, _EXACT_TOPICS)
        return [
            reason and f"{self._endpoint} refuses to subscribe {self.identifier!r} to {topic_filter!r}: {reason}"
            for topic_filter, reason in zip(topics, await connection.subscribe_to(topics, identifier), strict=True)
        ]

    def _receive(self, topic: str, data: bytes, identifiers: Sequence[int]) -> None:
        """Take a message that the broker delivers for the subscriptions with these identifiers, if it says so."""
        addressees = self._addressees(topic, identifiers)
        if not addressees:
            # It was on its way when the topic was unsubscribed.
            return
        length = len(data)
        if length > limits.EVENT_BYTES:
            self._statistics.oversized += 1
            self._complaints.warning(
                "%r ignores a message of %d bytes on topic %r: %d are allowed",
                self,
                length,
                topic,
                limits.EVENT_BYTES,
                topic=topic,
            )
            return

        self._decoder.receive(topic, data, addressees)

    def _addressees(self, topic: str, identifiers: Sequence[int]) -> Sequence[Subscription]:
        # The broker sends a message once for each subscription that it matches: each copy goes to that one alone.
        if not identifiers:
            return self._filters.match(topic)
        found: list[Subscription] = []
        for identifier in identifiers:
            if identifier == _EXACT_TOPICS:
                subscription = self._subscriptions.get(topic)
            else:
                subscription = self._by_identifier.get(identifier)
            if subscription is not None:
                found.append(subscription)
        return found


def _batches(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _TOPICS_A_PACKET):
        yield items[start : start + _TOPICS_A_PACKET]
