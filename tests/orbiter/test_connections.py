"""Connections: found by what they are, used, closed, and told of when they are new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from orbitalis import Input, Operation, Output
from orbitalis.bus import LocalEventBus
from orbitalis.core import OperationRequirement
from orbitalis.errors import NoConnectionError, RemoteProtocolError
from orbitalis.operations.constraint import Constraint
from orbitalis.orbiter import Connection
from orbitalis.orbiter.connection_added_event import ConnectionAddedEvent
from orbitalis.testing import Harness
from orbitalis_wire.messages import Int64Message, StringMessage
from tests.support.events import Collector, until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, core_on, needs, on, plugin_on, running


@asynccontextmanager
async def two_and_two(bus: LocalEventBus) -> AsyncIterator[tuple[TextCore, list[EchoPlugin]]]:
    """Run a core with two plugins that have two operations each."""
    constraint = Constraint(inputs=[Input.no_input()], outputs=[Output.int64()], minimum=1)
    requirements = {**needs(), "report": OperationRequirement(constraint)}
    core = core_on(bus, operation_requirements=requirements)
    plugins = [
        plugin_on(bus, name).with_operation("report", Operation(name="report", output=Output.int64()))
        for name in ("a", "b")
    ]
    async with running(*plugins, core):
        for operation_name in requirements:
            await all_connected(core, plugins, operation_name)
        for plugin in plugins:
            await until(partial(has_two, plugin))
        yield core, plugins


def has_two(plugin: EchoPlugin) -> bool:
    return len(plugin.retrieve_connections()) == 2


def found(orbiter: Any, **query: Any) -> set[tuple[str, str]]:
    return {(one.remote_identifier, one.operation_name) for one in orbiter.retrieve_connections(**query)}


async def test_connections_are_found_by_any_of_their_properties(bus: LocalEventBus) -> None:
    async with two_and_two(bus) as (core, plugins):
        a_text, a_report, b_text, b_report = ("a", "text"), ("a", "report"), ("b", "text"), ("b", "report")
        assert found(core) == {a_text, a_report, b_text, b_report}
        assert found(core, remote_identifier="a") == {a_text, a_report}
        assert found(core, remote_identifier="nobody") == set()
        assert found(core, operation_name="text") == {a_text, b_text}
        assert found(core, operation_name="text", remote_identifier="b") == {b_text}
        assert found(core, input=Input.string()) == {a_text, b_text}
        assert found(core, input=Input.no_input()) == {a_report, b_report}
        assert found(core, output=Output.int64()) == {a_report, b_report}
        assert found(core, output=Output.string(), remote_identifier="a") == {a_text}
        assert found(core, input=Input.int64()) == set()
        (connection,) = core.retrieve_connections(remote_identifier="a", operation_name="text")
        assert found(core, input_topic=connection.input_topic) == {a_text}
        assert found(core, output_topic=connection.output_topic) == {a_text}
        assert found(core, input_topic=connection.input_topic, output_topic=connection.output_topic) == {a_text}
        assert found(core, input_topic=connection.input_topic, remote_identifier="b") == set()
        assert found(core, input_topic=connection.output_topic) == set()
        assert found(core, input_topic="elsewhere") == set()
        assert found(plugins[0], input_topic=connection.input_topic) == {("core", "text")}
        assert core.remote_identifiers == {"a", "b"}
        assert set(core._connections_by_remote_identifier("a")) == {"text", "report"}
        assert core._connections_by_remote_identifier("nobody") == {}


async def test_the_one_connection_of_a_topic_is_found_or_it_fails(bus: LocalEventBus) -> None:
    async with two_and_two(bus) as (_, (plugin, _)):
        (connection,) = plugin.retrieve_connections(operation_name="text")
        assert connection.input_topic is not None
        assert plugin._find_connection_or_fail(connection.input_topic, "text") is connection
        with pytest.raises(NoConnectionError, match="'a' has 0 connections for operation 'report' on input topic"):
            plugin._find_connection_or_fail(connection.input_topic, "report")


async def test_more_than_one_connection_of_a_topic_fails_too(bus: LocalEventBus) -> None:
    class OneTopic(EchoPlugin):
        def _build_operation_input_topic_for_core(
            self, core_identifier: str, operation_name: str, connection_identifier: str
        ) -> str:
            return f"inputs/{operation_name}"

    plugin = OneTopic(identifier="plugin", eventbus_client=plugin_on(bus).eventbus_client, with_loop=False)
    cores = [core_on(bus, name) for name in ("one", "two")]
    async with running(plugin, *cores):
        for core in cores:
            await all_connected(core, [plugin])
        await until(lambda: len(plugin.retrieve_connections(input_topic="inputs/text")) == 2)
        with pytest.raises(NoConnectionError, match="has 2 connections"):
            plugin._find_connection_or_fail("inputs/text", "text")
        await cores[0].execute("text", "x", any=True)
        await until(lambda: plugin.received == ["x"])
        # One close does not take the topic away from the other.
        await cores[0].send_graceless_close_connection("plugin", "text")
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        await cores[1].execute("text", "y", any=True)
        await until(lambda: plugin.received == ["x", "y"])


async def test_a_connection_says_all_about_itself(bus: LocalEventBus) -> None:
    before = datetime.now(UTC)
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (mine,), (theirs,) = core.retrieve_connections(), plugin.retrieve_connections()
        assert (mine.remote_identifier, mine.operation_name) == ("plugin", "text")
        assert mine.connection_identifier == theirs.connection_identifier
        assert mine.incoming_close_connection_topic == theirs.close_connection_to_remote_topic
        assert mine.close_connection_to_remote_topic == theirs.incoming_close_connection_topic
        assert (mine.input_topic, mine.output_topic) == (theirs.input_topic, theirs.output_topic)
        assert mine.has_input
        assert mine.has_output
        assert mine.input.is_compatible(Input.string())
        assert mine.output.is_compatible(Output.string())
        slack = timedelta(seconds=1)
        assert before - slack <= mine.created_at <= mine.last_use <= datetime.now(UTC) + slack
        for here, there in ((core, plugin), (plugin, core)):
            (connection,) = here.retrieve_connections()
            topic = connection.slot.outgoing_data_topic
            assert topic is not None
            assert here._runtime._headers_on(topic) == connection.headers
            assert there._runtime._headers_on(topic) is None
        assert mine.is_open
        assert mine.soft_closed_at is None
        assert repr(mine) == "Connection('plugin', 'text', open)"
        async with mine.lock:
            mine.touch()
        await plugin.eventbus_client.unsubscribe()
        await core.send_graceful_close_connection("plugin", "text")
        assert mine.is_soft_closed
        assert not mine.is_open
        assert mine.soft_closed_at is not None
        assert mine.soft_closed_at >= before
        assert core.retrieve_connections() == []
        assert core.remote_identifiers == {"plugin"}


async def test_touching_counts_as_use(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (slot,) = core._machine.slots
        slot.last_used = 0.0
        (connection,) = await core.retrieve_and_touch_connections("text")
        assert slot.last_used > 0.0
        assert connection.last_use > datetime.now(UTC) - timedelta(seconds=5)
        slot.last_used = 0.0
        assert await core.retrieve_and_touch_connections(operation_name="text", input_topic="elsewhere") == []
        assert slot.last_used == 0.0
        await core.execute("text", "x", any=True)
        assert slot.last_used > 0.0


async def test_a_handshake_under_way_is_pending(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    entered, released = asyncio.Event(), asyncio.Event()

    async def wait(core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        entered.set()
        await released.wait()

    setattr(plugin, "_setup_operation", wait)  # noqa: B010
    async with running(plugin, core):
        await entered.wait()
        for orbiter, remote in ((core, "plugin"), (plugin, "core")):
            assert orbiter._is_pending(remote, "text")
            (pending,) = orbiter._pending_requests_by_remote_identifier(remote).values()
            assert (pending.remote_identifier, pending.operation_name) == (remote, "text")
            assert pending.created_at <= datetime.now(UTC)
            assert orbiter._connections_by_remote_identifier(remote) == {}
        released.set()
        await all_connected(core, [plugin])
        for orbiter, remote in ((core, "plugin"), (plugin, "core")):
            assert not orbiter._is_pending(remote, "text")
            assert orbiter._pending_requests_by_remote_identifier(remote) == {}


async def test_handshakes_that_expire_are_counted(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus, pending_requests_expire_after=0.0)
    async with running(plugin):
        await core.eventbus_client.connect()
        await plugin.send_offer(core.offer_topic, "core", ["text", "unknown"])
        assert len(plugin._machine.slots) == 1
        assert await plugin.discard_expired_pending_requests() == 1
        assert await plugin.discard_expired_pending_requests() == 0
        await core.eventbus_client.disconnect()


async def test_closing_what_is_not_connected_is_an_error(bus: LocalEventBus) -> None:
    async with running(plugin := plugin_on(bus)):
        for close in (plugin.send_graceful_close_connection, plugin.send_graceless_close_connection):
            with pytest.raises(NoConnectionError, match="'plugin' has no connection with 'core' for operation 'text'"):
                await close("core", "text")


async def test_a_connection_that_ends_while_its_close_is_prepared_is_no_error(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)

    async def close_first(remote_identifier: str, operation_name: str) -> bytes | None:
        await core.send_graceless_close_connection("plugin", "text", data=b"first")
        return b"second"

    setattr(core, "_get_on_close_data", close_first)  # noqa: B010
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.send_graceful_close_connection("plugin", "text")
        await until(lambda: plugin.retrieve_connections() == [])
        assert core.closed == [("plugin", None)]


async def test_a_connection_that_is_used_while_its_close_is_prepared_stays_until_it_is_unused_again(
    harness: Harness,
) -> None:
    core = TextCore(
        identifier="core",
        eventbus_client=harness.client(),
        operation_requirements=needs(),
        close_connection_if_unused_after=100.0,
        discovering_interval=1000.0,
    )
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    asked, may = asyncio.Event(), asyncio.Event()

    async def give(remote_identifier: str, operation_name: str) -> bytes | None:
        asked.set()
        await may.wait()
        return b"data"

    setattr(core, "_get_on_close_data", give)  # noqa: B010
    await harness.start(plugin, core)
    await harness.connected(core, plugin, "text")
    await harness.advance(102)
    assert asked.is_set()
    (connection,) = core.retrieve_connections()
    connection.touch()
    may.set()
    await harness.advance(90)
    assert core.retrieve_connections() == [connection]
    assert connection.is_open
    await harness.advance(12)
    assert core.closed == [("plugin", None)]


async def test_overdue_closes_are_forced_and_counted(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus, graceful_close_timeout=0.0), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await plugin.eventbus_client.unsubscribe()
        await core.send_graceful_close_connection("plugin", "text", data=b"data")
        name = "force_close_connection_for_out_to_timeout_pending_graceful_close_connection"
        assert await getattr(core, name)() == 1
        assert await getattr(core, name)() == 0
        assert len(core._machine.slots) == 0


async def test_keepalives_can_be_sent_to_who_is_known(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        for send in (core.send_keepalive, core.send_keepalive_request):
            with pytest.raises(NoConnectionError, match="of 'nobody'"):
                await send("nobody")
        known = {"keepalive_topic": "a", "keepalive_request_topic": "b", "consider_me_dead_after": 10.0}
        with pytest.raises(NoConnectionError, match="knows no remote 'nobody'"):
            core.update_acquaintances("nobody", **known)  # type: ignore[arg-type]
        with pytest.raises(RemoteProtocolError, match="wildcard"):
            core.update_acquaintances("plugin", **{**known, "keepalive_topic": "#"})  # type: ignore[arg-type]
        core.update_acquaintances("plugin", **known)  # type: ignore[arg-type]
        collector = Collector()
        await plugin.eventbus_client.subscribe("a", collector)
        await core.send_keepalive("plugin")
        await collector.wait_for(1)
        remote = core._machine.peers.get("plugin")
        assert remote is not None
        remote.last_seen = 0.0
        core.have_seen("plugin")
        core.have_seen("nobody")
        assert remote.last_seen > 0.0


async def test_the_event_of_new_connections_is_awaited_once_for_each(bus: LocalEventBus) -> None:
    core = core_on(bus)
    plugins = [plugin_on(bus, name) for name in ("a", "b")]
    async with running(*plugins, core):
        async with asyncio.timeout(5):
            await core.new_connection_added_event.wait()
            await core.new_connection_added_event.wait()
        assert len(core.retrieve_connections()) == 2
        assert not core.new_connection_added_event.is_set()


async def test_the_event_can_be_cleared_and_who_waits_is_not_forgotten() -> None:
    event = ConnectionAddedEvent()
    event.set()
    event.set()
    assert event.is_set()
    event.clear()
    assert not event.is_set()
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.sleep(0)
    event.clear()
    event.set()
    await asyncio.wait_for(waiting, 5)
    assert not event.is_set()


async def test_what_does_not_fit_is_not_handed_on(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = core.retrieve_connections()
        assert connection.input_topic is not None
        assert connection.output_topic is not None
        for wrong in (1, None, Int64Message(value=2), 0.5):
            await core.sudo_execute(connection.input_topic, wrong)
            await plugin.eventbus_client.publish(connection.output_topic, wrong)
        await core.sudo_execute(connection.input_topic, StringMessage(value="right"))
        await until(lambda: core.texts == ["right"])
        assert plugin.received == ["right"]
        assert "which is not what operation 'text' of 'core' carries" in caplog.text
        assert "ignores an Int64Message on topic" in caplog.text


async def test_who_is_asked_to_close_gracefully_may_send_its_last_results(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)

    async def finish(connection: Connection, data: bytes | None) -> None:
        assert connection.output_topic is not None
        await plugin.eventbus_client.publish(connection.output_topic, "last")

    setattr(plugin, "_on_close_connection", finish)  # noqa: B010
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await core.send_graceful_close_connection("plugin", "text")
        await until(lambda: len(core._machine.slots) == 0)
        assert core.texts == ["last"]


async def test_an_event_that_is_no_message_of_the_protocol_is_ignored(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await core.sudo_execute("orbitalis/plugin/core/reply", "hello")
        await core.sudo_execute("$handshake.discover", None)
        await until(lambda: caplog.text.count("which is no message of channel") == 2)
        await all_connected(core, [plugin])


async def test_a_result_is_sent_to_none_whose_connection_was_closed_meanwhile(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    outputs, listener = Collector(), on(bus)
    await listener.connect()
    await listener.subscribe("orbitalis/core/+/operations/#", outputs)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        (connection,) = plugin.retrieve_connections()
        await plugin.send_result_to_all([connection], "before")
        await plugin.send_graceless_close_connection("core", "text")
        await plugin.send_result_to_all([connection], "after")
        await until(lambda: core.retrieve_connections() == [])
    values = [one.payload.value for _, one in outputs.received if isinstance(one.payload, StringMessage)]
    assert values == ["before"]
    await listener.disconnect()
