"""What every client of an event bus does, whatever the bus."""

from __future__ import annotations

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from orbitalis.bus.answer import Answer
from orbitalis.bus.dispatch import QueueBounds, Subscription, end_workers
from orbitalis.bus.event_handler import CallbackEventHandler, EventCallback, EventHandler
from orbitalis.bus.stamp import NO_STAMP, TopicStamp
from orbitalis.bus.statistics import BusStatistics
from orbitalis.bus.topics import check_filter, check_topic
from orbitalis.errors import BusNotConnectedError
from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable, wrap
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["EventBusClient"]


class EventBusClient(ABC):
    """A client of an event bus.

    Events on one topic are handled in the order in which they were published. A handler that raises, is slow or hangs
    delays no other subscription; while it is busy, a bounded number of events waits for it, and the rest is dropped
    and counted. Handlers are plain or `async` functions that take the topic and the event, or an
    :class:`EventHandler`; they may use the client in any way, disconnecting included.
    """

    def __init__(self, *, identifier: str | None = None, queue_bounds: QueueBounds | None = None) -> None:
        """Make a client that is not connected; without `identifier` it makes up one of its own."""
        self.identifier = uuid.uuid4().hex if identifier is None else identifier
        """What events carry as `publisher_identifier`."""
        self.topic_stamps: dict[str, TopicStamp] = {}
        """By topic: encoding, headers and bus of what is published to it without a stamp of its own.

        Topics left out get JSON without headers. One that several connections have has the stamp of one of them.
        """
        self.on_reconnected: Callable[[], None] | None = None
        """Called when a lost connection has been made again, with everything subscribed."""
        self._statistics = BusStatistics()
        self._queue_bounds = queue_bounds or QueueBounds()
        self._subscriptions: dict[str, Subscription] = {}
        self._unsubscribed_workers: set[asyncio.Task[None]] = set()
        """Handlers that are busy though their subscription has ended."""

    @property
    def statistics(self) -> BusStatistics:
        """What it has counted so far."""
        return self._statistics

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether events can be exchanged at the moment."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect to the bus; does nothing if that was done already.

        Raises:
            BusUnavailableError: The bus cannot be reached.
            BusRefusedError: It refuses.
        """

    @abstractmethod
    async def disconnect(self) -> None:
        """Drop all subscriptions, cancel handlers that are busy, and leave the bus; does nothing if not connected.

        Nothing of this client is running when it returns, but for a handler that calls it. The client can connect
        again.
        """

    async def publish(
        self,
        topic: str,
        message: Event[object] | Publishable = None,
        *,
        channel: Channel | None = None,
        encoding: Encoding | None = None,
        bus: str | None = None,
        stamp: TopicStamp | None = None,
    ) -> None:
        """Publish a message, what stands for one (a text, number or bytes), or an empty event.

        An :class:`Event` is published as it is, anything else in a new one, which is the answer to the input that is
        being handled if that asks for one on this topic and has none yet. `stamp` says what is put on it (default: as
        for that answer, or else as `topic_stamps` says), `channel` the quality of service (default: as the stamp says,
        or else that of outputs), `encoding` how the event is written (default: as the stamp says), `bus` on which of
        several buses (default: as the stamp says, or else on all).

        Raises:
            InvalidTopicError: Nothing can be published to this topic.
            TypeError: The message is none, and stands for none.
            ValueError: The client is on no bus of this name.
            EncodeError: The message holds what its schema does not admit.
            EventTooLargeError: The event is larger than the protocol or the broker allows.
            BusNotConnectedError: The client is not connected.
            BusRefusedError: The broker does not allow it; of quality of service 0 it does not say so.
            BusUnavailableError: The bus cannot be reached; the event may still have been delivered.
        """
        check_topic(topic)
        self._check_connected()
        stamp = stamp or self._stamp_for(topic)
        client = self._client_on(bus or stamp.bus)
        channel = channel or stamp.channel or channels.OPERATION_OUTPUT
        encoding = encoding or stamp.encoding
        if _is_event(message):
            await client._publish(topic, message, channel, encoding)
        else:
            with Answer.giving(topic, stamp.connection_identifier) as correlation_identifier:
                event = self.event_for(topic, message, correlation_identifier=correlation_identifier, stamp=stamp)
                await client._publish(topic, event, channel, encoding)
        self._statistics.published += 1
        if client is not self:
            client._statistics.published += 1

    def event_for(
        self,
        topic: str,
        message: object,
        *,
        correlation_identifier: str | None = None,
        answer_requested: bool | None = None,
        stamp: TopicStamp | None = None,
    ) -> Event[object]:
        """Return a message in a new event for a topic, with the headers given and those of its stamp, as in `publish`.

        Raises:
            TypeError: The message is none, and stands for none.
            EncodeError: It is an integer of more than 64 bits.
        """
        stamp = stamp or self._stamp_for(topic)
        return Event.create(
            wrap(message),
            publisher_identifier=self.identifier,
            protocol_version=stamp.protocol_version,
            incarnation=stamp.incarnation,
            correlation_identifier=correlation_identifier,
            answer_requested=answer_requested,
            connection_identifier=stamp.connection_identifier,
            readable_encodings=stamp.readable_encodings,
        )

    async def check_may_publish(self, topic: str) -> None:
        """Raise :class:`BusRefusedError` if the bus does not let this client publish to a topic.

        This publishes nothing that a subscriber could take for an event. On a bus without access rights, every topic is
        everybody's.

        Raises:
            InvalidTopicError: Nothing can be published to this topic.
            BusNotConnectedError: The client is not connected.
            BusUnavailableError: The bus cannot be reached.
        """
        check_topic(topic)
        self._check_connected()

    async def subscribe(
        self,
        topic: str,
        handler: EventHandler | EventCallback,
        *,
        channel: Channel | None = None,
        bus: str | None = None,
    ) -> None:
        """Have the events of a topic, or of all topics that a filter with `+` and `#` matches, handled.

        Every topic or filter has one handler: subscribing again replaces it, and no event is lost or handled by both.
        An event that several subscriptions match goes to each of them once. `channel` says the quality of service
        (default: that of operations), `bus` on which of several buses (default: on all); subscribing again on another
        adds that one.

        Raises:
            InvalidTopicError: It is no valid topic filter.
            ValueError: The client is on no bus of this name.
            BusNotConnectedError: The client is not connected.
            BusUnavailableError: The bus cannot be reached.
            BusRefusedError: The bus does not let this client subscribe to it.
        """
        check_filter(topic)
        self._check_connected()
        self._client_on(bus)
        if not isinstance(handler, EventHandler):
            handler = CallbackEventHandler(handler)
        quality_of_service = (channel or channels.OPERATION_OUTPUT).quality_of_service
        subscription = self._subscriptions.get(topic)
        if subscription is None:
            subscription = Subscription(
                topic,
                handler,
                quality_of_service=quality_of_service,
                bounds=self._queue_bounds,
                statistics=self._statistics,
            )
            subscription.buses.add(bus)
            self._subscriptions[topic] = subscription
            self._route(subscription)
        else:
            subscription.handler = handler
            if quality_of_service > subscription.quality_of_service or bus not in subscription.buses:
                subscription.quality_of_service = max(quality_of_service, subscription.quality_of_service)
                subscription.buses.add(bus)
                subscription.is_established = False
        if subscription.is_established:
            return
        try:
            await self._subscribe(subscription)
        except BaseException:
            # Unless somebody else has subscribed to it meanwhile.
            if subscription.handler is handler and not subscription.is_established:
                self._forget(subscription)
            raise
        subscription.is_established = True

    async def unsubscribe(self, topic: str | None = None) -> None:
        """Have a topic or filter, as it was subscribed to, handled no more; without `topic`, all of them.

        Events that wait for its handler are dropped; an event that is being handled is finished. Topics that are not
        subscribed to are nothing to complain about.

        Raises:
            BusUnavailableError: The bus did not answer. Nothing is handled any more nevertheless.
        """
        if topic is None:
            ended = list(self._subscriptions.values())
        else:
            ended = [self._subscriptions[topic]] if topic in self._subscriptions else []
        for subscription in ended:
            self._forget(subscription)
        if ended:
            await self._unsubscribe(ended)

    def is_busy(self, topic: str) -> bool:
        """Return whether events of a topic or filter, as it was subscribed to, are being handled or wait for it."""
        subscription = self._subscriptions.get(topic)
        return subscription is not None and subscription.worker is not None

    async def drained(self, topic: str) -> None:
        """Wait until no event of a topic or filter, as it was subscribed to, is being handled or waits for it."""
        subscription = self._subscriptions.get(topic)
        while subscription is not None and (worker := subscription.worker) is not None:
            await asyncio.wait([worker])

    @abstractmethod
    async def _publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        """Put an event on the bus."""

    @abstractmethod
    def _route(self, subscription: Subscription) -> None:
        """Offer events that match to a subscription from now on."""

    @abstractmethod
    def _unroute(self, subscription: Subscription) -> None:
        """Offer no more events to a subscription."""

    @abstractmethod
    async def _subscribe(self, subscription: Subscription) -> None:
        """Have events that match sent here."""

    @abstractmethod
    async def _unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Have the events for subscriptions, which are closed already, sent here no more."""

    @abstractmethod
    def _check_connected(self) -> None:
        """Raise :class:`BusNotConnectedError` unless `connect` was called and `disconnect` was not."""

    def _stamp_for(self, topic: str) -> TopicStamp:
        """Return the stamp of what is published to a topic without one."""
        return Answer.stamp_on(topic) or self.topic_stamps.get(topic, NO_STAMP)

    def _client_on(self, bus: str | None) -> EventBusClient:
        """Return what publishes on one of several buses, or on all that there are."""
        if bus is not None:
            raise ValueError(f"{self!r} is on one bus only, and that has no name: it was asked for {bus!r}")
        return self

    def _forget(self, subscription: Subscription) -> None:
        if not subscription.is_closed:
            subscription.close()
            self._unroute(subscription)
            del self._subscriptions[subscription.topic_filter]
            if (worker := subscription.worker) is not None:
                self._unsubscribed_workers.add(worker)
                worker.add_done_callback(self._unsubscribed_workers.discard)

    async def _forget_all(self) -> None:
        for subscription in list(self._subscriptions.values()):
            self._forget(subscription)
        await end_workers(set(self._unsubscribed_workers))

    def _not_connected(self) -> BusNotConnectedError:
        return BusNotConnectedError(f"{self!r} is not connected: call connect() first")


def _is_event(value: object) -> TypeGuard[Event[Any]]:
    return isinstance(value, Event)
