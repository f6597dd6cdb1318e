"""When edits count: at once where the orbiter is told, else when it is asked to look, or when its loop does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orbitalis import Core, CoreState, Input, Operation, OperationRequirement, Output, Plugin, Policy, operation
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs

NOBODY = Policy(maximum=0)


def echo(harness: Harness, **options: Any) -> EchoPlugin:
    return EchoPlugin(identifier="plugin", eventbus_client=harness.client(), **options)


async def is_lent(harness: Harness, name: str = "text") -> bool:
    """Return whether the plugin lends an operation to a core that asks for it now."""
    core = TextCore(eventbus_client=harness.client(), with_loop=False, operation_requirements={name: needs()["text"]})
    await core.start()
    await harness.idle()
    connected = bool(core.retrieve_connections(operation_name=name))
    await core.stop()
    return connected


def copy_of(plugin: Plugin, **changes: Any) -> Operation:
    """Return operation `text` once more, with changes."""
    text = plugin.operations["text"]
    fields = {"handler": text.handler, "input": text.input, "output": text.output, "policy": text.policy}
    return Operation(name="text", **{**fields, **changes})


def edit_in_place(plugin: Plugin) -> None:
    plugin.operations["text"].policy.maximum = 0


def edit_list(plugin: Plugin) -> None:
    policy = plugin.operations["text"].policy
    if policy.allowlist is None:
        policy.allowlist = []
    policy.allowlist.append("somebody else")


def exchange_policy(plugin: Plugin) -> None:
    plugin.operations["text"].policy = NOBODY


def change_input(plugin: Plugin) -> None:
    plugin.operations["text"].input = Input.int64()


def change_output(plugin: Plugin) -> None:
    plugin.operations["text"].output = Output.int64()


def exchange(plugin: Plugin) -> None:
    plugin.operations["text"] = copy_of(plugin, policy=NOBODY)


def remove(plugin: Plugin) -> None:
    del plugin.operations["text"]


EDITS: list[Callable[[Plugin], None]] = [
    edit_in_place,
    edit_list,
    exchange_policy,
    change_input,
    change_output,
    exchange,
    remove,
]


@pytest.mark.parametrize("edit", EDITS)
async def test_what_is_edited_of_operations_counts_when_the_plugin_is_asked_to_look(
    harness: Harness, edit: Callable[[Plugin], None]
) -> None:
    plugin = echo(harness, with_loop=False)
    await harness.start(plugin)
    assert await is_lent(harness)
    edit(plugin)
    plugin.update_operations()
    assert not await is_lent(harness)


@pytest.mark.parametrize("edit", EDITS)
async def test_what_is_edited_of_operations_counts_within_the_interval_of_the_loop(
    harness: Harness, edit: Callable[[Plugin], None]
) -> None:
    plugin = echo(harness, loop_interval=7)
    await harness.start(plugin)
    await harness.advance(3)
    edit(plugin)
    await harness.advance(7)
    assert not await is_lent(harness)


async def test_an_operation_that_is_added_counts_within_the_interval_of_the_loop(harness: Harness) -> None:
    plugin = echo(harness)
    await harness.start(plugin)
    plugin.operations["more"] = copy_of(plugin)
    await harness.advance(plugin.loop_interval)
    assert await is_lent(harness, "more")
    assert await is_lent(harness)


def give_policy(plugin: Plugin) -> None:
    plugin.with_custom_policy("text", NOBODY)


def give_operation(plugin: Plugin) -> None:
    plugin.with_operation("text", copy_of(plugin, policy=NOBODY))


def assign(plugin: Plugin) -> None:
    plugin.operations = {}


@pytest.mark.parametrize("change", [give_policy, give_operation, assign])
async def test_what_a_plugin_is_told_of_its_operations_counts_at_once(
    harness: Harness, change: Callable[[Plugin], None]
) -> None:
    plugin = echo(harness, with_loop=False)
    await harness.start(plugin)
    assert await is_lent(harness)
    change(plugin)
    assert not await is_lent(harness)


async def test_edits_before_the_start_count_from_the_start_on(harness: Harness) -> None:
    plugin = echo(harness, with_loop=False)
    plugin.operations["more"] = plugin.operations.pop("text")
    await harness.start(plugin)
    assert await is_lent(harness, "more")
    assert not await is_lent(harness)
    await plugin.stop()
    plugin.operations["text"] = plugin.operations.pop("more")
    await plugin.start()
    assert await is_lent(harness)


# Requirements


def text_core(harness: Harness, **options: Any) -> TextCore:
    options = {"operation_requirements": needs(), **options}
    return TextCore(identifier="core", eventbus_client=harness.client(), **options)


def need_more(core: Core) -> None:
    core.operation_requirements["text"].constraint.minimum = 2


def need_another(core: Core) -> None:
    core.operation_requirements["text"].constraint.mandatory.append("other")


def exchange_requirement(core: Core) -> None:
    core.operation_requirements["text"] = needs(minimum=2)["text"]


def add_requirement(core: Core) -> None:
    core.operation_requirements["more"] = needs()["text"]


REQUIREMENT_EDITS: list[Callable[[Core], None]] = [need_more, need_another, exchange_requirement, add_requirement]


async def compliant(harness: Harness, **options: Any) -> TextCore:
    """Return a core that has what it needs."""
    plugin, core = echo(harness, with_loop=False), text_core(harness, **options)
    await harness.start(plugin, core)
    await harness.compliant(core)
    return core


@pytest.mark.parametrize("edit", REQUIREMENT_EDITS)
async def test_what_is_edited_of_requirements_counts_when_the_core_is_asked_to_look(
    harness: Harness, edit: Callable[[Core], None]
) -> None:
    core = await compliant(harness, with_loop=False)
    edit(core)
    core.update_compliant()
    assert core.state is CoreState.NOT_COMPLIANT


@pytest.mark.parametrize("edit", REQUIREMENT_EDITS)
async def test_what_is_edited_of_requirements_counts_within_the_interval_of_the_loop(
    harness: Harness, edit: Callable[[Core], None]
) -> None:
    core = await compliant(harness, loop_interval=7)
    await harness.advance(3)
    edit(core)
    await harness.advance(7)
    assert core.state is CoreState.NOT_COMPLIANT


class TextPlugin(Plugin):
    @operation
    async def other(self, text: str) -> str:
        return text


def require(core: Core) -> None:
    core.with_requirement(TextPlugin.other, minimum=1)


def assign_requirements(core: Core) -> None:
    core.operation_requirements = {"text": OperationRequirement(needs(minimum=2)["text"].constraint)}


@pytest.mark.parametrize("change", [require, assign_requirements])
async def test_what_a_core_is_told_of_its_requirements_counts_at_once(
    harness: Harness, change: Callable[[Core], None]
) -> None:
    core = await compliant(harness, with_loop=False)
    change(core)
    assert core.state is CoreState.NOT_COMPLIANT


async def test_an_attribute_that_is_assigned_counts_at_once(harness: Harness) -> None:
    core = await compliant(harness, loop_interval=1000)
    core.close_connection_if_unused_after = 5
    await harness.advance(6)
    assert core.retrieve_connections() == []
