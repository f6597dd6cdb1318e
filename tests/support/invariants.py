"""What holds of a state machine at any time, whatever has happened to it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, Protocol

from orbitalis.bus.topic_filters import check_topic
from orbitalis.protocol.effects import Send
from orbitalis.protocol.handshake.provider import Provider
from orbitalis.protocol.handshake.requester import Requester
from orbitalis.protocol.machine import Machine
from orbitalis.protocol.peers import IncarnationStatus
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis.protocol.waiting_queries import WaitingQuery
from orbitalis_wire import limits
from orbitalis_wire.topics import WillTopic
from tests.support.machines import Node

__all__ = ["HasMachine", "assert_machine_is_sane", "assert_sane", "wanted_topics"]


class HasMachine(Protocol):
    """What is driven by a state machine: a node of a net, or an orbiter."""

    @property
    def machine(self) -> Machine: ...
    @property
    def requester(self) -> Requester: ...
    @property
    def provider(self) -> Provider: ...
    @property
    def settings(self) -> Any: ...


def assert_sane(node: Node, *, are_bounds_edited: bool = False) -> None:
    """Fail unless everything that a node and its machine keep fits together.

    Where bounds are edited, they may be lower than what was taken before.
    """
    assert_machine_is_sane(node, are_bounds_edited=are_bounds_edited)
    assert sorted(node.topics) == sorted(wanted_topics(node.machine))
    assert sorted(node.wills) == sorted(_wanted_wills(node.machine))
    for send in node.had(Send):
        _can_be_published(node, send)


def assert_machine_is_sane(node: HasMachine, *, are_bounds_edited: bool = False) -> None:
    """Fail unless everything that a machine keeps fits together."""
    _tables_agree(node.machine)
    slots = node.machine.slots
    assert slots.pending_count <= node.settings.limits.pending_requests
    _obstacles_are_kept_in_bounds(node.machine)
    if not are_bounds_edited:
        _counts_are_within_bounds(node)
    _slots_are_due_in_time(node)
    _peers_are_known(node)
    _suspicions_agree(node.machine)
    if node.machine.role is Role.PLUGIN:
        _waiting_queries_agree(node)
        if not are_bounds_edited:
            _nobody_waits_in_vain(node)
    else:
        requester = node.requester
        assert requester._directed_count <= limits.DIRECTED_DISCOVERS
        assert max(len(requester.silent), len(requester.heard_of)) <= limits.DIRECTED_DISCOVERS


def _tables_agree(machine: Machine) -> None:
    slots = machine.slots
    by_remote: dict[str, dict[str, Slot]] = {}
    by_operation: dict[str, dict[str, Slot]] = {}
    by_topic: dict[str, list[Slot]] = {}
    unanswered: set[Slot] = set()
    pending_count = pending_bytes = connection_bytes = 0
    for slot in slots:
        assert slot.state is not SlotState.FREE
        assert slot.role is machine.role
        by_remote.setdefault(slot.remote_identifier, {})[slot.operation_name] = slot
        by_operation.setdefault(slot.operation_name, {})[slot.remote_identifier] = slot
        if slot.state is not SlotState.OFFERED:
            for topic in (slot.input_topic, slot.output_topic, slot.incoming_close_topic):
                if topic:
                    by_topic.setdefault(topic, []).append(slot)
        if slot.is_connection:
            connection_bytes += slot.size
        else:
            pending_count += 1
            pending_bytes += slot.size
            if slot.state in (SlotState.OFFERED, SlotState.REQUESTED):
                unanswered.add(slot)
    assert slots._by_remote == by_remote
    assert len(slots) == sum(map(len, by_remote.values()))
    assert slots.connection_count == len(slots) - pending_count
    assert (slots.pending_count, slots.pending_bytes) == (pending_count, pending_bytes)
    assert slots.connection_bytes == connection_bytes
    assert slots._unanswered.keys() == unanswered
    assert slots._by_topic.keys() == by_topic.keys()
    for topic, users in by_topic.items():
        assert set(slots.of_topic(topic)) == set(users)
    assert slots._by_operation.keys() == by_operation.keys()
    for name, found in slots._by_operation.items():
        mine = by_operation[name]
        assert found.slots == mine
        opened = {slot for slot in mine.values() if slot.is_open}
        in_order = slots.open_of_operation(name)
        assert set(in_order) == opened
        assert [slot.opened_at for slot in in_order] == sorted(slot.opened_at for slot in opened)
        assert slots.open_count(name) == len(opened)
        by_input = slots.open_by_input(name)
        assert {slot for group in by_input for slot in group} == {slot for slot in opened if slot.input_topic}
        assert all(slot.input == group[0].input for group in by_input for slot in group)
        assert set(slots.answerable_of_operation(name)) == {slot for slot in mine.values() if slot.is_answerable}


def _obstacles_are_kept_in_bounds(machine: Machine) -> None:
    obstacles, slots = machine.obstacles, machine.slots
    assert len(obstacles.found) <= limits.OBSTACLES
    assert obstacles.bytes == sum(one.size for one in obstacles.found.values()) <= limits.OBSTACLE_BYTES
    for key, obstacle in obstacles.found.items():
        assert key == (obstacle.remote_identifier, obstacle.operation_name)
        slot = slots.get(*key)
        assert slot is None or not slot.is_open, f"{key} is open, and yet there is an obstacle: {obstacle}"


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
    assert node.requester.compliant is (node.machine.running and node.requester.is_compliant())


def _slots_are_due_in_time(node: HasMachine) -> None:
    """Fail unless each slot is due when its state says; an open one, or a handshake, may be looked at earlier."""
    lifecycle, settings = node.machine._lifecycle, node.settings
    count = 0
    for slot in node.machine.slots:
        since: float | None
        if slot.is_open:
            since, duration = None, settings.close_connection_if_unused_after
        elif slot.is_connection:
            since, duration = slot.closing_at, settings.graceful_close_timeout
        else:
            since, duration = slot.waiting_since, settings.pending_requests_expire_after
        count += slot.due_at is not None
        if duration is None:
            assert slot.due_at is None
        elif not slot.is_open:
            assert since is not None
            at, is_early_enough = since + duration, slot in lifecycle._due
            if slot.due_at is not None:
                is_early_enough = slot.due_at == at if slot.is_connection else slot.due_at <= at
            assert is_early_enough
    assert len(lifecycle.deadlines) == count


def _peers_are_known(node: HasMachine) -> None:
    machine, settings = node.machine, node.settings
    slots, peers = machine.slots, machine.peers
    known = {peer.identifier: peer for peer in peers.all()}
    engaged = set(slots.remotes())
    assert engaged <= known.keys()
    assert peers._parted.keys() == known.keys() - engaged
    assert len(known) <= settings.limits.known_remotes
    assert len(peers.deadlines) == sum(peer.due_at is not None for peer in known.values())
    for identifier, peer in known.items():
        with_it = slots.with_remote(identifier).values()
        assert peer.connections == sum(slot.is_connection for slot in with_it)
        assert not (peer.is_dead and with_it)
        first = peer.last_seen + (peers._probe_after if peer.probed_at is None else peers._dead_after)
        if peer.connections and peer.last_keepalive_sent is not None:
            first = min(first, peer.last_keepalive_sent + peers._keepalive_interval(peer.considers_me_dead_after))
        if peer.is_dead:
            continue
        assert first == math.inf or peer in peers._due or (peer.due_at is not None and peer.due_at <= first)
        assert peer.reconcile_at is None or peer in peers._due or (peer.due_at or math.inf) <= peer.reconcile_at


def wanted_topics(machine: Machine) -> list[str]:
    """Return what has to be subscribed to for what is shared with remotes."""
    wanted: list[str] = []
    for slot in machine.slots:
        if slot.state is not SlotState.OFFERED:
            wanted += slot.local_topics
        if slot.state is SlotState.CLOSING:
            assert slot.ack_topic is not None
            wanted.append(slot.ack_topic)
    return wanted


def _wanted_wills(machine: Machine) -> list[str]:
    """Return the topics of the wills that are to be listened for."""
    if machine._config.suspicion_grace is None:
        return []
    return [WillTopic.join(peer.identifier) for peer in machine.peers.all() if peer.connections and peer.sends_headers]


def _suspicions_agree(machine: Machine) -> None:
    suspicions, suspected = machine._suspicions, machine.peers.suspected
    assert suspicions.recent.keys() <= suspicions._watched.keys()
    assert suspected.items() <= suspicions.recent.items()
    assert len(suspicions.deadlines) == len(suspicions.recent)
    assert all(one.due_at is not None and one.asked <= 4 for one in suspicions.recent.values())


def _waiting_queries_agree(node: HasMachine) -> None:
    provider, waiting = node.provider, node.provider.waiting_queries
    ranked: defaultdict[int, set[WaitingQuery]] = defaultdict(set)
    by_operation: dict[str, dict[str, WaitingQuery]] = {}
    size = 0
    for identifier, core in waiting._by_core.items():
        assert core.core_identifier == identifier
        assert core.queries
        size += core.size
        for name, query in core.queries.items():
            assert query.core is core
            assert query.operation_name == name
            size += query.size
            ranked[query.rank].add(query)
            by_operation.setdefault(name, {})[identifier] = query
            assert core.due_at is not None
    assert {name: queue.waiting for name, queue in waiting._by_operation.items()} == by_operation
    assert {rank: set(queries) for rank, queries in waiting._ranked.items() if queries} == ranked
    assert len(waiting) == sum(map(len, ranked.values())) <= limits.WAITING_QUERIES
    assert waiting.bytes == size <= limits.WAITING_QUERY_BYTES
    assert len(waiting.deadlines) == len(waiting._by_core)
    for queue in waiting._by_operation.values():
        having_turns = [query for query in queue.waiting.values() if query.is_looked_at]
        assert queue.turns == sorted((query.is_put_off, query.place, query) for query in having_turns)
        places = [query.place for query in queue.waiting.values()]
        assert places == sorted(set(places))
    assert node.machine.running or not waiting
    assert not provider._freed or not node.machine.quotas.has_room_for_pending()


def _nobody_waits_in_vain(node: HasMachine) -> None:
    provider, operations = node.provider, node.provider._config.operations
    for identifier, core in provider.waiting_queries._by_core.items():
        for name, query in core.queries.items():
            slot = node.machine.slots.get(identifier, name)
            if slot is not None:
                # What is open with a core is not what one waits for that claims to be its next incarnation.
                status = node.machine.peers.status(identifier, core)
                assert not slot.is_open or status is IncarnationStatus.UNKNOWN
            elif provider._suited_late(core, name, query.query, core.asked_at) is not None:
                assert query.is_looked_at
                assert not provider._can_lend(identifier, name, operations[name])


def _can_be_published(node: Node, send: Send) -> None:
    check_topic(send.topic)
    if send.topic.startswith("orbitalis/"):
        recipient, sender = send.topic.split("/")[1:3]
        assert sender == node.identifier
        assert recipient == send.remote_identifier
