"""What holds of a state machine at any time, whatever has happened to it."""

from __future__ import annotations

from typing import Any, Protocol

from orbitalis.bus.topics import check_topic
from orbitalis.protocol.core import CoreProtocol
from orbitalis.protocol.effects import Send
from orbitalis.protocol.offering import _rules
from orbitalis.protocol.orbiter import OrbiterProtocol
from orbitalis.protocol.plugin import PluginProtocol
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire import limits
from tests.support.machines import Node

__all__ = ["HasMachine", "assert_machine_is_sane", "assert_sane", "wanted_topics"]


class HasMachine(Protocol):
    """Whoever is driven by a state machine: a node of a net, or an orbiter."""

    @property
    def machine(self) -> OrbiterProtocol: ...
    @property
    def core(self) -> CoreProtocol: ...
    @property
    def plugin(self) -> PluginProtocol: ...
    @property
    def settings(self) -> Any: ...


def assert_sane(node: Node, *, are_bounds_edited: bool = False) -> None:
    """Fail unless everything that a node and its machine keep fits together.

    Where bounds are edited, they may be lower than what was taken before.
    """
    assert_machine_is_sane(node, are_bounds_edited=are_bounds_edited)
    assert sorted(node.topics) == sorted(wanted_topics(node.machine))
    for send in node.had(Send):
        _can_be_published(node, send)


def assert_machine_is_sane(node: HasMachine, *, are_bounds_edited: bool = False) -> None:
    """Fail unless everything that a machine keeps fits together."""
    _tables_agree(node)
    slots = node.machine.slots
    assert slots.pending_count <= node.settings.maximum_pending_requests
    assert slots.pending_bytes == sum(slot.weight for slot in slots if not slot.is_connection)
    assert slots.connection_bytes == sum(slot.weight for slot in slots if slot.is_connection)
    assert set(slots._unanswered.values()) == {slot for slot in slots if slot.is_unanswered}
    if not are_bounds_edited:
        _counts_are_within_bounds(node)
    _deadlines_belong_to_something(node)
    _remotes_are_known(node)
    if node.machine.role is Role.PLUGIN:
        _wishes_agree(node)
        if not are_bounds_edited:
            _nobody_waits_in_vain(node)
    else:
        assert node.core._directed_count <= limits.DIRECTED_DISCOVERS


def _tables_agree(node: HasMachine) -> None:
    slots = node.machine.slots
    everything = list(slots)
    assert slots._by_key == {slot.key: slot for slot in everything}
    assert len({id(slot) for slot in everything}) == len(everything)
    by_remote: dict[str, dict[str, object]] = {}
    by_operation: dict[str, dict[str, object]] = {}
    by_topic: dict[str, dict[tuple[str, str], object]] = {}
    for slot in everything:
        by_remote.setdefault(slot.remote_identifier, {})[slot.operation_name] = slot
        by_operation.setdefault(slot.operation_name, {})[slot.remote_identifier] = slot
        if slot.state is not SlotState.OFFERED:
            for topic in filter(None, (slot.input_topic, slot.output_topic, slot.incoming_close_topic)):
                by_topic.setdefault(topic, {})[slot.key] = slot
    assert slots._by_remote == by_remote
    assert {name: found.by_remote for name, found in slots._by_operation.items()} == by_operation
    assert slots._by_topic == by_topic
    for name, found in slots._by_operation.items():
        assert set(found.open.values()) == {slot for slot in slots.of_operation(name) if slot.is_open}
        assert set(slots.open_of_operation(name)) == set(found.open.values())
        answerable = set(found.open.values()) | set(found.draining.values())
        assert answerable == {slot for slot in slots.of_operation(name) if slot.is_answerable}
    assert slots.pending_count == sum(not slot.is_connection for slot in everything)
    assert all(slot.state is not SlotState.FREE and slot.role is node.machine.role for slot in everything)


def _counts_are_within_bounds(node: HasMachine) -> None:
    slots, settings = node.machine.slots, node.settings
    if node.machine.role is Role.PLUGIN:
        for name, terms in settings.operations.items():
            assert terms.policy.maximum is None or slots.count(name) <= terms.policy.maximum
        return
    for name, requirement in settings.operation_requirements.items():
        constraint = requirement.constraint
        others = [slot for slot in slots.of_operation(name) if slot.remote_identifier not in constraint.mandatory]
        assert constraint.maximum is None or len(others) <= constraint.maximum
    assert node.core.compliant is (node.machine.running and node.core.is_compliant())


def _deadlines_belong_to_something(node: HasMachine) -> None:
    machine = node.machine
    pending = {slot.key for slot in machine.slots if not slot.is_connection}
    closing = {slot.key for slot in machine.slots if slot.is_connection and not slot.is_open}
    if node.settings.pending_requests_expire_after is not None:
        assert set(machine._pending_deadlines._at) == pending
    if node.settings.graceful_close_timeout is not None:
        assert set(machine._close_deadlines._at) == closing
    assert set(machine._unused_deadlines._at) <= {slot.key for slot in machine.slots if slot.is_connection}


def _remotes_are_known(node: HasMachine) -> None:
    slots, known = node.machine.slots, node.machine.acquaintances
    remotes = {remote.identifier: remote for remote in known.all()}
    engaged = set(slots.remotes())
    assert engaged <= set(remotes)
    assert set(known._parted) == set(remotes) - engaged
    assert len(remotes) <= node.settings.maximum_known_remotes
    for deadlines in (known._keepalives, known._probes, known._silences):
        assert set(deadlines._at) <= set(remotes)
    connected = {slot.remote_identifier for slot in slots if slot.is_connection}
    assert {identifier for identifier, remote in remotes.items() if remote.is_owed_keepalives} == connected
    assert set(known._keepalives._at) <= connected
    alive = {identifier for identifier, remote in remotes.items() if not remote.is_dead}
    assert engaged <= alive
    if node.settings.consider_others_dead_after is not None:
        assert set(known._silences._at) == alive


def wanted_topics(machine: OrbiterProtocol) -> list[str]:
    """Return what has to be subscribed to for what is shared with remotes."""
    wanted: list[str] = []
    for slot in machine.slots:
        if slot.state is not SlotState.OFFERED:
            wanted += slot.local_topics
        if slot.state is SlotState.CLOSING:
            assert slot.ack_topic is not None
            wanted.append(slot.ack_topic)
    return wanted


def _wishes_agree(node: HasMachine) -> None:
    plugin, wishes = node.plugin, node.plugin.wishes
    by_operation = wishes._by_operation
    pairs = {(core, name) for core, wish in wishes._by_core.items() for name in wish.queries}
    assert pairs == {(core, name) for name, waiting in by_operation.items() for core in waiting}
    assert all(wish is wishes._by_core[core] for waiting in by_operation.values() for core, wish in waiting.items())
    assert len(wishes) == len(pairs) <= limits.WAITING_QUERIES
    assert wishes.bytes == sum(wish.weight for wish in wishes._by_core.values()) <= limits.WAITING_QUERY_BYTES
    assert set(wishes._deadlines._at) == set(wishes._by_core)
    assert {name: set(turns._places) for name, turns in wishes._turns.items()} == {
        name: set(waiting) for name, waiting in by_operation.items()
    }
    assert [set(keys) for keys in wishes._ranked] == [
        {(core, name) for core, wish in wishes._by_core.items() for name in wish.queries if wish.ranks[name] == rank}
        for rank in range(len(wishes._ranked))
    ]
    assert all(set(wish.ranks) == set(wish.weights) == set(wish.queries) for wish in wishes._by_core.values())
    for turns in wishes._turns.values():
        assert turns._order == sorted({turns._turn(core) for _, _, core in turns._order})
        assert turns._put_off <= {core for core, wish in wishes._by_core.items() if wish.is_put_off}
    assert all(wish.queries for wish in wishes._by_core.values())
    assert plugin.running or not wishes
    assert not plugin._freed or not plugin._has_room_for_pending()


def _nobody_waits_in_vain(node: HasMachine) -> None:
    plugin = node.plugin
    for wish in plugin.wishes._by_core.values():
        for name, query in wish.queries.items():
            slot = plugin.slots.get(wish.core_identifier, name)
            assert slot is None or not slot.is_open
            can_be_offered = plugin._suited(name, query) and plugin._can_lend(wish.core_identifier, name)
            assert slot is not None or not can_be_offered
            has_turn = any(core == wish.core_identifier for _, _, core in plugin.wishes._turns[name]._order)
            assert has_turn or plugin._suited_late(wish, name) is None or _has_changed(plugin, name)


def _has_changed(plugin: PluginProtocol, name: str) -> bool:
    """Return whether an operation is another one than when the plugin last looked."""
    terms = plugin._settings.operations[name]
    return plugin._known_terms.get(name) != ((terms.input, terms.output), _rules(terms))


def _can_be_published(node: Node, send: Send) -> None:
    check_topic(send.topic)
    if send.topic.startswith("orbitalis/"):
        recipient, sender = send.topic.split("/")[1:3]
        assert sender == node.identifier
        assert recipient == send.remote_identifier
