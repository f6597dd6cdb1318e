"""What must hold of nodes once faults have stopped and time has passed; numbers as in the promises."""

from __future__ import annotations

from collections.abc import Iterable

from orbitalis.message.schema import schema_fingerprint
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role
from tests.support.invariants import HasMachine

__all__ = ["assert_agreed", "assert_has_what_there_is", "assert_lends_what_is_allowed", "assert_shared"]


def is_shared(nodes: Iterable[HasMachine], node: HasMachine, key: tuple[str, str]) -> bool:
    """Return whether a node's connection is one of its remote's too."""
    mine = node.machine.slots.get(*key)
    other = next(one for one in nodes if one.settings.identifier == key[0])
    theirs = other.machine.slots.get(node.settings.identifier, key[1])
    return (
        mine is not None
        and theirs is not None
        and theirs.is_connection
        and mine.connection_identifier == theirs.connection_identifier
    )


def assert_shared(nodes: Iterable[HasMachine], node: HasMachine, key: tuple[str, str], promise: str) -> None:
    """Fail if one side alone believes in a connection."""
    assert is_shared(nodes, node, key), f"{promise}: '{node.settings.identifier}' alone believes in {key}"


def assert_agreed(nodes: Iterable[HasMachine]) -> None:
    """L1, L2, L6: all that is shared is open, and on both sides."""
    for node in nodes:
        for slot in node.machine.slots:
            assert slot.is_open, f"L2, L6: '{node.settings.identifier}' has {slot.key} in state {slot.state}"
            assert_shared(nodes, node, slot.key, "L1")
            _assert_is_read(nodes, node, slot)


def _assert_is_read(nodes: Iterable[HasMachine], node: HasMachine, slot: Slot) -> None:
    """L1: the other side knows every schema with which this one writes, as its own or as a foreign one."""
    other = next(one for one in nodes if one.settings.identifier == slot.remote_identifier)
    theirs = other.machine.slots.get(node.settings.identifier, slot.operation_name)
    assert theirs is not None
    is_core = node.machine.role is Role.CORE
    written, read = (slot.input, theirs.input) if is_core else (slot.output, theirs.output)
    own = {schema_fingerprint(schema) for schema in read.schemas}
    for schema in written.schemas:
        assert schema_fingerprint(schema) in own | {*(theirs.foreign or ())}, (
            f"L1: '{slot.remote_identifier}' does not read what '{node.settings.identifier}' writes on {slot.key}"
        )


def assert_lends_what_is_allowed(node: HasMachine) -> None:
    """S1, S2: once a plugin knows of an edit, no open connection is one that its policy does not allow."""
    if node.machine.role is not Role.PLUGIN:
        return
    for name, terms in node.settings.operations.items():
        lent = [slot.remote_identifier for slot in node.machine.slots.open_of_operation(name)]
        policy, whose = terms.policy, f"'{node.settings.identifier}' lends '{name}' to {lent}"
        assert policy.maximum is None or len(lent) <= policy.maximum, f"S1: {whose}, {policy.maximum} allowed"
        assert all(map(policy.admits, lent)), f"S2: {whose}, and not all of them are admitted"


def assert_has_what_there_is(nodes: Iterable[HasMachine]) -> None:
    """L4: no plugin is free for what a core lacks."""
    for core in nodes:
        if core.machine.role is Role.CORE:
            for name in core.settings.operation_requirements:
                _has_what_there_is(nodes, core, name)


def _has_what_there_is(nodes: Iterable[HasMachine], core: HasMachine, name: str) -> None:
    identifier = core.settings.identifier
    constraint = core.settings.operation_requirements[name].constraint
    connected = {slot.remote_identifier for slot in core.machine.slots.open_of_operation(name)}
    lacks_some = len(connected - set(constraint.mandatory)) < constraint.minimum
    for plugin in nodes:
        if plugin.machine.role is not Role.PLUGIN:
            continue
        other = plugin.settings.identifier
        terms = plugin.settings.operations.get(name)
        if terms is None or other in connected or not constraint.admits(other):
            continue
        wanted = lacks_some or other in constraint.mandatory
        policy, taken = terms.policy, plugin.machine.slots.count(name)
        is_free = policy.admits(identifier) and (policy.maximum is None or taken < policy.maximum)
        assert not (wanted and is_free), f"L4: '{identifier}' lacks '{name}', '{other}' has it"
