"""Compliance follows requirements that are edited: at once where the core is told, else when its loop looks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import Event, OperationRequirement, StringMessage
from orbitalis.protocol.transitions import CoreState
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs

INTERVAL = 1.0
"""Seconds between two iterations of a core's loop."""


@dataclass
class BusyCore(TextCore):
    """Takes an output when it may, and ends an iteration of its loop when it may."""

    may_take: asyncio.Event = field(default_factory=asyncio.Event)
    may_iterate: asyncio.Event = field(default_factory=asyncio.Event)

    async def _keep(self, topic: str, event: Event[StringMessage]) -> None:
        await self.may_take.wait()
        await super()._keep(topic, event)

    async def _on_loop_iteration(self) -> None:
        await self.may_iterate.wait()


async def connected_cores(
    harness: Harness, requirements: dict[str, OperationRequirement], *, hangs: bool = False
) -> tuple[EchoPlugin, BusyCore, BusyCore]:
    """Return a plugin, and two cores that are connected with it and have the same requirements."""
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client(), with_loop=False)
    settings: dict[str, Any] = {"operation_requirements": requirements, "loop_interval": INTERVAL}
    one, other = (BusyCore(identifier=name, eventbus_client=harness.client(), **settings) for name in ("one", "other"))
    for core in (one, other):
        if not hangs:
            core.may_iterate.set()
    await harness.start(plugin, one, other)
    for core in (one, other):
        await harness.connected(core, plugin)
    return plugin, one, other


def assert_compliant(core: TextCore, expected: bool) -> None:
    assert core.is_compliant() is expected
    assert core.compliant_event.is_set() is expected
    assert core.not_compliant_event.is_set() is not expected
    assert core.state is (CoreState.COMPLIANT if expected else CoreState.NOT_COMPLIANT)


@pytest.mark.parametrize("hangs", [False, True], ids=["iterating", "hanging in an iteration"])
async def test_a_core_that_nobody_tells_of_an_edit_notices_it_within_the_interval_of_its_loop(
    harness: Harness, hangs: bool
) -> None:
    requirements = needs()
    _, told, untold = await connected_cores(harness, requirements, hangs=hangs)
    for minimum, expected in ((2, False), (1, True), (2, False), (0, True)):
        requirements["text"].constraint.minimum = minimum
        told.update_compliant()
        assert_compliant(told, expected)
        await harness.advance(INTERVAL)
        assert_compliant(untold, expected)
        assert_compliant(told, expected)
    for core in (told, untold):
        core.may_iterate.set()


async def test_an_edit_counts_while_a_connection_ends_that_has_data_to_handle(harness: Harness) -> None:
    requirements = needs()
    plugin, told, untold = await connected_cores(harness, requirements)
    for core in (told, untold):
        await core.execute("text", "a", any=True)
    await harness.advance(INTERVAL / 10)
    for core in (told, untold):
        await plugin.send_graceful_close_connection(core.identifier, "text")
    await harness.advance(INTERVAL)
    # A connection that is ending does not count.
    for core in (told, untold):
        assert core.closed == []
        assert_compliant(core, False)
    for minimum, expected in ((0, True), (1, False), (0, True)):
        requirements["text"].constraint.minimum = minimum
        told.update_compliant()
        assert_compliant(told, expected)
        await harness.advance(INTERVAL)
        assert_compliant(untold, expected)
    requirements["text"].constraint.blocklist = ["plugin"]
    for core in (told, untold):
        assert core.closed == []
        core.may_take.set()
    await harness.advance(INTERVAL)
    for core in (told, untold):
        assert core.texts == ["a"]
        assert core.closed == [("plugin", None)]
        assert_compliant(core, True)
