"""A text where several belong is refused, whatever takes it: each of its letters would be one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from orbitalis import (
    Constraint,
    Core,
    DiscoverQuery,
    Event,
    Input,
    OperationRequirement,
    Output,
    Plugin,
    Policy,
    connect,
    operation,
)
from orbitalis.testing import Harness
from orbitalis_wire.messages import AnnounceMessage
from tests.support.orbiters import EchoPlugin, TextCore, needs

ANY: Any = "v1"


def anything(given: object) -> Any:
    """Return what type checkers would refuse."""
    return given


SCHEMAS: dict[str, Any] = {"inputs": [Input.string()], "outputs": [Output.string()]}


class Texts(Plugin):
    @operation
    async def lower(self, text: str) -> str:
        return text.lower()


def core() -> Core:
    return Core(eventbus_client=connect("local://texts"))


CALLS: dict[str, Callable[[], object]] = {
    "mandatory": lambda: Constraint(mandatory=ANY, **SCHEMAS),
    "allowlist": lambda: Constraint(allowlist=ANY, **SCHEMAS),
    "blocklist": lambda: Constraint(blocklist=ANY, **SCHEMAS),
    "inputs": lambda: Constraint(inputs=ANY, outputs=[Output.string()]),
    "outputs": lambda: Constraint(inputs=[Input.string()], outputs=ANY),
    "allowlist of a policy": lambda: Policy(allowlist=ANY),
    "blocklist of a policy": lambda: Policy(blocklist=ANY),
    "mandatory of with_requirement": lambda: core().with_requirement(Texts.lower, mandatory=ANY),
    "allowlist of with_requirement": lambda: core().with_requirement(Texts.lower, allowlist=ANY),
    "blocklist of with_requirement": lambda: core().with_requirement(Texts.lower, blocklist=ANY),
    "mandatory of for_operation": lambda: OperationRequirement.for_operation(Texts.lower, mandatory=ANY),
    "allowlist of for_operation": lambda: OperationRequirement.for_operation(Texts.lower, allowlist=ANY),
    "blocklist of for_operation": lambda: OperationRequirement.for_operation(Texts.lower, blocklist=ANY),
    "schemas": lambda: Input(schemas=ANY),
    "schemas of an output": lambda: Output(schemas=ANY),
    "allowlist of a query": lambda: DiscoverQuery(inputs=[], outputs=[], operation_name="x", allowlist=ANY),
    "blocklist of a query": lambda: DiscoverQuery(inputs=[], outputs=[], operation_name="x", blocklist=ANY),
    "operation_names": lambda: AnnounceMessage(plugin_identifier="p", operation_names=ANY, discover_topic="d"),
    "open_connections": lambda: Event.create(None, publisher_identifier="p", open_connections=ANY),
    "readable_encodings": lambda: Event.create(None, publisher_identifier="p", readable_encodings=ANY),
    "topics": lambda: connect("local://texts").start_unsubscribe(ANY),
}


@pytest.mark.parametrize("what", CALLS)
def test_it_is_refused_with_what_to_write(what: str) -> None:
    with pytest.raises(TypeError, match=re.escape(f"{what.split()[0]} must be a list, got 'v1': write ['v1']")):
        CALLS[what]()


@pytest.mark.parametrize("name", ["mandatory", "allowlist", "blocklist", "inputs", "outputs"])
def test_a_rule_that_is_edited_refuses_it_at_once(name: str) -> None:
    constraint, policy = Constraint(**SCHEMAS), Policy()
    for edited in (constraint, policy) if name in ("allowlist", "blocklist") else (constraint,):
        before = getattr(edited, name)
        with pytest.raises(TypeError, match=rf"{name} must be a list, got 'v1': write \['v1'\]"):
            setattr(edited, name, "v1")
        assert getattr(edited, name) == before


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("allowlist", [Plugin], "list of identifiers, which are texts, got <class"),
        ("allowlist", [Plugin(identifier="v1", eventbus_client=connect("local://texts"))], "write its identifier"),
        ("allowlist", (one for one in "v1"), r"write list\(allowlist\)"),
        ("mandatory", None, "must not be None: leave it out"),
        ("inputs", [str], r"list of Input, got <class 'str'> in it: write Input.string\(\), or Input.from_message"),
        ("outputs", [Input.string()], "must be a list of Output, got"),
        ("minimum", "1", "must be a whole number, got '1'"),
        ("minimum", None, "must not be None"),
        ("maximum", 1.5, "must be a whole number, got 1.5"),
    ],
)
def test_other_things_that_no_rule_can_be_are_refused_too(name: str, value: object, reason: str) -> None:
    constraint = Constraint(**SCHEMAS)
    with pytest.raises(TypeError, match=reason):
        setattr(constraint, name, value)


def test_collections_of_any_kind_are_taken() -> None:
    for given in (["v1"], ("v1",), {"v1"}, frozenset({"v1"})):
        requirement = OperationRequirement.for_operation(Texts.lower, allowlist=given)
        assert requirement.constraint.allowlist == ["v1"]
    assert Policy(allowlist=[]).admits("v1") is False


def test_a_refused_requirement_leaves_the_core_as_it_was() -> None:
    one = core()
    with pytest.raises(TypeError):
        one.with_requirement(Texts.lower, mandatory=ANY)
    assert one.operation_requirements == {}


async def test_inputs_and_connections_refuse_one_for_several(harness: Harness) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    taker = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs(minimum=1))
    await harness.start(plugin, taker)
    await harness.compliant(taker)
    with pytest.raises(TypeError, match=r"data must be a list, got 'abc': write \['abc'\]"):
        await taker.execute_distributed("text", anything("abc"))
    (connection,) = plugin.retrieve_connections()
    with pytest.raises(TypeError, match="connections must be a list, got Connection"):
        await plugin.send_result_to_all(anything(connection), "x")
    with pytest.raises(TypeError, match=r"offerable_operations must be a list, got 'text': write \['text'\]"):
        await plugin.send_offer("topic", "core", anything("text"))


async def test_what_is_edited_in_a_dictionary_is_told_once_in_the_log(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = EchoPlugin(identifier="plugin", eventbus_client=harness.client())
    taker = TextCore(identifier="core", eventbus_client=harness.client(), operation_requirements=needs(minimum=1))
    await harness.start(plugin, taker)
    await harness.compliant(taker)
    plugin.operations["more"] = ANY
    taker.operation_requirements["more"] = anything(needs()["text"].constraint)
    await harness.advance(20)
    assert caplog.text.count("operations['more'] must be of class Operation, got 'v1': write operations['more'] =") == 1
    assert caplog.text.count("operation_requirements['more'] must be of class OperationRequirement, got Constr") == 1
    with pytest.raises(TypeError, match="must be of class Operation"):
        plugin.update_operations()
    del plugin.operations["more"], taker.operation_requirements["more"]
    await harness.advance(2)
    assert taker.is_compliant()


@pytest.mark.parametrize(("name", "expected"), [("policy", "Policy"), ("input", "Input"), ("output", "Output")])
def test_an_operation_that_is_edited_refuses_what_it_cannot_have(name: str, expected: str) -> None:
    plugin = Texts(eventbus_client=connect("local://texts"))
    with pytest.raises(TypeError, match=f"{name} must be of class {expected}, got 'v1': write {name}={expected}"):
        setattr(plugin.operations["lower"], name, "v1")
    with pytest.raises(TypeError, match="policy must be of class Policy"):
        plugin.with_custom_policy("lower", ANY)
    with pytest.raises(TypeError, match="operation must be of class Operation"):
        plugin.with_operation("lower", ANY)
    with pytest.raises(TypeError, match="constraint must be of class Constraint"):
        OperationRequirement(ANY)
    with pytest.raises(TypeError, match="default_policy must be of class Policy"):
        operation(name="x", default_policy=ANY)
