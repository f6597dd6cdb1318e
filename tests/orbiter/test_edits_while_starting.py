"""Edits count that a user makes while an orbiter starts, however long the bus takes for that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

import pytest

from orbitalis import LocalEventBusClient, Plugin, Policy
from orbitalis.bus.client import Later
from orbitalis.bus.event_handler import EventHandler
from orbitalis.testing import Harness
from orbitalis_wire.channels import Channel
from orbitalis_wire.messages import OfferMessage
from tests.support.orbiters import EchoPlugin, TextCore, needs


class SlowClient(LocalEventBusClient):
    """Subscribes to one of its topics when it may, and tells when it waits for that."""

    def __init__(self, harness: Harness, slow: int) -> None:
        super().__init__(harness.client().bus)
        self.may_go_on = asyncio.Event()
        self.waits = asyncio.Event()
        self._before = slow

    def start_subscribe(
        self,
        topic: str,
        handler: EventHandler,
        channel: Channel,
        *,
        bus: str | None = None,
        concurrency: int = 1,
        context: Context | None = None,
    ) -> Awaitable[None] | None:
        waiting = super().start_subscribe(topic, handler, channel, bus=bus, concurrency=concurrency, context=context)
        self._before -= 1
        return Later(self._wait) if self._before == 0 else waiting

    async def _wait(self) -> None:
        self.waits.set()
        await self.may_go_on.wait()


def in_place(plugin: Plugin) -> None:
    plugin.operations["text"].policy.allowlist = []


def by_assigning(plugin: Plugin) -> None:
    plugin.with_custom_policy("text", Policy(allowlist=[]))


@pytest.mark.parametrize("slow", range(1, 8))
@pytest.mark.parametrize("edit", [in_place, by_assigning])
async def test_a_policy_counts_that_is_edited_while_the_plugin_starts(
    harness: Harness, slow: int, edit: Callable[[Plugin], None]
) -> None:
    client = SlowClient(harness, slow)
    plugin = EchoPlugin(identifier="plugin", eventbus_client=client)
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())
    await harness.start(core)

    starting = asyncio.create_task(harness.start(plugin))
    await client.waits.wait()
    edit(plugin)
    client.may_go_on.set()
    await starting
    await harness.idle()

    assert len(harness.recording.of(OfferMessage)) == 0
    assert "'core': the core is not on the allowlist" in str(plugin.explain())
