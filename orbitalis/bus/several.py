"""Several event buses at once: one client that is on all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from orbitalis.bus.bus_statistics import BusStatistics
from orbitalis.bus.client import EventBusClient, LastWill, Later
from orbitalis.bus.dispatch import Intake, QueueBounds, Subscription
from orbitalis.bus.throttled_log import ThrottledLog
from orbitalis.errors import BusError, BusRefusedError, BusUnavailableError, OrbiterStateError
from orbitalis.log import FieldLogger
from orbitalis.message.event import Event
from orbitalis.message.payload import UndecodedPayload
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding

__all__ = ["SeveralEventBusClient"]

_REMEMBERED = 4096
"""Events of one subscription of which is remembered that they have come."""


class SeveralEventBusClient(EventBusClient):
    """A client of several event buses, made of a client of each.

    It receives the events of all these buses. `origin` of an event names its bus. If an event arrives twice, because it
    was on two buses or because two buses are the same, it is handled once. Without `bus`, `publish` uses all buses that
    are connected at the moment. Data of a connection goes only to the bus on which the other side is.

    If a bus is lost, the others go on. When it is back, it also gets the subscriptions that were made on all buses
    meanwhile. If a subscription fails on one bus, it is undone on the others.
    """

    def __init__(
        self,
        members: Mapping[str, EventBusClient],
        *,
        identifier: str | None = None,
        queue_bounds: QueueBounds | None = None,
    ) -> None:
        """Make a client that is not connected of others, by name of the bus. These must not be used on their own.

        Raises:
            ValueError: There is none, or one has two names.
        """
        super().__init__(identifier=identifier, queue_bounds=queue_bounds)
        if not members:
            raise ValueError("a client of several buses needs at least one, got none")
        if len({id(member) for member in members.values()}) < len(members):
            raise ValueError(f"each bus needs a client of its own, got one twice: {', '.join(members)}")
        self._members = dict(members)
        self._parts: dict[Subscription, _Parts] = {}
        self._logger = FieldLogger(logging.getLogger(__name__))
        self._complaints = ThrottledLog(self._logger)

    def __repr__(self) -> str:
        """Show the buses and the identifier."""
        return f"{type(self).__name__}({', '.join(self._members)}; identifier={self.identifier!r})"

    def _log_for(self, orbiter_identifier: str) -> None:
        super()._log_for(orbiter_identifier)
        self._logger.about(orbiter=orbiter_identifier)

    def belong_to(self, orbiter_identifier: str) -> None:
        """Have the client of each bus take an identifier that shows whose it is, too."""
        super().belong_to(orbiter_identifier)
        for member in self._members.values():
            member.belong_to(orbiter_identifier)

    @property
    def members(self) -> Mapping[str, EventBusClient]:
        """The client of each bus, by name. Use them only to read `is_connected` and `statistics`."""
        return MappingProxyType(self._members)

    @property
    def statistics(self) -> BusStatistics:
        """The counters. An event on more than one bus counts once here, and once in the counters of each bus."""
        counted = [member.statistics for member in self._members.values()]
        return replace(
            self._statistics,
            malformed=sum(one.malformed for one in counted),
            oversized=sum(one.oversized for one in counted),
            reconnections=sum(one.reconnections for one in counted),
        )

    @property
    def is_connected(self) -> bool:
        """Whether events can be exchanged at the moment on all buses."""
        return self._home.loop is not None and all(member.is_connected for member in self._members.values())

    def has_wills(self, bus: str | None = None) -> bool:
        """Return whether a bus, or without its name any of them, publishes wills for clients that are cut off."""
        return super().has_wills(bus) if bus is not None else any(one.has_wills() for one in self._members.values())

    def claim(self, owner: object) -> None:
        """Let one orbiter alone use this client and those that it is made of.

        Raises:
            OrbiterStateError: Another one uses one of them; then it has none of them.
        """
        try:
            for client in self._members.values():
                client.claim(owner)
            super().claim(owner)
        except OrbiterStateError:
            self.release(owner)
            raise

    def release(self, owner: object) -> None:
        """Let others use this client and those that it is made of."""
        for client in self._members.values():
            client.release(owner)
        super().release(owner)

    async def connect(self) -> None:
        """Connect to all buses, or to none. It does nothing if the client is connected already.

        Raises:
            BusUnavailableError: A bus cannot be reached.
            BusRefusedError: A bus refuses.
        """
        async with self._home.changing():
            if self._home.is_lost:
                self._let_go()
            if self._home.loop is not None:
                return
            for name, member in self._members.items():
                member.make_will = self._make_will
                member.on_lost = partial(self._report_loss, name)
            try:
                failures = await self._at_each({name: one.connect for name, one in self._members.items()})
                if failures:
                    raise _failure(failures)
            except BaseException:
                await self._leave()
                raise
            for member in self._members.values():
                member.on_reconnected = self._report_reconnection
            self._home.enter()

    async def disconnect(self) -> None:
        """Drop all subscriptions, cancel busy handlers, and leave all buses. It does nothing if not connected."""
        async with self._home.changing():
            if self._home.is_lost:
                self._let_go()
            if self._home.loop is None:
                return
            self._home.leave()
            try:
                await self._forget_all()
            finally:
                await self._leave()

    def is_busy(self, topic: str) -> bool:
        """Return whether events of a topic or filter are being handled or wait for it, on any bus."""
        return super().is_busy(topic) or any(member.is_busy(topic) for member in self._members.values())

    async def drained(self, topic: str) -> None:
        """Wait until no event of a topic or filter is being handled or waits for it, on any bus."""
        self._home.check()
        while self.is_busy(topic):
            for member in self._members.values():
                await member.drained(topic)
            await super().drained(topic)

    def _let_go(self) -> None:
        super()._let_go()
        for member in self._members.values():
            member.on_reconnected = member.on_lost = member.make_will = None
            member._let_go()

    async def _leave(self) -> None:
        for member in self._members.values():
            member.on_reconnected = member.on_lost = member.make_will = None
        failures = await self._at_each({name: one.disconnect for name, one in self._members.items()})
        if failures:
            raise _failure(failures)

    def _report_reconnection(self) -> None:
        if self.on_reconnected is not None:
            self.on_reconnected()

    def _report_loss(self, bus: str, _of_member: str | None) -> None:
        if self.on_lost is not None:
            self.on_lost(bus)

    def _make_will(self) -> LastWill | None:
        return None if self.make_will is None else self.make_will()

    def _client_on(self, bus: str) -> EventBusClient:
        if bus not in self._members:
            raise ValueError(f"{self!r} is on no bus called {bus!r}")
        return self._members[bus]

    def _start_publish(
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        return Later(self._publish, topic, event, channel, encoding)

    async def _publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        present = [name for name, member in self._members.items() if member.is_connected] or [*self._members]
        failures = await self._at_each(
            {name: partial(self._members[name].start_publish, topic, event, channel, encoding) for name in present}
        )
        self._check_all_but_absent(failures, len(present), f"publish to {topic!r}")

    async def check_may_publish(self, topic: str) -> None:
        """Ask each bus that is connected at the moment; one that refuses is named."""
        await super().check_may_publish(topic)
        present = {name: member for name, member in self._members.items() if member.is_connected}
        failures = await self._at_each(
            {name: partial(member.check_may_publish, topic) for name, member in present.items()}
        )
        self._check_all_but_absent(failures, len(present), f"ask for leave to publish to {topic!r}")

    def _route(self, subscription: Subscription) -> None:
        self._parts[subscription] = _Parts(subscription)

    def _unroute(self, subscription: Subscription) -> None:
        parts = self._parts.pop(subscription)
        for name in [*parts.by_bus]:
            self._drop(parts, name)

    def _start_subscribe(self, subscription: Subscription) -> Awaitable[None] | None:
        return Later(self._subscribe, subscription)

    async def _subscribe(self, subscription: Subscription) -> None:
        parts = self._parts[subscription]
        async with parts.changing:
            if subscription.is_closed:
                return
            names = [name for name in self._buses_of(subscription) if not self._part(parts, name).is_established]
            # A bus that is away gets all subscriptions when it is back. A caller who names one bus wants an error.
            on_all = None in subscription.buses
            asked = [name for name in names if self._members[name].is_connected or not on_all]
            failures = await self._at_each(
                {name: partial(self._members[name]._start_subscribe, parts.by_bus[name]) for name in asked}
            )
            try:
                self._check_all_but_absent(
                    failures, len(names) if on_all else 0, f"subscribe to {subscription.topic_filter!r}"
                )
            except BaseException:
                for name in names:
                    self._drop(parts, name)
                subscription.buses = frozenset(parts.by_bus)
                subscription.is_established = bool(parts.by_bus)
                done = [name for name in asked if name not in failures]
                await self._at_each(
                    {name: partial(self._members[name]._start_unsubscribe, [subscription]) for name in done}
                )
                raise
            for name in names:
                if name in parts.by_bus:
                    parts.by_bus[name].is_established = True

    def _start_unsubscribe(self, subscriptions: Sequence[Subscription]) -> Awaitable[None] | None:
        return Later(self._unsubscribe, subscriptions)

    async def _unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        ended = {name: [one for one in subscriptions if name in self._buses_of(one)] for name in self._members}
        failures = await self._at_each(
            {name: partial(self._members[name]._start_unsubscribe, those) for name, those in ended.items() if those}
        )
        if failures:
            raise _failure(failures)

    def _buses_of(self, subscription: Subscription) -> Collection[str]:
        if None in subscription.buses:
            return self._members
        return [name for name in self._members if name in subscription.buses]

    def _part(self, parts: _Parts, name: str) -> _Part:
        """Return what listens on one bus, made if there is none, with at least the quality of service of the whole."""
        part, wanted = parts.by_bus.get(name), parts.whole.quality_of_service
        member = self._members[name]
        if part is None:
            part = parts.by_bus[name] = _Part(parts, name, member)
            member._subscriptions[part.topic_filter] = part
            member._route(part)
        elif wanted > part.quality_of_service:
            part.quality_of_service = wanted
            part.is_established = False
        return part

    def _drop(self, parts: _Parts, name: str) -> None:
        part = parts.by_bus.pop(name, None)
        if part is not None:
            self._members[name]._forget(part)

    def _check_all_but_absent(self, failures: Mapping[str, Exception], attempts: int, action: str) -> None:
        """Raise what failed; where others of these attempts have succeeded, only warn of buses that are away."""
        if not failures:
            return
        if len(failures) < attempts and all(isinstance(one, BusUnavailableError) for one in failures.values()):
            self._complaints.warning(
                "%r could not %s on all buses: %s", self, action, _text(failures), bus=", ".join(failures)
            )
            return
        raise _failure(failures)

    @staticmethod
    async def _at_each(actions: Mapping[str, Callable[[], Awaitable[None] | None]]) -> dict[str, Exception]:
        """Have something done on several buses at the same time; return the failures by bus."""

        async def act(action: Callable[[], Awaitable[None] | None]) -> None:
            waiting = action()
            if waiting is not None:
                await waiting

        outcomes = await asyncio.gather(*map(act, actions.values()), return_exceptions=True)
        failures: dict[str, Exception] = {}
        for name, outcome in zip(actions, outcomes, strict=True):
            if isinstance(outcome, Exception):
                failures[name] = outcome
            elif outcome is not None:
                raise outcome
        return failures


class _Parts:
    """One subscription, and what of it listens on each bus."""

    def __init__(self, whole: Subscription) -> None:
        self.whole = whole
        self.by_bus: dict[str, _Part] = {}
        self.changing = asyncio.Lock()
        """Held while the buses are asked."""
        self._seen: dict[int, None] = {}
        """Hashes of publisher and identifier of the last events, oldest first."""

    def is_copy(self, event: Event[Any]) -> bool:
        """Return whether an event has come before; where only one bus is listened to, that is its own affair."""
        if len(self.by_bus) == 1:
            return False
        # Identifiers can be long, and hashes of texts cannot be guessed from outside the process.
        key = hash((event.publisher_identifier, event.identifier))
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return False


class _Part(Subscription):
    """Hands over to the whole, at once, what arrives on one bus."""

    __slots__ = ("_bus", "_parts")

    def __init__(self, parts: _Parts, bus: str, member: EventBusClient) -> None:
        whole = parts.whole
        intake = Intake(member.statistics, whole._intake.other_versions)
        super().__init__(whole.topic_filter, whole.handler, intake, whole.quality_of_service)
        self._parts = parts
        self._bus = bus

    def takes(self, topic: str, message_class: type[object]) -> bool:
        """Return whether messages of a class are of any use to the handler. Never raises."""
        return self._parts.whole.takes(topic, message_class)

    def tell_dropped(self, topic: str, event: Event[Any]) -> None:
        """Tell the handler that an event was dropped, unless it has come by another bus. Never raises."""
        if not self._parts.is_copy(event):
            self._parts.whole.tell_dropped(topic, event.coming_from(self._bus))

    def reader(self, topic: str, payload: UndecodedPayload) -> Callable[[], object] | None:
        """Return what reads a payload that was not decoded, if the handler knows. Never raises."""
        return self._parts.whole.reader(topic, payload)

    def offer(self, topic: str, event: Event[Any], length: int = 0) -> None:
        """Deliver an event; never raises."""
        if self.is_closed:
            return
        self._intake.statistics.received += 1
        if not self._parts.is_copy(event):
            self._parts.whole.offer(topic, event.coming_from(self._bus), length)


def _text(failures: Mapping[str, Exception]) -> str:
    """Return what failed, each with the name of its bus."""
    texts = ((name, str(error) or type(error).__name__) for name, error in failures.items())
    return "; ".join(text if name in text else f"{name}: {text}" for name, text in texts)


def _failure(failures: Mapping[str, Exception]) -> Exception:
    """Return what is to be raised: trying again helps only where it does on all buses."""
    for error in failures.values():
        if not isinstance(error, BusError):
            return error
    errors = [*failures.values()]
    first = next((error for error in errors if isinstance(error, BusRefusedError)), errors[0])
    combined = type(first)(_text(failures))
    combined.__cause__ = first
    return combined
