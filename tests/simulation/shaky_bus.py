"""The event bus within one process, made as unreliable as one in between processes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.bus.dispatch import Subscription
from orbitalis.errors import BusUnavailableError
from orbitalis.message.event import Event
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from tests.simulation.trace import Trace

__all__ = ["ShakyBus", "ShakyBusClient", "Weather"]


@dataclass(frozen=True)
class Weather:
    """What the bus does to events and calls at the moment. Times are seconds, others probabilities."""

    loss: float = 0.0
    duplication: float = 0.0
    delay: float = 0.0
    """Mean of the delay of most events; without, they keep their order."""
    long_delays: float = 0.0
    """How many events are delayed by up to `longest_delay`."""
    longest_delay: float = 0.0
    slowness: float = 0.0
    """Mean of the time for which a call of a client lasts."""
    refusals: float = 0.0
    """How many calls of clients fail."""


class ShakyBus(LocalEventBus):
    """A bus that loses, duplicates, delays and reorders what it carries."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, trace: Trace) -> None:
        super().__init__()
        self._loop = loop
        self.random = chance
        self.trace = trace
        self.weather = Weather()
        self.blocked: set[tuple[str, str]] = set()
        """Sender and receiver between whom nothing passes."""
        self.clients: dict[str, ShakyBusClient] = {}
        """The client of each identifier, in its present life."""
        self.last_arrival = 0.0
        """When the last event arrives of those that are on their way."""
        self.on_publish: Callable[[ShakyBusClient, str, Event[Any]], None] = lambda client, topic, event: None
        """Called for everything that clients publish."""
        self.events = 0
        self.touched: set[str] = set()
        """Identifiers of those to whom something has happened; whoever looks at them empties it."""

    def publish(self, topic: str, event: Event[Any]) -> None:
        for subscription in self._subscriptions.match(topic):
            receiver = self._receiver(subscription)
            if receiver is None:
                continue  # it has crashed
            sender = event.publisher_identifier
            self.events += 1
            if (sender, receiver.identifier) in self.blocked or self.random.random() < self.weather.loss:
                self.note("%s does not get %s on %s", receiver.identifier, _shown(event), topic)
                continue
            self._carry(subscription, receiver.identifier, topic, event)
            if self.random.random() < self.weather.duplication:
                self.note("%s gets twice: %s", receiver.identifier, _shown(event))
                self._carry(subscription, receiver.identifier, topic, event)

    def note(self, text: str, *arguments: object) -> None:
        """Note something for the trace."""
        self.trace.note(self._loop.time(), text, *arguments)

    def _receiver(self, subscription: Subscription) -> ShakyBusClient | None:
        for one in self.clients.values():
            if one._subscriptions.get(subscription.topic_filter) is subscription:
                return one
        return None

    def _carry(self, subscription: Subscription, receiver: str, topic: str, event: Event[Any]) -> None:
        delay = self.random.expovariate(1 / self.weather.delay) if self.weather.delay else 0.0
        if self.random.random() < self.weather.long_delays:
            delay += self.random.random() * self.weather.longest_delay
        if not delay:
            self._arrive(subscription.topic_filter, receiver, topic, event)
            return
        self.last_arrival = max(self.last_arrival, self._loop.time() + delay)
        self._loop.call_later(delay, self._arrive, subscription.topic_filter, receiver, topic, event)

    def _arrive(self, topic_filter: str, receiver: str, topic: str, event: Event[Any]) -> None:
        # To whoever listens there now, be it a later life.
        self.touched.add(receiver)
        subscription = self.clients[receiver]._subscriptions.get(topic_filter)
        if subscription is not None:
            self.note("%s gets %s on %s", receiver, _shown(event), topic)
            subscription.offer(topic, event)


class ShakyBusClient(LocalEventBusClient):
    """A client whose calls take a while, fail, and end for good where the orbiter crashes."""

    def __init__(self, bus: ShakyBus, identifier: str) -> None:
        super().__init__(bus, identifier=identifier)
        self._shaky = bus
        self.is_dead = False
        """Whether nothing goes in or out any more."""
        self.not_subscribed: set[str] = set()
        """Filters for which subscribing has failed once."""
        bus.clients[identifier] = self

    async def die(self) -> None:
        """Be away from one moment to the next, and drop what is being handled."""
        self.is_dead = True
        await self.disconnect()

    async def connect(self) -> None:
        await self._take_time("connect")
        await super().connect()

    async def disconnect(self) -> None:
        if not self.is_dead:
            await self._sleep()
        await super().disconnect()

    async def _publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        if self.is_dead:
            return
        self._shaky.touched.add(self.identifier)
        self._shaky.on_publish(self, topic, event)
        await self._take_time("publish")
        if self.is_dead:
            return
        await super()._publish(topic, event, channel, encoding)

    async def _subscribe(self, subscription: Subscription) -> None:
        try:
            await self._take_time("subscribe")
        except BusUnavailableError:
            self.not_subscribed.add(subscription.topic_filter)
            raise

    async def _unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        await self._take_time("unsubscribe")

    async def _take_time(self, what: str) -> None:
        bus = self._shaky
        await self._sleep()
        if bus.random.random() < bus.weather.refusals:
            bus.note("%s fails to %s", self.identifier, what)
            raise BusUnavailableError(f"it is bad weather: {self.identifier} cannot {what}")

    async def _sleep(self) -> None:
        bus = self._shaky
        bus.touched.add(self.identifier)
        if bus.weather.slowness and bus.random.random() < 0.5:
            await asyncio.sleep(bus.random.expovariate(1 / bus.weather.slowness))


def _shown(event: Event[Any]) -> str:
    payload: object = event.payload
    operation = getattr(payload, "operation_name", None)
    answered, connection = event.envelope.correlation_identifier, event.envelope.connection_identifier
    return " ".join(
        [
            type(payload).__name__.removesuffix("Message"),
            *([str(operation)] if operation else []),
            f"({event.identifier[:4]})",
            f"of {event.publisher_identifier}",
            *([f"connection {connection[:4]}"] if connection else []),
            *([f"answers {answered[:4]}"] if answered else []),
        ]
    )
