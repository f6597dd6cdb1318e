"""Handshakes in which users take long to prepare, or in which a message is lost: they lead to a connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import Event
from orbitalis.testing import Harness
from orbitalis_wire.messages import (
    ConfirmConnectionMessage,
    OfferedOperation,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
    RequestOperationMessage,
)
from tests.support.orbiters import EchoPlugin, TextCore, needs


@dataclass
class SlowCore(TextCore):
    """Takes a while for the setup data, and then has none to give at times."""

    takes: float = 0.0
    fails: bool = False

    async def _get_setup_data(self, plugin_identifier: str, offered_operation: OfferedOperation) -> bytes | None:
        await asyncio.sleep(self.takes)
        if self.fails:
            raise RuntimeError("there are none")
        return None


@dataclass
class SlowPlugin(EchoPlugin):
    """Takes a while to set up, and then cannot at times."""

    takes: float = 0.0
    fails: bool = False

    async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
        await asyncio.sleep(self.takes)
        if self.fails:
            raise RuntimeError("it cannot be set up")


def slow_core(harness: Harness, **given: Any) -> SlowCore:
    requirement = needs(minimum=1)
    return SlowCore(identifier="core", eventbus_client=harness.client(), operation_requirements=requirement, **given)


def slow_plugin(harness: Harness, **given: Any) -> SlowPlugin:
    return SlowPlugin(identifier="plugin", eventbus_client=harness.client(), **given)


async def test_a_request_answers_the_last_of_many_offers_that_came_while_it_was_prepared(harness: Harness) -> None:
    core, plugin = slow_core(harness, takes=45.0), slow_plugin(harness)
    await harness.start(plugin, core)

    await harness.compliant(core, timeout=50)

    assert len(harness.recording.of(RequestOperationMessage)) == 1
    assert not harness.recording.of(OperationNoLongerAvailableMessage)


async def test_a_reject_of_what_could_not_be_prepared_frees_the_slot_however_many_offers_there_were(
    harness: Harness,
) -> None:
    core, plugin = slow_core(harness, takes=5.0, fails=True), slow_plugin(harness)
    await harness.start(plugin, core)

    await harness.advance(5.05)

    assert harness.recording.of(RejectOperationMessage)
    assert list(plugin._machine.slots) == []


async def test_each_side_has_the_whole_time_for_its_part(harness: Harness) -> None:
    core, plugin = slow_core(harness, takes=55.0), slow_plugin(harness, takes=55.0)
    await harness.start(plugin, core)

    await harness.compliant(core, timeout=115)

    assert len(harness.recording.of(ConfirmConnectionMessage)) == 1


@pytest.mark.parametrize(
    ("lost", "who"),
    [
        (ConfirmConnectionMessage, "core"),
        (ConfirmConnectionMessage, "plugin"),
        (RequestOperationMessage, "core"),
    ],
)
async def test_a_message_that_was_lost_is_repeated_when_the_bus_is_back(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, lost: type[object], who: str
) -> None:
    core, plugin = slow_core(harness, pending_requests_expire_after=None), slow_plugin(harness)
    core.operation_requirements["text"].constraint.maximum = 1  # the request takes it, so there is no other discover
    with monkeypatch.context() as patch:
        publish = harness.bus.publish

        def lose(topic: str, event: Event[Any]) -> None:
            if not isinstance(event.payload, lost):
                publish(topic, event)

        patch.setattr(harness.bus, "publish", lose)
        await harness.start(plugin, core)
        await harness.advance(1)
    assert not core.is_compliant()

    back = (core if who == "core" else plugin).eventbus_client.on_reconnected
    assert back is not None
    back()

    await harness.idle()
    assert core.is_compliant()
    assert len(plugin.retrieve_connections()) == 1


async def test_a_request_that_was_repeated_and_cannot_be_granted_is_over_at_once(harness: Harness) -> None:
    core, plugin = slow_core(harness), slow_plugin(harness, takes=10.0, fails=True)
    await harness.start(plugin, core)
    await harness.advance(5)
    assert core.eventbus_client.on_reconnected is not None
    core.eventbus_client.on_reconnected()

    await harness.advance(5.5)

    assert len(harness.recording.of(RequestOperationMessage)) >= 2
    assert harness.recording.of(OperationNoLongerAvailableMessage)
    assert [slot for slot in core._machine.slots if slot.created_at < 10] == []
