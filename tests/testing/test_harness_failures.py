"""What the failures of a harness say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from orbitalis import Constraint, Input, OperationRequirement, Output, Plugin, Policy
from orbitalis.testing import Harness
from tests.testing.lowercase import Lowercase, failure_of, make_core, make_plugin, with_harness


@with_harness
async def test_without_any_plugin(harness: Harness) -> None:
    core = make_core(harness, minimum=2, mandatory=["boss"])
    await harness.start(core)

    failure = await failure_of(harness.compliant(core))

    assert failure == (
        "Reader 'core' is not compliant after 60 s:\n"
        "  operation 'lowercase' has 0 of at least 2 plugins (mandatory plugins are not counted in the minimum), "
        "is without mandatory 'boss'\n"
        "    no plugin has offered it, and none that has it was heard of: one that has it and does not offer it says "
        "why in its log\n"
        "    no plugin that the harness has started has such an operation (it has started: none)"
    )
    assert harness.time == 60


@with_harness
async def test_with_another_plugin(harness: Harness) -> None:
    core = make_core(harness)
    await harness.start(core, Plugin(identifier="idle", eventbus_client=harness.client()))

    assert "(it has started: idle with none)" in await failure_of(harness.compliant(core, timeout=5))


@with_harness
async def test_with_a_core_that_does_not_run(harness: Harness) -> None:
    core = make_core(harness)
    await harness.start(make_plugin(harness))

    failure = await failure_of(harness.compliant(core))

    assert "after 60 s (core does not run: await harness.start(...)):" in failure
    assert "the core has not asked for it (0 discovers sent)" in failure


@pytest.mark.parametrize(
    ("needs", "has", "said"),
    [
        ({"takes": Input.int32()}, {}, "input: the schema is called 'StringMessage' here and 'Int32Message' there"),
        ({"gives": Output.empty()}, {}, "output: 'StringMessage' here and 'empty events' there"),
        ({"allowlist": ["other"]}, {}, "the core's constraint excludes this plugin"),
        ({}, {"policy": Policy(blocklist=["core"])}, "the core is on the blocklist of the operation's policy"),
        ({}, {"policy": Policy(maximum=0)}, "the maximum of 0 is reached: it is lent or offered to nobody"),
        (
            {},
            {"discover_topic": "elsewhere", "announce_topic": "elsewhere"},
            "listens for discovers on 'elsewhere', the core sends them to '$handshake.discover'",
        ),
    ],
)
def test_with_a_plugin_that_does_not_fit(needs: dict, has: dict, said: str) -> None:
    @with_harness
    async def test(harness: Harness) -> None:
        core = make_core(harness, **needs)
        policy = has.pop("policy", None)
        plugin = make_plugin(harness, **has)
        if policy is not None:
            plugin.with_custom_policy("lowercase", policy)
        await harness.start(plugin, core)

        failure = await failure_of(harness.compliant(core))

        assert failure.splitlines()[-1].startswith("    plugin plugin: ")
        assert failure.splitlines()[-1].endswith(said)
        assert "operation 'lowercase' has 0 of at least 1 plugins" in failure

    test()


@with_harness
async def test_with_a_plugin_that_has_stopped(harness: Harness) -> None:
    core, plugin = make_core(harness), make_plugin(harness)
    await harness.start(plugin)
    await plugin.stop()
    await harness.start(core)

    assert (await failure_of(harness.compliant(core))).splitlines()[-1] == "    plugin plugin: is not running"


@with_harness
async def test_with_a_plugin_that_offers_and_refuses(harness: Harness) -> None:
    @dataclass
    class Refusing(Lowercase):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            raise RuntimeError("not today")

    core = make_core(harness)
    await harness.start(Refusing(identifier="refusing", eventbus_client=harness.client()), core)

    failure = await failure_of(harness.compliant(core, timeout=2))

    assert "    'refusing': the plugin said that it is no longer available" in failure
    assert "    plugin refusing: _setup_operation raised RuntimeError: not today" in failure


@with_harness
async def test_what_is_met_is_said_too(harness: Harness) -> None:
    core = make_core(harness)
    need = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.no_output()])
    core.operation_requirements["uppercase"] = OperationRequirement(need)
    await harness.start(make_plugin(harness), core)

    failure = await failure_of(harness.compliant(core))

    assert "\n  operation 'uppercase' has 0 of at least 1 plugins\n" in failure
    assert failure.endswith("\n  operation 'lowercase' has what it needs\n    'plugin' is connected")


@with_harness
async def test_without_a_connection(harness: Harness) -> None:
    core, wanted = make_core(harness, mandatory=["wanted"], maximum=1), make_plugin(harness, "unwanted")
    await harness.start(make_plugin(harness, "wanted"), make_plugin(harness, "first"), core)
    await harness.compliant(core)
    await harness.start(wanted)

    failure = await failure_of(harness.connected(core, wanted, timeout=30))

    assert failure.startswith("Reader 'core' and Lowercase 'unwanted' have no connection after 30 s:")
