"""Outputs that a plugin sends as soon as it has a connection, ahead of the confirm that tells the core of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from orbitalis import PendingRequest
from orbitalis.testing import Harness
from orbitalis_wire.messages import ConfirmConnectionMessage, StringMessage
from tests.support.orbiters import EchoPlugin, TextCore, needs


@dataclass
class Greeter(EchoPlugin):
    """Sends texts on each connection before anything else, and confirms it when it may."""

    greetings: tuple[str, ...] = ("one", "two", "three")
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    may: asyncio.Event = field(default_factory=asyncio.Event)

    async def _on_promote_pending_request_to_connection(self, pending_request: PendingRequest) -> None:
        connections = self.retrieve_connections(remote_identifier=pending_request.remote_identifier)
        for greeting in self.greetings:
            await self.send_result_to_all(connections, greeting)
        self.greeted.set()
        await self.may.wait()


async def begin(harness: Harness, **options: Any) -> tuple[TextCore, Greeter]:
    """Return a core that waits for the confirm of a plugin that has greeted it."""
    core = TextCore(
        identifier="core", eventbus_client=harness.client(), operation_requirements=needs(maximum=1), **options
    )
    plugin = Greeter(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await plugin.greeted.wait()
    await harness.advance(0.5)
    return core, plugin


async def test_what_comes_before_the_confirm_is_delivered_after_it_and_before_what_follows(harness: Harness) -> None:
    core, plugin = await begin(harness)
    assert len(harness.recording.of(ConfirmConnectionMessage)) == 0
    assert core.texts == []
    plugin.may.set()
    await harness.connected(core, plugin, "text")
    await core.execute("text", "four", any=True)
    await harness.advance(1)
    assert core.texts == ["one", "two", "three", "four"]
    assert core._runtime.delivery._undecided == {}
    assert core.statistics.missing == core.statistics.duplicates == 0


async def test_what_comes_twice_before_the_confirm_is_delivered_once(harness: Harness) -> None:
    core, plugin = await begin(harness)
    for sent in [sent for sent in harness.recording if "/output/" in sent.topic]:
        await harness.publish(sent.topic, sent.event)
    plugin.may.set()
    await harness.connected(core, plugin, "text")
    await core.execute("text", "four", any=True)
    await harness.advance(1)
    assert core.texts == ["one", "two", "three", "four"]
    assert (core.statistics.missing, core.statistics.duplicates) == (0, 3)


async def test_what_comes_right_before_the_confirm_is_delivered(harness: Harness) -> None:
    class Quick(EchoPlugin):
        async def _on_promote_pending_request_to_connection(self, pending_request: PendingRequest) -> None:
            (one,) = self.retrieve_connections()
            assert one.output_topic is not None
            # Without a pause, so that both come in one go.
            assert self._runtime.publisher.send(one.output_topic, StringMessage(value="at once"), one.headers) is None

    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    plugin = Quick(identifier="plugin", eventbus_client=harness.client())
    await harness.start(plugin, core)
    await harness.connected(core, plugin, "text")
    await harness.idle()
    assert core.texts == ["at once"]


async def test_what_comes_before_a_confirm_that_never_comes_is_given_up_with_the_request(harness: Harness) -> None:
    core, plugin = await begin(harness, pending_requests_expire_after=20.0)
    data_topic = next(iter(core._machine.slots)).data_topic
    assert data_topic is not None
    assert core.eventbus_client.is_busy(data_topic)
    await harness.advance(21)
    assert core._runtime.delivery._undecided == {}
    assert not core.eventbus_client.is_busy(data_topic)
    assert core.texts == []
    plugin.greetings = ("of another connection",)
    plugin.may.set()
    await harness.advance(1)
    assert core.texts == ["of another connection"]


async def test_a_graceful_close_that_follows_the_confirm_loses_nothing_that_came_before_it(harness: Harness) -> None:
    core, plugin = await begin(harness)
    closing = asyncio.create_task(plugin.send_graceful_close_connection("core", "text"))
    await harness.advance(1)
    plugin.may.set()
    await harness.advance(1)
    await closing
    assert core.texts[:3] == ["one", "two", "three"]
    assert core.closed == [("plugin", None)]


async def test_a_core_that_stops_lets_go_of_what_has_come_before_a_confirm(harness: Harness) -> None:
    core, plugin = await begin(harness)
    await core.stop()
    assert core._runtime.delivery._undecided == {}
    assert core.texts == []
    plugin.may.set()
