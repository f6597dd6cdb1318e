"""The attributes of orbiters: their defaults, which are the guide's, and what they do. All times are in seconds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orbitalis import DiscoverMessage, KeepaliveMessage, KeepaliveRequestMessage
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs

SHARED = {
    "discover_topic": "$handshake.discover",
    "raise_exceptions": False,
    "loop_interval": 1.0,
    "with_loop": True,
    "close_connection_if_unused_after": None,
    "pending_requests_expire_after": 60.0,
    "consider_others_dead_after": 120.0,
    "send_keepalive_before_timelimit": 10.0,
    "graceful_close_timeout": 300.0,
}


def core_of(harness: Harness, **options: Any) -> TextCore:
    options = {"identifier": "core", "operation_requirements": needs(), **options}
    return TextCore(eventbus_client=harness.client(), **options)


def plugin_of(harness: Harness, **options: Any) -> EchoPlugin:
    return EchoPlugin(eventbus_client=harness.client(), **{"identifier": "plugin", **options})


async def connected(harness: Harness, core: TextCore, plugin: EchoPlugin) -> None:
    await harness.start(plugin, core)
    await harness.connected(core, plugin, "text")


@pytest.mark.parametrize(("name", "value"), SHARED.items())
async def test_the_defaults_are_those_of_the_guide(harness: Harness, name: str, value: object) -> None:
    assert getattr(core_of(harness), name) == value
    assert getattr(plugin_of(harness), name) == value


async def test_the_defaults_of_a_core_are_those_of_the_guide(harness: Harness) -> None:
    core = TextCore(eventbus_client=harness.client())
    assert core.discovering_interval == 2.0
    assert core.operation_requirements == {}
    assert not core.compliant_event.is_set()
    assert not core.not_compliant_event.is_set()


async def test_only_those_with_the_same_discover_topic_find_each_other(harness: Harness) -> None:
    topics = {"discover_topic": "house/discover", "announce_topic": "house/announce"}
    plugin, other = plugin_of(harness, **topics), plugin_of(harness, identifier="other")
    core = core_of(harness, **topics)
    await connected(harness, core, plugin)
    await harness.start(other)
    await harness.advance(30)
    assert core.remote_identifiers == {"plugin"}
    assert {sent.topic for sent in harness.recording.of(DiscoverMessage)} == {"house/discover"}


async def test_the_interval_of_the_loop_is_a_minimum(harness: Harness) -> None:
    at: list[float] = []

    class Slow(EchoPlugin):
        async def _on_loop_iteration(self) -> None:
            at.append(harness.time)
            await asyncio.sleep(0.5)

    await harness.start(Slow(eventbus_client=harness.client(), loop_interval=2.0))
    await harness.advance(8)
    assert at == [0.0, 2.5, 5.0, 7.5]


async def test_a_core_discovers_in_its_interval(harness: Harness) -> None:
    await harness.start(core_of(harness, discovering_interval=5.0))
    await harness.advance(16)
    assert [sent.time for sent in harness.recording.of(DiscoverMessage)] == pytest.approx([0.0, 5.0, 10.0, 15.0])


async def test_a_request_that_nobody_answers_expires(harness: Harness) -> None:
    core, plugin = core_of(harness), plugin_of(harness, pending_requests_expire_after=20.0)
    await harness.start(plugin)
    await plugin.send_offer("orbitalis/core/plugin/offer", "core", ["text"])
    await harness.advance(19)
    assert plugin._is_pending("core", "text")
    await harness.advance(2)
    assert not plugin._is_pending("core", "text")
    assert not core.is_running


async def test_an_unused_connection_is_closed_after_its_time_and_a_used_one_is_not(harness: Harness) -> None:
    core = core_of(harness, close_connection_if_unused_after=100.0, discovering_interval=1000.0)
    plugin = plugin_of(harness)
    await connected(harness, core, plugin)
    await harness.advance(90)
    await core.execute("text", "x", any=True)
    await harness.advance(90)
    assert core.closed == []
    await harness.advance(12)
    assert core.closed == [("plugin", None)]


async def test_the_time_of_unused_connections_may_be_changed_for_those_that_there_are(harness: Harness) -> None:
    core, plugin = core_of(harness, discovering_interval=1000.0), plugin_of(harness)
    await connected(harness, core, plugin)
    await harness.advance(500)
    assert await core.close_unused_connections() == 0
    core.close_connection_if_unused_after = 100.0
    assert await core.close_unused_connections() == 1
    await harness.idle()
    assert plugin.retrieve_connections() == []


async def test_the_time_of_a_graceful_close_may_be_changed_while_it_is_under_way(harness: Harness) -> None:
    core, plugin = core_of(harness, graceful_close_timeout=None, discovering_interval=1000.0), plugin_of(harness)
    await connected(harness, core, plugin)
    await plugin.eventbus_client.unsubscribe()
    await core.send_graceful_close_connection("plugin", "text")
    await harness.advance(50)
    assert core.remote_identifiers == {"plugin"}
    core.graceful_close_timeout = 40.0
    await harness.advance(2)
    assert core.remote_identifiers == set()


async def test_the_time_of_pending_requests_may_be_changed_for_those_that_there_are(harness: Harness) -> None:
    plugin = plugin_of(harness, pending_requests_expire_after=None)
    await harness.start(plugin)
    await plugin.send_offer("orbitalis/core/plugin/offer", "core", ["text"])
    await harness.advance(1000)
    assert plugin._is_pending("core", "text")
    plugin.pending_requests_expire_after = 500.0
    assert await plugin.discard_expired_pending_requests() == 1


def keepalives_of_plugin(harness: Harness) -> list[float]:
    """Return when the plugin gave the core a sign of life."""
    return [sent.time for sent in harness.recording.of(KeepaliveMessage).on("orbitalis/core/+/keepalive")]


async def test_a_keepalive_is_sent_so_long_before_the_other_side_would_give_up(harness: Harness) -> None:
    core = core_of(harness, consider_others_dead_after=60.0)
    plugin = plugin_of(harness, send_keepalive_before_timelimit=15.0)
    await connected(harness, core, plugin)
    await harness.advance(200)
    assert keepalives_of_plugin(harness) == pytest.approx([45.0, 90.0, 135.0, 180.0])
    assert core.remote_identifiers == {"plugin"}


async def test_keepalives_by_threshold_wait_for_it_and_others_do_not(harness: Harness) -> None:
    core, plugin = core_of(harness, with_loop=False), plugin_of(harness, with_loop=False)
    await connected(harness, core, plugin)
    await harness.advance(100)
    await plugin.send_keepalive_based_on_connections_and_threshold()
    assert keepalives_of_plugin(harness) == []
    await plugin.send_all_keepalive_based_on_connections()
    await harness.advance(109)
    await plugin.send_keepalive_based_on_connections_and_threshold()
    assert keepalives_of_plugin(harness) == [100.0]
    await harness.advance(2)
    await plugin.send_keepalive_based_on_connections_and_threshold()
    assert keepalives_of_plugin(harness) == [100.0, 211.0]


async def test_a_remote_that_is_silent_for_too_long_is_dead(harness: Harness) -> None:
    core, plugin = core_of(harness, consider_others_dead_after=30.0, with_loop=False), plugin_of(harness)
    await connected(harness, core, plugin)
    await plugin.eventbus_client.disconnect()
    assert core.dead_remote_identifiers == []
    await harness.advance(31)
    assert core.dead_remote_identifiers == ["plugin"]
    assert len(harness.recording.of(KeepaliveRequestMessage)) == 0
