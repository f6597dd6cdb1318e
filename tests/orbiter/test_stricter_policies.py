"""A policy that is edited on a live plugin ends the connections that it does not allow any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orbitalis import Plugin, Policy
from orbitalis.testing import Harness
from orbitalis_wire.messages import CloseConnectionAckMessage, GracefulCloseConnectionMessage
from tests.support.orbiters import EchoPlugin, TextCore, needs


async def connected(harness: Harness, plugin: Plugin, *identifiers: str) -> list[TextCore]:
    """Return cores that were connected with a plugin one after the other."""
    await harness.start(plugin)
    cores: list[TextCore] = []
    for identifier in identifiers:
        core = TextCore(identifier=identifier, eventbus_client=harness.client(), operation_requirements=needs())
        await harness.start(core)
        await harness.connected(core, plugin)
        await harness.advance(1)
        cores.append(core)
    return cores


def echo(harness: Harness, **settings: Any) -> EchoPlugin:
    return EchoPlugin(identifier="plugin", eventbus_client=harness.client(), **settings)


def with_custom_policy(plugin: Plugin) -> None:
    plugin.with_custom_policy("text", Policy(maximum=1))


def with_the_operation_itself(plugin: Plugin) -> None:
    plugin.with_custom_policy(EchoPlugin.give_back, Policy(maximum=1))


def by_update_operations(plugin: Plugin) -> None:
    plugin.operations["text"].policy.maximum = 1
    plugin.update_operations()


def by_assigning_operations(plugin: Plugin) -> None:
    text = plugin.operations["text"]
    text.policy.maximum = 1
    plugin.operations = {"text": text}


@pytest.mark.parametrize(
    "edit", [with_custom_policy, with_the_operation_itself, by_update_operations, by_assigning_operations]
)
async def test_it_counts_at_once(harness: Harness, edit: Callable[[Plugin], None]) -> None:
    plugin = echo(harness, with_loop=False)
    old, new = await connected(harness, plugin, "old", "new")

    edit(plugin)
    await harness.idle()

    assert [connection.remote_identifier for connection in plugin.retrieve_connections()] == ["old"]
    assert old.is_compliant()
    assert not new.is_compliant()
    assert new.closed == [("plugin", None)]
    (close,) = harness.recording.of(GracefulCloseConnectionMessage).payloads
    assert close.from_identifier == "plugin"
    assert len(harness.recording.of(CloseConnectionAckMessage)) == 1


async def test_an_edit_in_place_counts_within_the_interval_of_the_loop(harness: Harness) -> None:
    plugin = echo(harness)
    (core,) = await connected(harness, plugin, "core")

    plugin.operations["text"].policy.blocklist = ["core"]
    await harness.advance(plugin.loop_interval)

    assert plugin.retrieve_connections() == []
    assert not core.is_compliant()


async def test_the_data_of_the_close_goes_along_newest_first(harness: Harness) -> None:
    class Parting(EchoPlugin):
        async def _get_on_close_data(self, remote_identifier: str, operation_name: str) -> bytes | None:
            return f"{remote_identifier} {operation_name}".encode()

    plugin = Parting(identifier="plugin", eventbus_client=harness.client())
    cores = await connected(harness, plugin, "a", "b", "c")

    plugin.with_custom_policy("text", Policy(maximum=1))
    await harness.idle()

    assert [core.closed for core in cores] == [[], [("plugin", b"b text")], [("plugin", b"c text")]]
    closes = harness.recording.of(GracefulCloseConnectionMessage).payloads
    assert [close.data for close in closes] == [b"c text", b"b text"]


async def test_what_is_excluded_before_the_start_is_not_there_to_be_ended(harness: Harness) -> None:
    plugin = echo(harness).with_custom_policy("text", Policy(maximum=0))
    plugin.with_custom_policy("text", Policy(blocklist=["core"]))
    core = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs())

    await harness.start(plugin, core)
    await harness.advance(5)

    assert not core.is_compliant()
    assert len(harness.recording.of(GracefulCloseConnectionMessage)) == 0
