"""A bus that was away for long: what is said again and again has not piled up, and who was away looks around."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from orbitalis.bus import LocalEventBusClient
from orbitalis.errors import BusUnavailableError
from orbitalis.message.event import Event
from orbitalis.testing import Harness
from orbitalis_wire.channels import Channel
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.messages import DiscoverMessage, KeepaliveMessage, KeepaliveRequestMessage
from tests.support.orbiters import EchoPlugin, TextCore, needs


class CutOffClient(LocalEventBusClient):
    """A client that waits for its bus, and gives each event up after ten seconds, as that of a broker does."""

    def __init__(self, harness: Harness) -> None:
        """Make a client that has its bus."""
        super().__init__(harness.bus)
        self.is_back = asyncio.Event()
        self.is_back.set()

    def _start_publish(  # type: ignore[override]  # the bus of this one takes time
        self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding
    ) -> Awaitable[None] | None:
        if self.is_back.is_set():
            return super()._start_publish(topic, event, channel, encoding)
        return self._publish_later(topic, event, channel, encoding)

    async def _publish_later(self, topic: str, event: Event[Any], channel: Channel, encoding: Encoding) -> None:
        try:
            async with asyncio.timeout(10):
                await self.is_back.wait()
        except TimeoutError:
            raise BusUnavailableError("the bus is away") from None
        super()._start_publish(topic, event, channel, encoding)


async def test_discovers_do_not_pile_up(harness: Harness) -> None:
    client = CutOffClient(harness)
    core = TextCore(identifier="core", eventbus_client=client, operation_requirements=needs())
    await harness.start(core)
    client.is_back.clear()
    before = len(harness.recording.of(DiscoverMessage))

    await harness.advance(600)
    assert core._runtime.queues.waiting <= 1
    assert len(harness.recording.of(DiscoverMessage)) == before

    client.is_back.set()
    await harness.advance(0.1)
    assert len(harness.recording.of(DiscoverMessage)) - before <= 2


async def test_signs_of_life_do_not_pile_up(harness: Harness) -> None:
    client = CutOffClient(harness)
    core = TextCore(
        identifier="core",
        eventbus_client=client,
        operation_requirements=needs(),
        consider_others_dead_after=None,
        discovering_interval_when_compliant=3600.0,
    )
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client(), consider_others_dead_after=12.0)
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    # The core goes on to hear the plugin, which has its bus, and to owe it signs of life.
    client.is_back.clear()
    plugin.consider_others_dead_after = None
    before = len(harness.recording.of(KeepaliveMessage).on("orbitalis/plugin/core/keepalive"))

    await harness.advance(600)
    assert core._runtime.queues.waiting <= 1

    client.is_back.set()
    await harness.advance(0.1)
    assert len(harness.recording.of(KeepaliveMessage).on("orbitalis/plugin/core/keepalive")) - before <= 2


@pytest.mark.parametrize("who", ["core", "plugin"])
async def test_what_both_sides_believe_is_compared_as_soon_as_the_bus_is_back(harness: Harness, who: str) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    await harness.start(plugin, core)
    await harness.connected(core, plugin)
    await harness.advance(20)
    before = len(harness.recording)

    client = (core if who == "core" else plugin).eventbus_client
    assert client.on_reconnected is not None
    client.on_reconnected()
    await harness.idle()

    # Who was away says what it has, and asks for what the other one has.
    sent = harness.recording[before:]
    assert {one.payload.from_identifier for one in sent.of(KeepaliveMessage)} == {"core", "plugin"}
    assert [one.payload.from_identifier for one in sent.of(KeepaliveRequestMessage)] == [who]


async def test_what_cannot_be_sent_is_told_in_a_line(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    client = CutOffClient(harness)
    core = TextCore(identifier="core", eventbus_client=client, operation_requirements=needs())
    await harness.start(core)
    client.is_back.clear()

    await harness.advance(30)

    told = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert "core could not send a DiscoverMessage to everybody: the bus is away" in [one.getMessage() for one in told]
    assert not [record for record in told if record.exc_info]
    client.is_back.set()
