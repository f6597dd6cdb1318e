"""The base of all clients of event buses: :class:`EventBusClient`."""

from __future__ import annotations

import asyncio
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from orbitalis.arguments import check_list, check_text
from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.dispatch import DEFAULT_BOUNDS, Intake, QueueBounds, Subscription, end_handlers
from orbitalis.bus.event_handler import CallbackEventHandler, EventCallback, EventHandler
from orbitalis.bus.home_loop import HomeLoop
from orbitalis.bus.other_versions import OtherVersions
from orbitalis.bus.topic_filters import check_filter, check_topic
from orbitalis.errors import BusError, BusNotConnectedError, OrbiterStateError
from orbitalis.message.event import Event
from orbitalis.message.payload import Publishable, wrap
from orbitalis_wire import channels
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["EventBusClient", "LastWill", "Later", "MessagePublisher"]

T = TypeVar("T")

_UNREADABLE: Final = re.compile(r"[^0-9A-Za-z._-]")
"""What brokers may not take in the identifier of a client."""
_NAME: Final = 64
"""Characters of an orbiter's identifier in that of its client: not all brokers take long ones."""
_OWN: Final = 6
"""Characters that no other client has there."""


class MessagePublisher(Protocol):
    """Publishes a message that is not in an event. An orbiter is one, and adds headers."""

    async def __call__(
        self, topic: str, message: Publishable, channel: Channel | None, encoding: Encoding | None, bus: str | None
    ) -> None:
        """Publish a message in an event. It chooses all arguments that are `None`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWill:
    """The will of a client: the bus publishes it if the client's connection is cut."""

    topic: str
    event: Event[Any]
    channel: Channel


class Later(Generic[T]):
    """Calls an `async` function when it is awaited.

    A task may be cancelled before it begins to await. For a coroutine, Python then warns that it was never awaited. For
    this object it does not.
    """

    __slots__ = ("_arguments", "_function")

    def __init__(self, function: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> None:
        """Call `function` with these arguments."""
        self._function = function
        self._arguments = arguments

    def __await__(self) -> Generator[Any, Any, T]:
        """Call it."""
        return self._function(*self._arguments).__await__()


class EventBusClient(ABC):
    """A client of an event bus.

    Events on one topic are handled in the order in which they were published. A handler that raises, is slow or hangs
    does not delay other subscriptions. While it is busy, a limited number of events waits for it. Further events are
    dropped and counted. A handler is a plain or `async` function that takes the topic and the event, or an
    :class:`EventHandler`. It may use the client in any way, and may also disconnect it.
    """

    def __init__(self, *, identifier: str | None = None, queue_bounds: QueueBounds | None = None) -> None:
        """Make a client that is not connected. Without `identifier`, it makes up one of its own.

        Raises:
            TypeError: The identifier is not a text.
            ValueError: The identifier is empty.
        """
        if identifier is not None:
            check_text("the identifier of a client", identifier)
        if identifier == "":
            raise ValueError("the identifier of a client is empty: leave it out, and the client makes up its own")
        self._made_up = uuid.uuid4().hex
        self.identifier = self._made_up if identifier is None else identifier
        """The `publisher_identifier` of its events."""
        self._is_named = identifier is not None
        self._orbiter: str | None = None
        """The orbiter that it belongs to."""
        self.publish_message: MessagePublisher | None = None
        """Publishes messages that are not in an event. Without it, they get an event without headers, in JSON."""
        self.on_reconnected: Callable[[], None] | None = None
        """Called when the client is connected again after a loss, and has subscribed to everything again."""
        self.on_lost: Callable[[str | None], None] | None = None
        """Called when a connection is lost. The argument is the name of the bus, if there are several."""
        self.make_will: Callable[[], LastWill | None] | None = None
        """Returns the will for each new connection, if :meth:`has_wills`. By default there is none."""
        self._home = HomeLoop(self)
        """The event loop from `connect` to `disconnect`."""
        self._owner: object = None
        self._statistics = BusStatistics()
        self._logged_for: str | None = None
        """The orbiter that lines of the log name as theirs; the one that came last, where several share the client."""
        self._intake = Intake(self._statistics, OtherVersions(self, self._statistics), queue_bounds or DEFAULT_BOUNDS)
        self._subscriptions: dict[str, Subscription] = {}

    def belong_to(self, orbiter_identifier: str) -> None:
        """Take an identifier that shows whose client it is, unless it was given one, or is in use already.

        It ends in characters of its own, so that neither two clients of an orbiter nor two orbiters of one identifier
        have the same: a broker would throw one out for the other, again and again. A client that belongs to several
        keeps the identifier that it has made up.
        """
        self._log_for(orbiter_identifier)
        if self._is_named or self._home.loop is not None:
            return
        if self._orbiter in (None, orbiter_identifier):
            self._orbiter = orbiter_identifier
            readable = _UNREADABLE.sub("_", orbiter_identifier)[:_NAME]
            self._rename(f"{readable}-{self._made_up[:_OWN]}")
        else:
            self._is_named = True
            self._rename(self._made_up)

    def _log_for(self, orbiter_identifier: str) -> None:
        """Have lines of the log say that they are of an orbiter."""
        self._logged_for = self._intake.other_versions.orbiter = orbiter_identifier

    def _rename(self, identifier: str) -> None:
        """Go by another identifier from the next connection on."""
        self.identifier = identifier

    @property
    def statistics(self) -> BusStatistics:
        """The counters of this client."""
        return self._statistics

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether the client can publish and receive events at the moment."""

    def is_connected_to(self, bus: str | None) -> bool:
        """Return whether it can publish and receive events on the bus of this name. `None` means on all buses."""
        return self.is_connected if bus is None else self._client_on(bus).is_connected

    def has_wills(self, bus: str | None = None) -> bool:
        """Return whether a bus publishes wills for clients whose connection is cut. `None` means any of its buses."""
        return False if bus is None else self._client_on(bus).has_wills()

    def claim(self, owner: object) -> None:
        """Reserve this client for one orbiter, until :meth:`release`.

        Raises:
            OrbiterStateError: Another orbiter uses it.
        """
        if self._owner is not None and self._owner is not owner:
            raise OrbiterStateError(
                f"{owner} cannot use {self!r}, which {self._owner} uses: each orbiter needs a client of its own, such "
                "as eventbus_client=connect(URL)"
            )
        self._owner = owner

    def release(self, owner: object) -> None:
        """Let others use this client again, if this orbiter has used it."""
        if self._owner is owner:
            self._owner = None

    @abstractmethod
    async def connect(self) -> None:
        """Connect to the bus. It does nothing if the client is connected already.

        Raises:
            BusUnavailableError: The bus cannot be reached.
            BusRefusedError: The bus refuses.
            WrongEventLoopError: It is connected in another event loop. All other methods raise this, too.
        """

    @abstractmethod
    async def disconnect(self) -> None:
        """Drop all subscriptions, cancel busy handlers, and leave the bus. It does nothing if not connected.

        When it returns, nothing of this client runs, except a handler that calls it. The client can connect again, also
        in another event loop. If its event loop is closed already, the bus gets no message.
        """

    async def publish(
        self,
        topic: str,
        message: Event[Any] | Publishable = None,
        *,
        channel: Channel | None = None,
        encoding: Encoding | None = None,
        bus: str | None = None,
    ) -> None:
        """Publish a message, a bare value (a text, a number or bytes), or an empty event.

        An :class:`Event` is published unchanged. Anything else is published in a new event. If the client belongs to an
        orbiter, and the topic to one of its connections, the event gets the headers of the connection. It becomes the
        answer to the input that is being handled, if that input waits for an answer on this topic. `channel` says the
        quality of service (default: that of outputs). `encoding` says how the event is written (default: as JSON, or as
        the other side of the connection reads it). `bus` names one of several buses (default: all of them, or the one
        on which the other side is).

        Raises:
            InvalidTopicError: It is not possible to publish to this topic.
            TypeError: The message is neither a message nor a bare value.
            ValueError: The client is on no bus of this name.
            EncodeError: A value in the message does not fit its schema.
            EventTooLargeError: The event is larger than the protocol or the broker allows.
            BusNotConnectedError: The client is not connected.
            BusRefusedError: The broker does not allow it. At quality of service 0, the broker does not say so.
            BusUnavailableError: The bus cannot be reached. The event may still have been delivered.
        """
        check_topic(topic)
        if isinstance(message, Event):
            event: Event[Any] = message
        elif self.publish_message is not None:
            await self.publish_message(topic, message, channel, encoding, bus)
            return
        else:
            event = Event.create(wrap(message), publisher_identifier=self.identifier)
        waiting = self.start_publish(
            topic, event, channel or channels.OPERATION_OUTPUT, encoding or Encoding.JSON, bus=bus
        )
        # A sender that publishes in a loop must let handlers run in between, or their queues overflow.
        await (asyncio.sleep(0) if waiting is None else waiting)

    def start_publish(
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding, *, bus: str | None = None
    ) -> Awaitable[None] | None:
        """Publish an event to a valid topic. Return an awaitable, or `None` if the event is published already.

        The caller has to await the awaitable. Both may raise the errors of :meth:`publish`.
        """
        if asyncio.get_running_loop() is not self._home.loop:
            raise self._not_connected()
        if bus is None:
            waiting = self._start_publish(topic, event, channel, encoding)
        else:
            waiting = self._client_on(bus).start_publish(topic, event, channel, encoding)
        if waiting is not None:
            return Later(self._count_when_published, waiting)
        self._statistics.published += 1
        return None

    async def _count_when_published(self, waiting: Awaitable[None]) -> None:
        await waiting
        self._statistics.published += 1

    async def check_may_publish(self, topic: str) -> None:
        """Raise :class:`BusRefusedError` if the bus does not let this client publish to a topic.

        This publishes nothing that a subscriber could read as an event. On a bus without access rights, everybody may
        publish to every topic.

        Raises:
            InvalidTopicError: It is not possible to publish to this topic.
            BusNotConnectedError: The client is not connected.
            BusUnavailableError: The bus cannot be reached.
        """
        check_topic(topic)
        if asyncio.get_running_loop() is not self._home.loop:
            raise self._not_connected()

    async def subscribe(
        self,
        topic: str,
        handler: EventHandler | EventCallback,
        *,
        channel: Channel | None = None,
        bus: str | None = None,
        concurrency: int = 1,
    ) -> None:
        """Call a handler with each event of a topic, or of all topics that a filter with `+` and `#` matches.

        Every topic or filter has one handler. If you subscribe again, the new handler replaces the old one, and no
        event is lost or handled twice. If several subscriptions match an event, each of them gets it once. `channel`
        says the quality of service (default: that of operations). `bus` names one of several buses (default: all of
        them); if you subscribe again on another bus, that one is added. Up to `concurrency` events are handled at the
        same time. With 1, their order is kept.

        Raises:
            InvalidTopicError: It is not a valid topic filter.
            ValueError: `concurrency` is below 1, or the client is on no bus of this name.
            BusNotConnectedError: The client is not connected.
            BusUnavailableError: The bus cannot be reached.
            BusRefusedError: The bus does not let this client subscribe to it.
        """
        check_filter(topic)
        if concurrency < 1:
            raise ValueError(f"at least one event has to be handled at a time, got a concurrency of {concurrency}")
        if not isinstance(handler, EventHandler):
            handler = CallbackEventHandler(handler)
        waiting = self.start_subscribe(
            topic, handler, channel or channels.OPERATION_OUTPUT, bus=bus, concurrency=concurrency
        )
        if waiting is not None:
            await waiting

    def start_subscribe(
        self,
        topic: str,
        handler: EventHandler,
        channel: Channel,
        *,
        bus: str | None = None,
        concurrency: int = 1,
        context: Context | None = None,
    ) -> Awaitable[None] | None:
        """Subscribe to a valid topic filter. Return an awaitable, or `None` if it is subscribed already.

        Events are handled in copies of `context`, by default of the caller's. The caller has to await the awaitable.
        Both may raise the errors of :meth:`subscribe`.
        """
        if asyncio.get_running_loop() is not self._home.loop:
            raise self._not_connected()
        if bus is not None:
            self._client_on(bus)
        quality_of_service = channel.quality_of_service
        subscription = self._subscriptions.get(topic)
        if subscription is None:
            subscription = Subscription(topic, handler, self._intake, quality_of_service, concurrency, context)
            if bus is not None:
                subscription.buses = frozenset((bus,))
            self._subscriptions[topic] = subscription
            self._route(subscription)
        else:
            subscription.hand_over_to(handler, concurrency)
            if quality_of_service > subscription.quality_of_service or bus not in subscription.buses:
                subscription.quality_of_service = max(quality_of_service, subscription.quality_of_service)
                subscription.buses = subscription.buses | {bus}
                subscription.is_established = False
        if subscription.is_established:
            return None
        waiting = self._start_subscribe(subscription)
        if waiting is None:
            subscription.is_established = True
            return None
        return Later(self._establish, subscription, handler, waiting)

    async def subscribe_each(
        self,
        topics: Sequence[str],
        handler: EventHandler,
        channel: Channel,
        *,
        bus: str | None = None,
        context: Context | None = None,
    ) -> Mapping[str, BusError]:
        """Subscribe to many valid topics without wildcards, in as few packets as possible, and return the failures."""
        failures: dict[str, BusError] = {}

        async def subscribe(topic: str) -> None:
            try:
                waiting = self.start_subscribe(topic, handler, channel, bus=bus, context=context)
                if waiting is not None:
                    await waiting
            except BusError as error:
                failures[topic] = error

        await asyncio.gather(*map(subscribe, topics))
        return failures

    async def _establish(self, subscription: Subscription, handler: EventHandler, waiting: Awaitable[None]) -> None:
        try:
            await waiting
        except BaseException:
            # Unless somebody else has subscribed to it meanwhile.
            if subscription.handler is handler and not subscription.is_established:
                self._forget(subscription)
            raise
        subscription.is_established = True

    async def unsubscribe(self, topic: str | None = None) -> None:
        """End the subscription to a topic or filter. Without `topic`, end all subscriptions.

        Events that wait for the handler are dropped. An event that is being handled is finished. A topic without a
        subscription is not an error.

        Raises:
            BusUnavailableError: The bus did not answer. The subscription has ended all the same.
        """
        waiting = self.start_unsubscribe(list(self._subscriptions) if topic is None else [topic])
        if waiting is not None:
            await waiting

    def start_unsubscribe(self, topics: list[str] | tuple[str, ...]) -> Awaitable[None] | None:
        """End the subscriptions to topics or filters. Return an awaitable, or `None` if it is done already.

        The caller has to await the awaitable, which may raise the errors of :meth:`unsubscribe`.

        Raises:
            TypeError: `topics` is a single text.
        """
        if self._home.loop is not None and asyncio.get_running_loop() is not self._home.loop:
            raise self._not_connected()
        check_list("topics", topics)
        ended: list[Subscription] = []
        for topic in topics:
            subscription = self._subscriptions.get(topic)
            if subscription is not None:
                self._forget(subscription)
                ended.append(subscription)
        return self._start_unsubscribe(ended) if ended else None

    def is_busy(self, topic: str) -> bool:
        """Return whether events of a subscription are being handled or wait. Give its topic or filter."""
        subscription = self._subscriptions.get(topic)
        return subscription is not None and subscription.is_busy

    async def drained(self, topic: str) -> None:
        """Wait until no event of a subscription is being handled or waits. Give its topic or filter."""
        self._home.check()
        subscription = self._subscriptions.get(topic)
        if subscription is not None:
            await subscription.drained()

    @abstractmethod
    def _start_publish(
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        """Put an event on the bus, behind those of earlier calls; return what to wait for, if anything."""

    @abstractmethod
    def _route(self, subscription: Subscription) -> None:
        """Offer events that match to a subscription from now on."""

    @abstractmethod
    def _unroute(self, subscription: Subscription) -> None:
        """Offer no more events to a subscription."""

    @abstractmethod
    def _start_subscribe(self, subscription: Subscription) -> Awaitable[None] | None:
        """Have events that match sent here; return what to wait for, if anything."""

    @abstractmethod
    def _start_unsubscribe(self, subscriptions: Sequence[Subscription]) -> Awaitable[None] | None:
        """Have the events for subscriptions, which are closed already, sent here no more."""

    def _client_on(self, bus: str) -> EventBusClient:
        """Return what publishes on one of several buses."""
        raise ValueError(f"{self!r} is on one bus only, and that has no name: it was asked for {bus!r}")

    def _forget(self, subscription: Subscription) -> None:
        if not subscription.is_closed:
            subscription.close()
            self._unroute(subscription)
            del self._subscriptions[subscription.topic_filter]

    async def _forget_all(self) -> None:
        for subscription in list(self._subscriptions.values()):
            self._forget(subscription)
        await end_handlers(self._intake.tasks, self._logged_for)

    def _let_go(self) -> None:
        """Drop everything, because the event loop in which it was connected is closed."""
        self._home.leave()
        self._intake.tasks.clear()
        for subscription in list(self._subscriptions.values()):
            self._forget(subscription)

    def _not_connected(self) -> BusNotConnectedError:
        """Return what to raise where it is not connected; raise if it is, in another event loop.

        Raises:
            WrongEventLoopError: It is.
        """
        self._home.check()
        return BusNotConnectedError(f"{self!r} is not connected: call connect() first")
