"""What must hold of real orbiters at every moment of a simulation over asyncio; numbers as in :mod:`safety`."""

from __future__ import annotations

import asyncio
from typing import Any

from orbitalis.bus import LocalEventBus
from orbitalis.core import Core
from orbitalis.message.event import Event
from orbitalis.orbiter import Orbiter
from orbitalis.orbiter.slot_lanes import DrainingLane, PreparationLane
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import CoreState, SlotState
from tests.simulation.inhabitants import Inhabitant
from tests.simulation.shaky_bus import ShakyBusClient
from tests.simulation.shaky_orbiters import ShakyCore
from tests.support.invariants import assert_machine_is_sane, wanted_topics

__all__ = ["OrbiterSafety", "assert_nobody_is_on", "assert_nothing_is_left_of", "check_published"]


class OrbiterSafety:
    """Looks at orbiters; knows what was there when their bounds were edited."""

    def __init__(self) -> None:
        self._before_edit: dict[Orbiter, set[Slot]] = {}

    def edited(self, orbiter: Orbiter) -> None:
        """Take the report that bounds have been edited: what is there may stay."""
        self._before_edit[orbiter] = set(orbiter._protocol.slots)

    def check(self, one: Inhabitant, *, is_idle: bool) -> None:
        """Fail unless all is well; when nothing can happen before time passes, subscriptions are as the state needs."""
        orbiter = one.orbiter
        assert_machine_is_sane(one, are_bounds_edited=True)
        self._bounds_are_kept(one)
        _compliance_is_true(orbiter)
        _what_users_see_is_true(orbiter)
        if one.is_changing:
            return
        assert orbiter.is_running == one.machine.running
        if is_idle and orbiter.is_running and not one.is_maimed and _is_at_rest(orbiter):
            _subscriptions_are_what_is_needed(orbiter, one.client)

    def _bounds_are_kept(self, one: Inhabitant) -> None:
        """S1 and S2. An edit may leave more than it allows, but nothing is added."""
        old = self._before_edit.get(one.orbiter, set())
        by_operation: dict[str, set[Slot]] = {}
        for slot in one.machine.slots:
            by_operation.setdefault(slot.operation_name, set()).add(slot)
        for name, taken in by_operation.items():
            rules = one.requirements[name].constraint if one.is_core else one.operations[name].policy
            exempt = rules.mandatory if one.is_core else ()
            counted = {slot for slot in taken if slot.remote_identifier not in exempt}
            if rules.maximum is not None and len(counted) > rules.maximum:
                assert counted <= old, f"S1: '{one.identifier}' has {len(counted)} of '{name}', {rules.maximum} allowed"
            for slot in taken - old:
                assert rules.admits(slot.remote_identifier), (
                    f"S2: {one.identifier} shares {slot.key}, which is excluded"
                )


def check_published(one: Inhabitant, client: ShakyBusClient, topic: str, event: Event[Any]) -> None:
    """Fail if something is published that must not be: S5 and S8."""
    assert client is one.client
    what = f"{type(event.payload).__name__} on {topic}"
    assert one.orbiter.is_running, f"S5: '{one.identifier}' has stopped, and publishes a {what}"
    if topic in (one.orbiter.discover_topic, one.orbiter.announce_topic):
        return
    sender = topic.split("/")[2]
    assert sender in (one.identifier, "-"), f"S8: '{one.identifier}' publishes a {what}"


def _compliance_is_true(orbiter: Orbiter) -> None:
    """S4, worked out anew."""
    if not isinstance(orbiter, Core):
        return
    is_compliant, is_not = orbiter.compliant_event.is_set(), orbiter.not_compliant_event.is_set()
    assert is_compliant == (orbiter.state is CoreState.COMPLIANT), f"S4: {orbiter}: {orbiter.state}"
    assert is_not == (orbiter.state is CoreState.NOT_COMPLIANT), f"S4: {orbiter}: {orbiter.state}"
    if not orbiter.is_running or not orbiter._protocol.running:
        return
    met = True
    for name, requirement in orbiter.operation_requirements.items():
        constraint = requirement.constraint
        connected = {
            slot.remote_identifier
            for slot in orbiter._protocol.slots.of_operation(name)
            if slot.state is SlotState.OPEN
        }
        mandatory = set(constraint.mandatory)
        met = met and mandatory <= connected and len(connected - mandatory) >= constraint.minimum
    assert is_compliant == met, f"S4: {orbiter} is compliant: {is_compliant}, and should not be"


def _what_users_see_is_true(orbiter: Orbiter) -> None:
    """Hold the tables of the carrier against those of the machine: S3 and S6."""
    carrier, slots = orbiter._carrier, set(orbiter._protocol.slots)
    connections = {slot for slot in slots if slot.is_connection}
    assert set(carrier.connections) == connections, f"S3: {orbiter} shows {carrier.connections}, has {connections}"
    stamped = {slot.input_topic if isinstance(orbiter, Core) else slot.output_topic for slot in connections} - {None}
    assert set(orbiter.eventbus_client.topic_stamps) == stamped, f"S6: {orbiter}: stamps"
    assert set(carrier._pending_requests) <= slots - connections, f"S6: {orbiter}: {carrier._pending_requests}"
    undecided = set(carrier.data._undecided) - {slot for slot in slots if slot.state is SlotState.REQUESTED}
    assert not undecided, f"S6: {orbiter} keeps outputs for {undecided}"
    lanes = carrier.lanes
    assert len(lanes) == sum(len(lane.queue) for lane in lanes._lanes.values())
    if isinstance(orbiter, Core):
        if isinstance(orbiter, ShakyCore):
            assert len(orbiter._awaited) <= orbiter.asking, f"S6: {orbiter} waits for more than it was asked to"
        awaited = set(orbiter._awaited._by_slot) - connections
        assert not awaited, f"L5: {orbiter} waits for answers on {awaited}"


def _is_at_rest(orbiter: Orbiter) -> bool:
    """Return whether no lane has work that may change subscriptions."""
    return all(
        isinstance(key, PreparationLane | DrainingLane) or key == ("compliance",)
        for key in orbiter._carrier.lanes._lanes
    )


def _subscriptions_are_what_is_needed(orbiter: Orbiter, client: ShakyBusClient) -> None:
    """S7."""
    wanted = {*orbiter._protocol_filters(), *wanted_topics(orbiter._protocol)}
    there = set(client._subscriptions)
    assert there <= wanted, f"S7: '{orbiter.identifier}' is still subscribed to {sorted(there - wanted)}"
    lacking = wanted - there - client.not_subscribed
    assert not lacking, f"S7: '{orbiter.identifier}' is not subscribed to {sorted(lacking)}"


def assert_nothing_is_left_of(one: Inhabitant) -> None:
    """Fail if anything of an orbiter that has stopped is still there: S5 and S7."""
    orbiter, client = one.orbiter, one.client
    assert not orbiter.is_running, f"S5: '{one.identifier}' still runs"
    here = asyncio.current_task()
    tasks = one.tasks() - {here}
    assert not tasks, f"S5: '{one.identifier}' has stopped, and these tasks go on: {tasks}"
    assert client._subscriptions == {}, f"S7: '{one.identifier}' has stopped: {sorted(client._subscriptions)}"
    assert not client.is_connected
    assert client.topic_stamps == {}
    assert client.on_reconnected is None
    assert orbiter._orbiter_loop._alarm is None, f"S5: '{one.identifier}' has stopped, and a timer is set"
    assert not orbiter._orbiter_loop._tasks
    assert len(list(one.machine.slots)) == len(one.machine.acquaintances) == 0
    assert one.machine.next_deadline() is None
    carrier = orbiter._carrier
    assert carrier.connections == {}
    assert carrier._pending_requests == {}
    assert carrier.data._undecided == {}
    assert not carrier.lanes._lanes
    assert len(carrier.lanes) == 0
    if isinstance(orbiter, Core):
        assert not orbiter._awaited
        assert not orbiter._executions


def assert_nobody_is_on(bus: LocalEventBus) -> None:
    """Fail if there is a subscription."""
    assert bus._subscriptions._exact == {}
    assert not bus._subscriptions._root.children
