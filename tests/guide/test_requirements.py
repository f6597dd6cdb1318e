"""Requirements and policies: every rule counts, and may be edited while core and plugin run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orbitalis import Constraint, Input, OperationRequirement, Output, Policy
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs


def core_of(harness: Harness, requirements: dict[str, OperationRequirement]) -> TextCore:
    return TextCore(
        identifier="core", eventbus_client=harness.client(), operation_requirements=requirements, with_loop=False
    )


async def with_plugins(harness: Harness, *names: str) -> list[EchoPlugin]:
    plugins = [EchoPlugin(identifier=name, eventbus_client=harness.client(), with_loop=False) for name in names]
    await harness.start(*plugins)
    return plugins


async def discovered(harness: Harness, core: TextCore) -> set[str]:
    """Have a core ask again, and return whom it is connected with then."""
    await core.send_discover_based_on_requirements()
    await harness.idle()
    return core.remote_identifiers


def lists(**new: Any) -> Callable[[Constraint], None]:
    def edit(constraint: Constraint) -> None:
        for name, value in new.items():
            setattr(constraint, name, value)

    return edit


@pytest.mark.parametrize(
    ("rules", "before", "edit", "after"),
    [
        ({"maximum": 1, "minimum": 0}, 1, lists(maximum=2), 2),
        ({"maximum": 1, "minimum": 0}, 1, lists(maximum=None), 3),
        ({"allowlist": ["a"]}, {"a"}, lists(allowlist=["a", "b"]), {"a", "b"}),
        ({"allowlist": ["a"]}, {"a"}, lists(allowlist=None), {"a", "b", "c"}),
        ({"blocklist": ["a", "b"]}, {"c"}, lists(blocklist=["b"]), {"a", "c"}),
        ({"maximum": 0, "minimum": 0, "mandatory": ["a"]}, {"a"}, lists(mandatory=["a", "c"]), {"a", "c"}),
        ({"inputs": [Input.int64()]}, set(), lists(inputs=[Input.int64(), Input.string()]), {"a", "b", "c"}),
        ({"outputs": [Output.no_output()]}, set(), lists(outputs=[Output.string()]), {"a", "b", "c"}),
    ],
    ids=["maximum", "no maximum", "allowlist", "no allowlist", "blocklist", "mandatory", "inputs", "outputs"],
)
async def test_a_constraint_may_be_edited_while_the_core_runs(
    harness: Harness, rules: dict[str, Any], before: Any, edit: Callable[[Constraint], None], after: Any
) -> None:
    await with_plugins(harness, "a", "b", "c")
    core = core_of(harness, needs(**rules))
    await harness.start(core)
    for expected in (before, after):
        found = await discovered(harness, core)
        assert found == expected if isinstance(expected, set) else len(found) == expected
        edit(core.operation_requirements["text"].constraint)


async def test_a_constraint_that_asks_for_more_makes_a_core_not_compliant_and_one_for_less_compliant(
    harness: Harness,
) -> None:
    await with_plugins(harness, "a")
    core = core_of(harness, needs())
    await harness.start(core)
    await harness.compliant(core)
    constraint = core.operation_requirements["text"].constraint
    for edit, expected in (
        (lists(minimum=2), False),
        (lists(minimum=1), True),
        (lists(mandatory=["b"]), False),
        (lists(mandatory=["a"]), False),  # who is mandatory is not counted in the minimum
        (lists(minimum=0), True),
    ):
        edit(constraint)
        core.update_compliant()
        assert core.is_compliant() is core.is_compliant_for_operation("text") is expected
        assert core.compliant_event.is_set() is expected
        assert core.not_compliant_event.is_set() is not expected


async def test_mandatory_plugins_are_counted_apart(harness: Harness) -> None:
    core = core_of(harness, needs(minimum=1, maximum=1, mandatory=["m"]))
    await with_plugins(harness, "m")
    await harness.start(core)
    assert await discovered(harness, core) == {"m"}
    assert not core.is_compliant()
    await with_plugins(harness, "a", "b")
    found = await discovered(harness, core)
    assert "m" in found
    assert len(found) == 2
    assert core.is_compliant()


async def test_every_pair_of_inputs_and_outputs_is_considered(harness: Harness) -> None:
    def of(name: str, operation_input: Input, operation_output: Output) -> EchoPlugin:
        plugin = EchoPlugin(identifier=name, eventbus_client=harness.client(), with_loop=False)
        plugin.operations["text"].input = operation_input
        plugin.operations["text"].output = operation_output
        return plugin

    plugins = [
        of("string-string", Input.string(), Output.string()),
        of("string-nothing", Input.string(), Output.no_output()),
        of("empty-string", Input.empty(), Output.string()),
        of("empty-nothing", Input.empty(), Output.no_output()),
        of("integer-string", Input.int64(), Output.string()),
        of("string-integer", Input.string(), Output.int64()),
    ]
    constraint = Constraint(inputs=[Input.string(), Input.empty()], outputs=[Output.string(), Output.no_output()])
    core = core_of(harness, {"text": OperationRequirement(constraint)})
    await harness.start(*plugins, core)
    assert await discovered(harness, core) == {"string-string", "string-nothing", "empty-string", "empty-nothing"}


async def test_setup_data_may_be_edited(harness: Harness) -> None:
    seen: list[bytes | None] = []

    class Noting(EchoPlugin):
        async def _setup_operation(self, core_identifier: str, operation_name: str, setup_data: bytes | None) -> None:
            seen.append(setup_data)

    await harness.start(Noting(identifier="plugin", eventbus_client=harness.client(), with_loop=False))
    core = core_of(harness, needs())
    for data in (None, b"one", b"two"):
        core.operation_requirements["text"].default_setup_data = data
        await core.start()
        await harness.compliant(core)
        await core.stop()
    assert seen == [None, b"one", b"two"]


@pytest.mark.parametrize(
    ("policy", "admitted"),
    [
        (Policy.no_constraints(), {"one", "two", "three"}),
        (Policy(allowlist=["two"]), {"two"}),
        (Policy.allow_only("two"), {"two"}),
        (Policy(blocklist=["two"]), {"one", "three"}),
        (Policy(maximum=2), 2),
        (Policy(maximum=1, allowlist=["one", "two"]), 1),
        (Policy(maximum=0), set()),
    ],
    ids=["none", "allowlist", "allow only", "blocklist", "maximum", "maximum and allowlist", "maximum 0"],
)
async def test_a_policy_says_whom_an_operation_is_lent_to(harness: Harness, policy: Policy, admitted: Any) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client()).with_custom_policy("text", policy)
    cores = [
        TextCore(identifier=name, eventbus_client=harness.client(), operation_requirements=needs())
        for name in ("one", "two", "three")
    ]
    await harness.start(plugin, *cores)
    await harness.advance(30)
    found = plugin.remote_identifiers
    assert found == admitted if isinstance(admitted, set) else len(found) == admitted
