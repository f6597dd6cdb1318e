"""The event bus inside one process. It encodes nothing, but messages arrive as over a broker.

A message that could not be encoded is refused. A message whose values cannot change is handed over as it is. Of every
other message, each subscription gets its own copy. Messages of the protocol are not copied: nobody changes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast
from weakref import WeakValueDictionary

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.dispatch import QueueBounds, Subscription
from orbitalis.bus.topic_filters import FilterMap
from orbitalis.message.event import Event
from orbitalis.message.payload import PROTOCOL_MESSAGES, Publishable, UndecodedPayload, as_received
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import StringMessage

__all__ = ["LocalEventBus", "LocalEventBusClient", "build_new_local_client"]


_SHARED: Final = PROTOCOL_MESSAGES | {type(None), UndecodedPayload}
"""Payloads that are handed over without a check."""
_IN_A_ROW = 64
"""Deliveries of what handlers publish meanwhile, after which everything else in the event loop has its turn."""


class LocalEventBus:
    """A bus inside this process. Its clients may be in different threads."""

    _named: ClassVar[WeakValueDictionary[str, LocalEventBus]] = WeakValueDictionary()

    def __init__(self) -> None:
        """Make a bus without a name."""
        self._subscriptions: FilterMap[Subscription] = FilterMap()
        self._changing = threading.Lock()
        self._deliveries: dict[asyncio.AbstractEventLoop, _Deliveries] = {}

    @classmethod
    def named(cls, name: str = "") -> LocalEventBus:
        """Return the bus of this name in this process. Without a name, return the default bus."""
        return cls._named.setdefault(name, cls())

    def add(self, subscription: Subscription) -> None:
        """Deliver to a subscription from now on."""
        with self._changing:
            self._subscriptions.add(subscription.topic_filter, subscription)

    def remove(self, subscription: Subscription) -> None:
        """Deliver to a subscription no more; raises :class:`KeyError` if it was not delivered to."""
        with self._changing:
            self._subscriptions.remove(subscription.topic_filter, subscription)

    def publish(self, topic: str, event: Event[Any], here: asyncio.AbstractEventLoop | None = None) -> None:
        """Deliver an event, soon, to all subscriptions that match, each in its own event loop.

        `here` is the event loop that is running, if the caller knows it.

        Raises:
            EncodeError: A field of the message holds what its type does not admit.
        """
        here = here or asyncio.get_running_loop()
        deliveries = self._deliveries[here] if here in self._deliveries else self._deliver_in(here)
        payload: object = event.payload
        is_shared = type(payload) in _SHARED or (
            type(payload) is StringMessage and type(payload.value) is str and payload.value.isascii()
        )
        if not is_shared:
            # The sender may change its own from now on.
            received = as_received(payload)
            is_shared = received is payload
            event = event if is_shared else event.carrying(received)
        is_first = True
        for subscription in self._subscriptions.match(topic):
            if not is_shared and not is_first:
                event = event.carrying(as_received(event.payload))
            is_first = False
            loop = subscription.loop
            if loop is here:
                deliveries.waiting.append((subscription, topic, event))
                continue
            try:
                loop.call_soon_threadsafe(subscription.offer, topic, event, context=contextvars.Context())
            except RuntimeError:
                # The loop is closed: the client was never disconnected, and cannot be any more.
                with contextlib.suppress(KeyError):
                    self.remove(subscription)
        if not deliveries.is_scheduled and deliveries.waiting:
            deliveries.schedule()

    def _deliver_in(self, loop: asyncio.AbstractEventLoop) -> _Deliveries:
        with self._changing:
            for other in [one for one in self._deliveries if one.is_closed()]:
                del self._deliveries[other]
            return self._deliveries.setdefault(loop, _Deliveries(loop))


class _Deliveries:
    """What has been published to a bus and waits for its delivery in one event loop, in order."""

    __slots__ = ("_context", "_loop", "is_scheduled", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting: deque[tuple[Subscription, str, Event[Any]]] = deque()
        self.is_scheduled = False
        self._loop = loop
        # Not that of a sender, which could be a handler.
        self._context = contextvars.Context()

    def schedule(self) -> None:
        """Have what waits delivered soon."""
        self.is_scheduled = True
        self._loop.call_soon(self._deliver, context=self._context)

    def _deliver(self) -> None:
        waiting = self.waiting
        try:
            # All that was waiting, or a sender that publishes in a loop to many would get ever further ahead.
            for _ in range(len(waiting) + _IN_A_ROW):
                if not waiting:
                    break
                subscription, topic, event = waiting.popleft()
                subscription.offer(topic, event)
        finally:
            # Also where a handler ends the event loop, which runs once more to clean up.
            if waiting:
                self.schedule()
            else:
                self.is_scheduled = False


class LocalEventBusClient(EventBusClient):
    """A client of a bus inside this process."""

    def __init__(
        self,
        bus: LocalEventBus | None = None,
        *,
        identifier: str | None = None,
        queue_bounds: QueueBounds | None = None,
    ) -> None:
        """Make a client of `bus`, by default of the default bus of this process."""
        super().__init__(identifier=identifier, queue_bounds=queue_bounds)
        self.bus = LocalEventBus.named() if bus is None else bus
        """The bus that it is a client of."""

    def __repr__(self) -> str:
        """Show the identifier."""
        return f"{type(self).__name__}(identifier={self.identifier!r})"

    @property
    def is_connected(self) -> bool:
        """Whether events can be exchanged at the moment."""
        return self._home.loop is not None

    async def connect(self) -> None:
        """Connect to the bus, which is always there."""
        if self._home.is_lost:
            self._let_go()
        self._home.check()
        self._home.enter()

    async def disconnect(self) -> None:
        """Drop all subscriptions, cancel handlers that are busy, and leave the bus."""
        if self._home.is_lost:
            self._let_go()
            return
        self._home.check()
        self._home.leave()
        await self._forget_all()

    async def publish(
        self,
        topic: str,
        message: Event[Any] | Publishable = None,
        *,
        channel: Channel | None = None,
        encoding: Encoding | None = None,
        bus: str | None = None,
    ) -> None:
        """Publish as :meth:`EventBusClient.publish` does."""
        if type(message) in PROTOCOL_MESSAGES:
            message = cast("Publishable", as_received(message))
        elif isinstance(message, Event) and type(message.payload) in PROTOCOL_MESSAGES:
            message = message.carrying(as_received(message.payload))
        await super().publish(topic, message, channel=channel, encoding=encoding, bus=bus)

    def _start_publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        self.bus.publish(topic, event, self._home.loop)

    def _route(self, subscription: Subscription) -> None:
        self.bus.add(subscription)

    def _unroute(self, subscription: Subscription) -> None:
        self.bus.remove(subscription)

    def _start_subscribe(self, subscription: Subscription) -> None:
        """Routing is all there is to it."""

    def _start_unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Routing is all there is to it."""


def build_new_local_client() -> LocalEventBusClient:
    """Return a new client of the default bus of this process."""
    return LocalEventBusClient()
