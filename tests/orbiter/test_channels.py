"""A message is taken from topics of its own channels: who may publish to one topic has no say on the others."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis import Event
from orbitalis.bus import LocalEventBus
from orbitalis_wire import channels
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OfferMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.events import until
from tests.support.orbiters import all_connected, core_on, on, plugin_on, running

FORGED: list[Any] = [
    # Each as an older peer would send it, which has no headers and need not use its own name in topics.
    KeepaliveMessage(from_identifier="core"),
    KeepaliveRequestMessage(from_identifier="core", keepalive_topic="elsewhere"),
    RejectOperationMessage(core_identifier="core", operation_name="text"),
    RequestOperationMessage(
        core_identifier="core",
        operation_name="text",
        response_topic="elsewhere",
        output_topic="elsewhere",
        core_side_close_operation_connection_topic="elsewhere",
        setup_data=None,
    ),
    GracelessCloseConnectionMessage(from_identifier="core", operation_name="text", data=None),
    CloseConnectionAckMessage(from_identifier="core", operation_name="text"),
    OperationNoLongerAvailableMessage(plugin_identifier="core", operation_name="text"),
    OfferMessage(
        plugin_identifier="core",
        offered_operations=[],
        reply_topic="elsewhere",
        considered_dead_after=0.01,
        plugin_keepalive_topic="elsewhere",
        plugin_keepalive_request_topic="elsewhere",
    ),
]


@pytest.mark.parametrize("message", FORGED, ids=lambda message: type(message).__name__)
async def test_the_discover_topic_carries_nothing_but_discovers(
    bus: LocalEventBus, message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    stranger = on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (before,) = plugin.retrieve_connections()
        await stranger.connect()
        await stranger.publish(
            channels.DISCOVER.address,
            Event.create(message, publisher_identifier="core", incarnation="9", open_connections=()),
        )
        name = type(message).__name__
        article = "an" if name.startswith("O") else "a"
        expected = f"ignores {article} {name} on topic '$handshake.discover', which is no message of channel"
        await until(lambda: expected in caplog.text)

        await core.execute("text", "still here", any=True)
        await until(lambda: core.texts == ["still here"])
        assert plugin.retrieve_connections() == [before]
        assert before.output_topic is not None
        assert before.output_topic.startswith("orbitalis/core/")
        await stranger.disconnect()
