"""Wills: an orbiter leaves its own will with the bus, and listens for the wills of its remotes."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

from orbitalis.bus.client import LastWill
from orbitalis.errors import BusError
from orbitalis.log import FieldLogger
from orbitalis.message.event import READABLE_ENCODINGS, Event
from orbitalis.orbiter.channel_receiver import ChannelReceiver
from orbitalis.orbiter.role_calls import RoleCalls
from orbitalis.protocol.effects import WatchWill
from orbitalis_wire import PROTOCOL_VERSION, channels
from orbitalis_wire.messages import WillMessage
from orbitalis_wire.topics import WillTopic

if TYPE_CHECKING:
    from orbitalis.orbiter.runtime import Runtime

__all__ = ["Wills"]

_logger = FieldLogger(logging.getLogger(__name__))
_KEY: Final[Hashable] = ("wills",)
"""The queue for changes of subscriptions. It delays nothing else, and later changes are made together."""


class Wills:
    """Leaves the will of one orbiter with the bus, and listens for those of its remotes."""

    def __init__(self, runtime: Runtime, identifier: str, orbiter: object, calls: RoleCalls) -> None:
        """Serve the orbiter with this identifier; `calls` of its class say whether it is to leave a will."""
        self._runtime = runtime
        self._identifier = identifier
        self._orbiter = orbiter
        self._calls = calls
        self._receiver = _WillReceiver(self, runtime)
        self._wanted: dict[str, str | None] = {}
        """The remotes whose will is to be delivered, and the bus of each."""
        self.listening: dict[str, str | None] = {}
        """Those whose will is delivered, and by which bus."""
        self._changed: dict[str, None] = {}
        """Remotes of which these two may differ."""
        self._is_due = False

    def begin(self) -> None:
        """Leave a will with each connection that the client makes from now on; say so if it has made one before."""
        client = self._runtime.client
        for one in (self._wanted, self.listening, self._changed):
            one.clear()
        self._is_due = False
        client.make_will = self._make
        client.on_lost = self._lost
        if client.has_wills() and client.is_connected and self._calls.leaves_will(self._orbiter):
            _logger.info(
                "%s leaves no will, because its client was connected before it was started: if it crashes, its remotes "
                "notice only its silence. A client that the orbiter connects itself leaves one",
                self._identifier,
                extra={"orbiter": self._identifier},
            )

    def end(self) -> None:
        """Let go of the client."""
        self._runtime.client.make_will = self._runtime.client.on_lost = None

    def _make(self) -> LastWill | None:
        if not self._calls.leaves_will(self._orbiter):
            return None
        event = Event.create(
            WillMessage(from_identifier=self._identifier),
            publisher_identifier=self._runtime.client.identifier,
            protocol_version=PROTOCOL_VERSION,
            incarnation=self._runtime.incarnation,
            readable_encodings=READABLE_ENCODINGS,
        )
        topic = WillTopic.build(sender_identifier=self._identifier)
        return LastWill(topic=topic, event=event, channel=channels.WILL)

    # Those of remotes

    def watch(self, effect: WatchWill) -> None:
        """Start or stop to listen for the will of a remote, on its bus, if that bus has wills."""
        remote = effect.remote_identifier
        if not effect.is_wanted:
            if remote not in self._wanted:
                return
            del self._wanted[remote]
        else:
            bus = self._runtime.locator.bus_of(remote)
            if not self._runtime.client.has_wills(bus):
                return
            self._wanted[remote] = bus
        self._changed[remote] = None
        self._look_again()

    def reconnected(self) -> None:
        """Subscribe to what could not be subscribed to while the bus was away."""
        if self._changed:
            self._look_again()

    def counts(self, event: Event[Any]) -> bool:
        """Return whether a will comes over a connection that there still is."""
        return self._runtime.client.is_connected_to(event.origin)

    def _lost(self, bus: str | None) -> None:
        """Drop suspicions from a bus that is lost. It may have sent all wills because it ended."""
        runtime = self._runtime
        suspected = [remote for remote in runtime.machine.peers.suspected if self._wanted.get(remote) == bus]
        if suspected:
            runtime.submit(runtime.machine.cancel_suspicions(suspected))

    def _look_again(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._runtime.queues.submit(_KEY, self._follow)

    async def _follow(self) -> None:
        """Unsubscribe and subscribe to what has changed, all of it together."""
        self._is_due = False
        client = self._runtime.client
        changed, self._changed = self._changed, {}
        gone = [one for one in changed if one in self.listening and self._wanted.get(one, "") != self.listening[one]]
        if gone:
            for remote in gone:
                del self.listening[remote]
            waiting = client.start_unsubscribe([WillTopic.join(remote) for remote in gone])
            if waiting is not None:
                try:
                    await waiting
                except BusError as error:
                    self._runtime.complain("%s cannot unsubscribe from wills: %s", error)
        new: dict[str | None, list[str]] = {}
        for remote in changed:
            if remote in self._wanted and remote not in self.listening:
                new.setdefault(self._wanted[remote], []).append(remote)
        for bus, remotes in new.items():
            await self._listen(bus, remotes)

    async def _listen(self, bus: str | None, remotes: list[str]) -> None:
        client = self._runtime.client
        if not client.is_connected_to(bus):
            # A stop must not wait for a bus that is away.
            self._changed.update(dict.fromkeys(remotes))
            return
        topics = {WillTopic.join(remote): remote for remote in remotes}
        failures = await client.subscribe_each(
            [*topics], self._receiver, channels.WILL, bus=bus, context=self._runtime.queues.context
        )
        self.listening.update((remote, bus) for topic, remote in topics.items() if topic not in failures)
        for topic, error in failures.items():
            self._changed[topics[topic]] = None
            self._runtime.complain(
                "%s cannot get the will of %r, and notices its death only by its silence: %s",
                topics[topic],
                error,
                remote=topics[topic],
                topic=topic,
            )


class _WillReceiver(ChannelReceiver):
    """Takes the wills of remotes."""

    __slots__ = ("_wills",)

    def __init__(self, wills: Wills, runtime: Runtime) -> None:
        super().__init__(channels.WILL, runtime)
        self._wills = wills

    def begin(self, topic: str, event: Event[Any]) -> None:
        """Receive a will, or refuse what is none."""
        if self._wills.counts(event):
            super().begin(topic, event)
