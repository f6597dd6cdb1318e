"""The event bus within one process, made as unreliable as one in between processes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any

from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.bus.client import Later
from orbitalis.bus.dispatch import Subscription
from orbitalis.errors import BusUnavailableError
from orbitalis.message.event import Event
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from tests.simulation.trace import Trace

__all__ = ["ShakyBus", "ShakyBusClient", "Weather"]


def _nothing() -> None:
    """Do nothing."""


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
        """The client of each identifier, in its present incarnation."""
        self.last_arrival = 0.0
        """When the last event arrives, and the last call ends, of those that are under way."""
        self.on_publish: Callable[[ShakyBusClient, str, Event[Any]], None] = lambda client, topic, event: None
        """Called for everything that clients publish."""
        self.on_sent: Callable[[str, Event[Any]], None] = lambda topic, event: None
        """Called for everything that goes out."""
        self.events = 0
        self.touched: set[str] = set()
        """Identifiers of those to whom something has happened; looking at them empties it."""

    def publish(self, topic: str, event: Event[Any], here: asyncio.AbstractEventLoop | None = None) -> None:
        self.on_sent(topic, event)
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
        arrive = partial(self._arrive, subscription.topic_filter, receiver, topic, event)
        # As on every bus, in nobody's midst, and in the context of nobody who publishes.
        context = Context()
        if not delay:
            self._loop.call_soon(arrive, context=context)
            return
        self.last_arrival = max(self.last_arrival, self._loop.time() + delay)
        self._loop.call_later(delay, arrive, context=context)

    def _arrive(self, topic_filter: str, receiver: str, topic: str, event: Event[Any]) -> None:
        # To the one who listens there now, which may be another incarnation.
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
        connecting = self._take_time("connect")
        if connecting is not None:
            await connecting
        await super().connect()

    async def disconnect(self) -> None:
        seconds = None if self.is_dead else self._duration()
        if seconds is not None:
            await asyncio.sleep(seconds)
        await super().disconnect()

    def _start_publish(  # type: ignore[override]  # this one may take time
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        if self.is_dead:
            return None
        self._shaky.touched.add(self.identifier)
        self._shaky.on_publish(self, topic, event)
        return self._take_time("publish", lambda: self._have_published(topic, event))

    def _have_published(self, topic: str, event: Event[Any]) -> None:
        if not self.is_dead:
            self._shaky.publish(topic, event)

    def _start_subscribe(self, subscription: Subscription) -> Awaitable[None] | None:  # type: ignore[override]
        return self._take_time("subscribe", failed=lambda: self.not_subscribed.add(subscription.topic_filter))

    def _start_unsubscribe(  # type: ignore[override]
        self, subscriptions: Sequence[Subscription]
    ) -> Awaitable[None] | None:
        seconds = self._duration()
        if seconds is None and not self._shaky.weather.refusals:
            return None
        return Later(self._do_after, seconds or 0.0, "unsubscribe", _nothing, _nothing)

    def _take_time(
        self, what: str, done: Callable[[], None] = _nothing, failed: Callable[[], None] = _nothing
    ) -> Awaitable[None] | None:
        """Do something now, or return what does it after a while; in either case it may fail."""
        seconds = self._duration()
        if seconds is not None:
            return Later(self._do_after, seconds, what, done, failed)
        self._do(what, done, failed)
        return None

    async def _do_after(self, seconds: float, what: str, done: Callable[[], None], failed: Callable[[], None]) -> None:
        await asyncio.sleep(seconds)
        self._do(what, done, failed)

    def _do(self, what: str, done: Callable[[], None], failed: Callable[[], None]) -> None:
        bus = self._shaky
        if bus.random.random() < bus.weather.refusals:
            bus.note("%s fails to %s", self.identifier, what)
            failed()
            raise BusUnavailableError(f"it is bad weather: {self.identifier} cannot {what}")
        done()

    def _duration(self) -> float | None:
        """Return for how many seconds something takes, if it takes any time."""
        bus = self._shaky
        bus.touched.add(self.identifier)
        if not bus.weather.slowness or bus.random.random() < 0.5:
            return None
        seconds = bus.random.expovariate(1 / bus.weather.slowness)
        bus.last_arrival = max(bus.last_arrival, asyncio.get_running_loop().time() + seconds)
        return seconds


def _shown(event: Event[Any]) -> str:
    payload: object = event.payload
    operation = getattr(payload, "operation_name", None)
    answered, connection = event.correlation_identifier, event.connection_identifier
    return " ".join(
        [
            type(payload).__name__.removesuffix("Message"),
            *([str(operation)] if operation else []),
            f"({event.identifier[-4:]})",
            f"of {event.publisher_identifier}",
            *([f"connection {connection[-4:]}"] if connection else []),
            *([f"answers {answered[-4:]}"] if answered else []),
        ]
    )
