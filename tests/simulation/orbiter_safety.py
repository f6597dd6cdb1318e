"""What must hold of real orbiters at every moment of a simulation over asyncio; numbers as in :mod:`safety`."""

from __future__ import annotations

import asyncio
from typing import Any

from orbitalis.bus import LocalEventBus
from orbitalis.core import Core
from orbitalis.message.event import Event
from orbitalis.operations.connection import Connection
from orbitalis.orbiter import Orbiter
from orbitalis.orbiter.slot_work import DrainingWork, PreparationWork
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import CoreState, SlotState
from orbitalis_wire.messages import KeepaliveRequestMessage, StringMessage
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
        self._before_edit[orbiter] = set(orbiter._machine.slots)

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
    # What a handler was about to publish at that moment is on its way already.
    is_data, is_over = isinstance(event.payload, StringMessage), asyncio.get_running_loop().time() > one.stopped_at
    assert one.orbiter.is_running or (is_data and not is_over), f"S5: '{one.identifier}' has stopped, and sends {what}"
    if topic in (one.orbiter.discover_topic, one.orbiter.announce_topic):
        return
    if isinstance(event.payload, KeepaliveRequestMessage) and topic.startswith("$keepalive."):
        return  # in case that the one it names is an older peer
    sender = topic.split("/")[2]
    assert sender in (one.identifier, "-"), f"S8: '{one.identifier}' publishes a {what}"


def _compliance_is_true(orbiter: Orbiter) -> None:
    """S4, worked out anew."""
    if not isinstance(orbiter, Core):
        return
    is_compliant, is_not = orbiter.compliant_event.is_set(), orbiter.not_compliant_event.is_set()
    assert is_compliant == (orbiter.state is CoreState.COMPLIANT), f"S4: {orbiter}: {orbiter.state}"
    assert is_not == (orbiter.state is CoreState.NOT_COMPLIANT), f"S4: {orbiter}: {orbiter.state}"
    if not orbiter.is_running or not orbiter._machine.running:
        return
    met = True
    for name, requirement in orbiter.operation_requirements.items():
        constraint = requirement.constraint
        connected = {
            slot.remote_identifier for slot in orbiter._machine.slots.of_operation(name) if slot.state is SlotState.OPEN
        }
        mandatory = set(constraint.mandatory)
        met = met and mandatory <= connected and len(connected - mandatory) >= constraint.minimum
    assert is_compliant == met, f"S4: {orbiter} is compliant: {is_compliant}, and should not be"


def _what_users_see_is_true(orbiter: Orbiter) -> None:
    """Hold the tables of the runtime against those of the machine: S3 and S6."""
    runtime, slots = orbiter._runtime, set(orbiter._machine.slots)
    connections = {slot for slot in slots if slot.is_connection}
    for slot in slots:
        topic = slot.outgoing_data_topic
        headers = None if topic is None else runtime._headers_on(topic)
        assert (headers is not None) == (slot.is_connection and topic is not None), f"S6: {orbiter}: headers of {slot}"
        assert isinstance(slot.view, Connection) == slot.is_connection, f"S3: {orbiter} shows {slot.view}, has {slot}"
    assert not runtime._under_way, f"S6: {orbiter}: {runtime._under_way}"
    undecided = set(runtime.delivery._undecided) - {slot for slot in slots if slot.state is SlotState.REQUESTED}
    assert not undecided, f"S6: {orbiter} keeps outputs for {undecided}"
    assert runtime._promoted.keys() <= connections, f"S6: {orbiter}: {runtime._promoted}"
    queues = runtime.queues
    assert queues.waiting == sum(len(queue.waiting) for queue in queues.under_way.values())
    assert queues.waiting_bytes == sum(queue.size for queue in queues.under_way.values()) >= 0
    if isinstance(orbiter, Core):
        if isinstance(orbiter, ShakyCore):
            assert len(orbiter._awaited) <= orbiter.asking, f"S6: {orbiter} waits for more than it was asked to"
        awaited = set(orbiter._awaited._by_slot) - connections
        assert not awaited, f"L5: {orbiter} waits for answers on {awaited}"


def _is_at_rest(orbiter: Orbiter) -> bool:
    """Return whether no queue has work that may change subscriptions."""
    return all(
        isinstance(key, PreparationWork | DrainingWork) or key == ("compliance",)
        for key in orbiter._runtime.queues.under_way
    )


def _subscriptions_are_what_is_needed(orbiter: Orbiter, client: ShakyBusClient) -> None:
    """S7."""
    wanted = {*orbiter._protocol_filters(), *orbiter._responder.filters, *wanted_topics(orbiter._machine)}
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
    assert client.publish_message is None
    assert client.on_reconnected is None
    loop = orbiter._loop
    assert loop._alarm is loop._timer is None, f"S5: '{one.identifier}' has stopped, and a timer is set"
    assert not loop._tasks
    assert len(list(one.machine.slots)) == len(one.machine.peers) == 0
    assert one.machine.next_deadline() is None
    runtime = orbiter._runtime
    for table in (
        runtime.delivery._undecided,
        runtime._announced,
        runtime._promoted,
        runtime.queues.under_way,
    ):
        assert not table, f"S6: '{one.identifier}' has stopped, and keeps {table}"
    assert runtime.queues.waiting == runtime.queues.waiting_bytes == 0
    if isinstance(orbiter, Core):
        assert not orbiter._awaited
        assert not orbiter._executions
        assert orbiter._alarm is None, f"S5: '{one.identifier}' has stopped, and a timer for requests is set"


def assert_nobody_is_on(bus: LocalEventBus) -> None:
    """Fail if there is a subscription."""
    filters = bus._subscriptions
    for table in (filters._one, filters._several, filters._open_ended, filters._shapes, filters._uses):
        assert not table
