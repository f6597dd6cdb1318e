"""What orbiters read, and in which version of the envelope they write to each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orbitalis.bus import LocalEventBusClient
from orbitalis.message import Event
from orbitalis.testing import Harness
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import DiscoverMessage, OfferMessage
from tests.support.orbiters import EchoPlugin, TextCore, needs


class NotingClient(LocalEventBusClient):
    """A client that notes in which encoding each event would be written, and can say that it reads less."""

    def __init__(self, harness: Harness, readable: tuple[str, ...] | None = None) -> None:
        """Make a client of the harness's bus; its events list `readable`, if that is given."""
        super().__init__(harness.bus)
        self._readable = readable
        self.sent: list[tuple[Event[Any], Encoding]] = []

    def _start_publish(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        self.sent.append((event, encoding))
        if self._readable is not None:
            envelope = replace(event.envelope, readable_encodings=self._readable)
            event = Event(payload=event.payload, envelope=envelope)
        super()._start_publish(topic, event, channel, encoding)

    def encodings_of(self, kind: type[object] | None) -> list[Encoding]:
        """Return the encodings of messages of a class, or of bare texts."""
        return [encoding for event, encoding in self.sent if kind is None or type(event.payload) is kind]


async def connected(harness: Harness, readable: tuple[str, ...] | None) -> tuple[NotingClient, NotingClient]:
    """Let a core that lists what it reads, and a plugin, connect; return their clients."""
    mine, theirs = NotingClient(harness, readable), NotingClient(harness)
    plugin = EchoPlugin(identifier="plugin", eventbus_client=theirs)
    core = TextCore(identifier="core", eventbus_client=mine, operation_requirements=needs())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    return mine, theirs


async def test_an_orbiter_lists_every_version_of_the_envelope(harness: Harness) -> None:
    mine, theirs = await connected(harness, None)

    listed = {event.readable_encodings for event, _ in (*mine.sent, *theirs.sent)}
    assert listed == {tuple(encoding.value for encoding in Encoding)}
    assert mine.encodings_of(DiscoverMessage)[0] is Encoding.JSON
    assert theirs.encodings_of(OfferMessage) == [Encoding.AVRO]


async def test_a_peer_of_version_1_0_is_written_that(harness: Harness) -> None:
    _, theirs = await connected(harness, ("json", Encoding.AVRO_1_0.value))

    assert theirs.encodings_of(OfferMessage) == [Encoding.AVRO_1_0]
    assert Encoding.AVRO not in theirs.encodings_of(None)


async def test_a_peer_that_lists_nothing_is_written_json(harness: Harness) -> None:
    _, theirs = await connected(harness, ())

    assert set(theirs.encodings_of(None)) == {Encoding.JSON}
