"""Connections, pending requests and what is known of remotes, as the guide describes them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orbitalis import Connection, GracelessCloseConnectionMessage, Input, NoConnectionError, Output, PendingRequest
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs


def make(harness: Harness, **options: Any) -> tuple[TextCore, EchoPlugin]:
    """Return a core and a plugin for each other."""
    core = TextCore(
        identifier="core", eventbus_client=harness.client(), operation_requirements=needs(), with_loop=False, **options
    )
    return core, EchoPlugin(identifier="plugin", eventbus_client=harness.client(), with_loop=False)


async def connected(harness: Harness, core: TextCore, plugin: EchoPlugin) -> Connection:
    await harness.start(plugin, core)
    return await harness.connected(core, plugin, "text")


@pytest.mark.parametrize("gracefully", [True, False])
@pytest.mark.parametrize("side", list(Role))
async def test_all_topics_are_released_with_the_last_connection(harness: Harness, gracefully: bool, side: Role) -> None:
    def subscribed() -> list[str]:
        return sorted(subscription.topic_filter for subscription in harness._bus.subscriptions)

    core, plugin = make(harness)
    core.operation_requirements["more"] = needs()["text"]
    plugin.with_operation("more", plugin.operations["text"])
    await harness.start(plugin)
    requirements, core.operation_requirements = core.operation_requirements, {}
    await harness.start(core)
    alone = subscribed()
    core.operation_requirements = requirements
    await core.send_discover_based_on_requirements()
    for name in requirements:
        await harness.connected(core, plugin, name)
    both = subscribed()
    assert len(both) == len(alone) + 8  # two connections, each with a topic for data and one for closes at either side
    orbiter, remote = (core, "plugin") if side is Role.CORE else (plugin, "core")
    close = orbiter.send_graceful_close_connection if gracefully else orbiter.send_graceless_close_connection
    requirements.clear()
    await close(remote, "text")
    await harness.idle()
    assert len(subscribed()) == len(alone) + 4
    assert core.remote_identifiers == {"plugin"}
    await close(remote, "more")
    await harness.idle()
    assert subscribed() == alone
    assert core.remote_identifiers == plugin.remote_identifiers == set()


async def test_a_close_on_this_side_alone_tells_the_remote_nothing_until_the_next_keepalives(harness: Harness) -> None:
    core, plugin = make(harness)
    connection = await connected(harness, core, plugin)
    core.operation_requirements.clear()
    await core._close_self_side_connection("plugin", "text")
    await harness.idle()
    assert not connection.is_open
    assert core.retrieve_connections() == []
    assert core.closed == [("plugin", None)]
    assert len(harness.recording.of(GracelessCloseConnectionMessage)) == 0
    assert len(plugin.retrieve_connections()) == 1
    with pytest.raises(NoConnectionError, match="no connection with 'plugin' for operation 'text'"):
        await core._close_self_side_connection("plugin", "text")
    # What one side alone believes in does not last.
    for _ in range(2):
        await harness.advance(5)
        await plugin.send_keepalive("core")
        await core.send_keepalive("plugin")
        await harness.idle()
    assert plugin.retrieve_connections() == []


async def test_a_close_on_this_side_alone_ends_one_that_is_closing(harness: Harness) -> None:
    core, plugin = make(harness)
    connection = await connected(harness, core, plugin)
    await plugin.eventbus_client.unsubscribe()
    await core.send_graceful_close_connection("plugin", "text")
    assert connection.is_soft_closed
    await core._close_self_side_connection("plugin", "text")
    assert core.remote_identifiers == set()
    assert not connection.is_soft_closed


async def test_the_connections_are_found_by_remote_and_operation(harness: Harness) -> None:
    core, plugin = make(harness)
    connection = await connected(harness, core, plugin)
    assert core._connections == {"plugin": {"text": connection}}
    assert core._connections_by_remote_identifier("plugin") == {"text": connection}
    assert [set(found) for found in plugin._connections.values()] == [{"text"}]


async def test_what_is_known_of_remotes_can_be_looked_up(harness: Harness) -> None:
    core, plugin = make(harness, consider_others_dead_after=50.0)
    assert core._last_seen == core._last_keepalive_sent == core._remote_keepalive_topics == {}
    await connected(harness, core, plugin)
    assert core._others_considers_me_dead_after == {"plugin": 120.0}
    assert plugin._others_considers_me_dead_after == {"core": 50.0}
    assert core._remote_keepalive_topics == {"plugin": "orbitalis/plugin/core/keepalive"}
    assert plugin._remote_keepalive_request_topics == {"core": "orbitalis/core/plugin/keepalive-request"}
    await harness.advance(30)
    ago = timedelta(seconds=30)
    slack = timedelta(seconds=2)
    assert abs(datetime.now(UTC) - core._last_seen["plugin"] - ago) < slack
    await core.send_keepalive("plugin")
    await harness.idle()
    assert abs(datetime.now(UTC) - core._last_keepalive_sent["plugin"]) < slack
    assert abs(datetime.now(UTC) - plugin._last_seen["core"]) < slack
    core.have_seen("plugin")
    assert abs(datetime.now(UTC) - core._last_seen["plugin"]) < slack


async def test_a_pending_request_says_what_its_connection_will_be(harness: Harness) -> None:
    core, plugin = make(harness)
    seen: list[PendingRequest] = []
    entered, released = asyncio.Event(), asyncio.Event()

    async def wait(*args: Any) -> None:
        entered.set()
        await released.wait()

    async def note(pending_request: PendingRequest) -> None:
        seen.append(pending_request)

    setattr(plugin, "_setup_operation", wait)  # noqa: B010
    setattr(plugin, "_on_promote_pending_request_to_connection", note)  # noqa: B010
    await harness.start(plugin, core)
    await entered.wait()
    (pending,) = plugin._pending_requests_by_remote_identifier("core").values()
    async with pending.lock:
        assert (pending.operation_name, pending.remote_identifier) == ("text", "core")
        assert pending.input.is_compatible(Input.string())
        assert pending.output.is_compatible(Output.string())
    topics = (pending.input_topic, pending.output_topic, pending.incoming_close_connection_topic)
    assert all(topics)
    assert pending.close_connection_to_remote_topic
    assert abs(pending.created_at - datetime.now(UTC)) < timedelta(seconds=2)
    released.set()
    await harness.connected(core, plugin, "text")
    (connection,) = plugin.retrieve_connections()
    assert seen == [pending]
    assert topics == (connection.input_topic, connection.output_topic, connection.incoming_close_connection_topic)


async def test_the_handler_finds_its_connection_by_the_topic(harness: Harness) -> None:
    found: list[Connection] = []

    class Finding(EchoPlugin):
        async def give_back(self, topic: str, event: Any) -> None:
            found.append(self._find_connection_or_fail(topic, "text"))
            found.extend(self.retrieve_connections(input_topic=topic, operation_name="text"))
            found.extend(await self.retrieve_and_touch_connections(operation_name="text", input_topic=topic))

    core, _ = make(harness)
    plugin = Finding(identifier="plugin", eventbus_client=harness.client())
    await connected(harness, core, plugin)
    (connection,) = plugin.retrieve_connections()
    await harness.advance(10)
    await core.execute("text", "x", any=True)
    await harness.idle()
    assert found == [connection] * 3
    assert abs(datetime.now(UTC) - connection.last_use) < timedelta(seconds=2)


async def test_a_message_of_the_handshake_counts_as_a_sign_of_life(harness: Harness) -> None:
    core, plugin = make(harness)
    await connected(harness, core, plugin)
    await harness.advance(100)
    core.operation_requirements["more"] = needs()["text"]
    plugin.with_operation("more", plugin.operations["text"])
    await core.send_discover_based_on_requirements()
    await harness.connected(core, plugin, "more")
    assert abs(datetime.now(UTC) - core._last_seen["plugin"]) < timedelta(seconds=2)
    assert abs(datetime.now(UTC) - plugin._last_seen["core"]) < timedelta(seconds=2)


async def test_an_input_without_a_connection_is_not_handled(harness: Harness) -> None:
    core, plugin = make(harness)
    connection = await connected(harness, core, plugin)
    assert connection.input_topic is not None
    core.operation_requirements.clear()
    await core.send_graceless_close_connection("plugin", "text")
    await core.sudo_execute(connection.input_topic, "x")
    await harness.idle()
    assert plugin.received == []
    assert [slot.state for slot in plugin._machine.slots] == []
    assert SlotState.OPEN not in [slot.state for slot in core._machine.slots]
