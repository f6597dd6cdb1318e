"""The harness, without pytest's help: what it starts, sends and waits for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from orbitalis.testing import Harness
from orbitalis_wire.messages import (
    AnnounceMessage,
    ConfirmConnectionMessage,
    DiscoverMessage,
    KeepaliveMessage,
    OfferMessage,
    RequestOperationMessage,
    StringMessage,
)
from tests.testing.lowercase import Lowercase, failure_of, make_core, make_plugin, with_harness


@with_harness
async def test_a_handshake_and_an_output(harness: Harness) -> None:
    plugin, core = make_plugin(harness), make_core(harness)

    await harness.start(plugin, core)
    await harness.compliant(core)
    connection = await harness.connected(core, plugin, "lowercase")
    await core.execute("lowercase", "HELLO", any=True)
    output = await harness.output(core, "lowercase")

    assert connection.remote_identifier == "plugin"
    assert output.payload == StringMessage(value="hello")
    assert core.read == ["hello"]
    assert harness.time == 0
    assert [type(payload) for payload in harness.recording.payloads] == [
        AnnounceMessage,
        DiscoverMessage,
        OfferMessage,
        RequestOperationMessage,
        ConfirmConnectionMessage,
        StringMessage,
        StringMessage,
    ]


@with_harness
async def test_orbiters_can_be_started_in_any_order(harness: Harness) -> None:
    plugin, core = make_plugin(harness), make_core(harness)

    await harness.start(core)
    await harness.idle()
    assert not core.is_compliant()
    await harness.start(plugin)
    await harness.compliant(core)

    assert harness.time == 0


@with_harness
async def test_outputs_come_one_after_the_other(harness: Harness) -> None:
    core = make_core(harness, minimum=2)
    await harness.start(core, make_plugin(harness, "one"), make_plugin(harness, "two", takes=3.0))
    await harness.compliant(core)
    asked_at = harness.time

    await core.execute("lowercase", "A", all=True)
    await core.execute("lowercase", "B", plugin_identifier="one")

    first = await harness.output(core, "lowercase")
    assert harness.time - asked_at == 3, "whatever else is in flight has arrived"
    others = [await harness.output(core, "lowercase") for _ in range(2)]
    assert sorted(event.payload.value for event in (first, *others)) == ["a", "a", "b"]
    assert "no further output of lowercase after 60 s, 3 before" in await failure_of(harness.output(core, "lowercase"))


@with_harness
async def test_idle_waits_for_handlers_that_take_time(harness: Harness) -> None:
    core = make_core(harness)
    await harness.start(make_plugin(harness, takes=7.0), core)
    await harness.compliant(core)

    await core.execute("lowercase", "A", any=True)
    assert core.read == []
    await harness.idle()

    assert core.read == ["a"]
    assert harness.time == 7


@with_harness
async def test_idle_waits_for_hooks_that_take_time(harness: Harness) -> None:
    @dataclass
    class Slow(Lowercase):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            await asyncio.sleep(4)

    core = make_core(harness)
    await harness.start(Slow(identifier="slow", eventbus_client=harness.client()), core)

    await harness.idle()

    assert core.is_compliant()
    assert harness.time == 4


@with_harness
async def test_idle_says_what_is_still_in_flight(harness: Harness) -> None:
    core = make_core(harness)
    await harness.start(make_plugin(harness, takes=100.0), core)
    await harness.compliant(core)
    await core.execute("lowercase", "A", any=True)

    failure = await failure_of(harness.idle(timeout=10))

    assert failure.startswith("something is still in flight after 10 s:\n  events of orbitalis/plugin/core/")
    assert "await asyncio.sleep(self.takes)" in failure
    await harness.idle(timeout=100)


@with_harness
async def test_hours_pass_at_once_and_keepalives_with_them(harness: Harness) -> None:
    plugin, core = make_plugin(harness), make_core(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)
    began = time.monotonic()

    await harness.advance(2 * 3600)

    assert harness.time == 2 * 3600
    assert time.monotonic() - began < 60
    assert core.is_compliant()
    for topic in ("orbitalis/core/plugin/keepalive", "orbitalis/plugin/core/keepalive"):
        assert len(harness.recording.of(KeepaliveMessage).on(topic)) >= 2 * 3600 / 120


@with_harness
async def test_a_remote_is_dead_after_120_seconds_of_silence(harness: Harness) -> None:
    plugin, core = make_plugin(harness), make_core(harness)
    await harness.start(plugin, core)
    await harness.compliant(core)

    await plugin.eventbus_client.disconnect()
    await harness.advance(119)
    assert core.is_compliant()
    await harness.advance(3)

    assert not core.is_compliant()


@with_harness
async def test_strangers_can_send(harness: Harness) -> None:
    core = make_core(harness)
    await harness.start(core)
    await harness.publish(core.offer_topic, "not an offer")
    await harness.idle()

    (sent,) = harness.recording.on(core.offer_topic)
    assert sent.event.publisher_identifier == "harness"
    assert sent.payload == StringMessage(value="not an offer")
