"""How effects are carried out: in their order, however many there are, and at once where nothing has to wait."""

from __future__ import annotations

import pytest

from orbitalis import Input, Operation, Output
from orbitalis.bus import LocalEventBus
from orbitalis.orbiter.hooks import default
from orbitalis.testing import RecordingBus
from orbitalis_wire import limits
from orbitalis_wire.messages import DiscoverMessage, RejectOperationMessage, RequestOperationMessage
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, core_on, needs, on, plugin_on, running


async def test_an_offer_of_as_many_operations_as_there_may_be_is_taken_in_one_go(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"operation {number}" for number in range(limits.OPERATIONS_OF_MESSAGE)]
    core = core_on(bus, operation_requirements={name: needs()["text"] for name in names})
    plugin = plugin_on(bus)
    for name in names:
        plugin.with_operation(name, Operation(name=name, input=Input.no_input(), output=Output.string()))
        core.operation_requirements[name].constraint.inputs = [Input.no_input()]
    async with running(plugin, core):
        await until(lambda: len(core.retrieve_connections()) == len(plugin.retrieve_connections()) == len(names))
        await plugin.send_graceless_close_connection("core", names[0])
        assert not [record for record in caplog.records if record.exc_info]


async def test_what_is_decided_first_is_sent_first() -> None:
    """A request is sent when the preparation is done, and that takes no time: what was decided before comes first."""
    bus = RecordingBus()
    core, plugin = core_on(bus, operation_requirements={}), plugin_on(bus)
    plugin.operations["unwanted"] = Operation(name="unwanted", output=Output.string())
    async with running(plugin, core):
        core.operation_requirements = needs()
        await plugin.send_offer(core.offer_topic, "core", ["text", "unwanted"])
        await until(lambda: len(plugin.retrieve_connections()) == 1)
        sent = [type(one.payload) for one in bus.recording if one.topic.endswith("/reply")]
        assert sent == [RejectOperationMessage, RequestOperationMessage]


async def test_a_hook_that_is_not_overridden_is_not_called(bus: LocalEventBus) -> None:
    class Marked(EchoPlugin):
        @default
        async def _on_new_discover(self, discover_message: DiscoverMessage) -> None:
            raise AssertionError("called")

        @default
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            raise AssertionError("called")

    core, plugin = core_on(bus), Marked(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    async with running(plugin, core):
        await until(lambda: len(plugin.retrieve_connections()) == 1)
