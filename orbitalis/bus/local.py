"""The event bus within one process. Messages are handed over as they are, and nothing is encoded."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.dispatch import QueueBounds, Subscription
from orbitalis.bus.topics import FilterMap
from orbitalis.message.event import Event
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["LocalEventBus", "LocalEventBusClient", "build_new_local_client"]


class LocalEventBus:
    """A bus that exists as long as somebody holds it; its clients may live in different threads."""

    _named: ClassVar[WeakValueDictionary[str, LocalEventBus]] = WeakValueDictionary()

    def __init__(self) -> None:
        """Make a bus of its own, which goes by no name."""
        self._subscriptions: FilterMap[Subscription] = FilterMap()
        self._changing = threading.Lock()

    @classmethod
    def named(cls, name: str = "") -> LocalEventBus:
        """Return the bus that goes by this name in this process; that without a name is the default."""
        return cls._named.setdefault(name, cls())

    def add(self, subscription: Subscription) -> None:
        """Deliver to a subscription from now on."""
        with self._changing:
            self._subscriptions.add(subscription.topic_filter, subscription)

    def remove(self, subscription: Subscription) -> None:
        """Deliver to a subscription no more; raises :class:`KeyError` if it was not delivered to."""
        with self._changing:
            self._subscriptions.remove(subscription.topic_filter, subscription)

    def publish(self, topic: str, event: Event[Any]) -> None:
        """Deliver an event to all subscriptions that match, each in its own event loop."""
        here = asyncio.get_running_loop()
        for subscription in self._subscriptions.match(topic):
            if subscription.loop is here:
                subscription.offer(topic, event)
            elif subscription.loop.is_closed():
                # Its client was never disconnected, and cannot be any more.
                with contextlib.suppress(KeyError):
                    self.remove(subscription)
            else:
                subscription.loop.call_soon_threadsafe(subscription.offer, topic, event)


class LocalEventBusClient(EventBusClient):
    """A client of a bus within this process."""

    def __init__(
        self,
        bus: LocalEventBus | None = None,
        *,
        identifier: str | None = None,
        queue_bounds: QueueBounds | None = None,
    ) -> None:
        """Make a client of `bus`, by default of the one that all of this process share."""
        super().__init__(identifier=identifier, queue_bounds=queue_bounds)
        self._bus = LocalEventBus.named() if bus is None else bus
        self._connected = False

    def __repr__(self) -> str:
        """Show the identifier."""
        return f"{type(self).__name__}(identifier={self.identifier!r})"

    @property
    def is_connected(self) -> bool:
        """Whether events can be exchanged at the moment."""
        return self._connected

    async def connect(self) -> None:
        """Connect to the bus, which is always there."""
        self._connected = True

    async def disconnect(self) -> None:
        """Drop all subscriptions, cancel handlers that are busy, and leave the bus."""
        self._connected = False
        await self._forget_all()

    async def _publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        self._bus.publish(topic, event)
        # Whoever publishes in a loop must let the handlers have their turn, or queues overflow for nothing.
        await asyncio.sleep(0)

    def _route(self, subscription: Subscription) -> None:
        self._bus.add(subscription)

    def _unroute(self, subscription: Subscription) -> None:
        self._bus.remove(subscription)

    async def _subscribe(self, subscription: Subscription) -> None:
        """Routing is all there is to it."""

    async def _unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Routing is all there is to it."""

    def _check_connected(self) -> None:
        if not self._connected:
            raise self._not_connected()


def build_new_local_client() -> LocalEventBusClient:
    """Return a new client of the bus that all of this process share."""
    return LocalEventBusClient()
