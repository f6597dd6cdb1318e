"""Requests of typed operations: values go in and come out."""

from __future__ import annotations

import asyncio

import pytest

from orbitalis import Core, Event, Input, NoConnectionError, OperationFailedError, Output, Plugin, StringMessage
from orbitalis.bus import LocalEventBus
from orbitalis.plugin import operation
from tests.support.orbiters import on, running


class TextPlugin(Plugin):
    @operation
    async def lowercase(self, text: str) -> str:
        return text.lower()

    @operation
    async def length(self, text: str) -> int | None:
        return len(text) or None

    @operation
    async def divide(self, number: int) -> float:
        return 1 / number

    @operation
    async def empty(self) -> bytes:
        return b"empty"

    @operation
    async def silent(self, text: str) -> None:
        pass

    @operation(name="events", input=Input.string(), output=Output.string())
    async def events(self, topic: str, event: Event[StringMessage]) -> None:
        await self.send_result_to_all(self.retrieve_connections(operation_name="events"), event.payload.value * 2)


async def test_values_go_in_and_come_out() -> None:
    bus = LocalEventBus()
    core = Core(identifier="core", eventbus_client=on(bus))
    for one in (TextPlugin.lowercase, TextPlugin.length, TextPlugin.divide, TextPlugin.empty, TextPlugin.silent):
        core.with_requirement(one, minimum=1)
    core.with_requirement(TextPlugin.events, minimum=1)
    plugin = TextPlugin(identifier="plugin", eventbus_client=on(bus))
    async with running(plugin, core):
        await asyncio.wait_for(core.compliant_event.wait(), 20)

        assert await core.request(TextPlugin.lowercase, "HELLO") == "hello"
        assert await core.request(TextPlugin.length, "HELLO", plugin_identifier="plugin") == 5
        assert await core.request(TextPlugin.length, "") is None
        assert await core.request(TextPlugin.divide, 4) == 0.25
        assert await core.request(TextPlugin.empty) == b"empty"
        assert await core.request(TextPlugin.events, StringMessage(value="x")) == StringMessage(value="xx")
        with pytest.raises(OperationFailedError, match="ZeroDivisionError: division by zero"):
            await core.request(TextPlugin.divide, 0)
        with pytest.raises(NoConnectionError, match="that has an output"):
            await core.request(TextPlugin.silent, "x")
