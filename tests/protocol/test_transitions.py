"""The tables of transitions: what the protocol needs, and the only way to change a state."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest

from orbitalis.errors import LocalProtocolError
from orbitalis.message import Input, Output
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis.protocol.transitions import (
    CoreState,
    CoreTrigger,
    PluginState,
    PluginTrigger,
    Role,
    SlotState,
    SlotTrigger,
    next_core_state,
    next_plugin_state,
    next_slot_state,
)
from orbitalis_wire.states import (
    CORE_SLOT_TRANSITIONS,
    CORE_TRANSITIONS,
    PLUGIN_SLOT_TRANSITIONS,
    PLUGIN_TRANSITIONS,
)

SLOTS = {Role.CORE: CORE_SLOT_TRANSITIONS, Role.PLUGIN: PLUGIN_SLOT_TRANSITIONS}


@pytest.mark.parametrize("role", list(Role))
def test_every_transition_of_a_slot_is_in_the_table_and_no_other_is_made(role: Role) -> None:
    for state, trigger in itertools.product(SlotState, SlotTrigger):
        if (state, trigger) in SLOTS[role]:
            assert next_slot_state(role, state, trigger) is SLOTS[role][state, trigger]
        else:
            with pytest.raises(LocalProtocolError, match=f"a {role.value} has no transition from {state.name} on"):
                next_slot_state(role, state, trigger)


def test_every_transition_of_a_life_is_in_the_table_and_no_other_is_made() -> None:
    for core_state, core_trigger in itertools.product(CoreState, CoreTrigger):
        if (core_state, core_trigger) in CORE_TRANSITIONS:
            assert next_core_state(core_state, core_trigger) is CORE_TRANSITIONS[core_state, core_trigger]
        else:
            with pytest.raises(LocalProtocolError, match=f"a core in state {core_state.name} allows no"):
                next_core_state(core_state, core_trigger)
    for plugin_state, plugin_trigger in itertools.product(PluginState, PluginTrigger):
        if (plugin_state, plugin_trigger) in PLUGIN_TRANSITIONS:
            assert next_plugin_state(plugin_state, plugin_trigger) is PLUGIN_TRANSITIONS[plugin_state, plugin_trigger]
        else:
            with pytest.raises(LocalProtocolError, match=f"a plugin in state {plugin_state.name} allows no"):
                next_plugin_state(plugin_state, plugin_trigger)


def reachable(table: Mapping[tuple[SlotState, SlotTrigger], SlotState]) -> set[SlotState]:
    found = {SlotState.FREE}
    while more := {after for (before, _), after in table.items() if before in found} - found:
        found |= more
    return found


def test_a_slot_reaches_every_state_of_its_role_and_can_always_become_free() -> None:
    assert reachable(CORE_SLOT_TRANSITIONS) == set(SlotState) - {SlotState.OFFERED}
    assert reachable(PLUGIN_SLOT_TRANSITIONS) == set(SlotState) - {SlotState.REQUESTED}
    for table in SLOTS.values():
        for state in reachable(table) - {SlotState.FREE}:
            for trigger in (SlotTrigger.STOPPED, SlotTrigger.REMOTE_LOST):
                assert table[state, trigger] is SlotState.FREE


def test_the_guides_states_and_transitions_of_a_core_and_a_plugin() -> None:
    assert {state.name for state in PluginState} == {"CREATED", "RUNNING", "STOPPED"}
    assert {state.name for state in CoreState} == {"CREATED", "COMPLIANT", "NOT_COMPLIANT", "STOPPED"}
    assert set(PLUGIN_TRANSITIONS.values()) == {PluginState.RUNNING, PluginState.STOPPED}
    assert next_core_state(CoreState.CREATED, CoreTrigger.STARTED) is CoreState.NOT_COMPLIANT
    assert next_core_state(CoreState.STOPPED, CoreTrigger.STARTED) is CoreState.NOT_COMPLIANT


def slot(remote_identifier: str = "core", operation_name: str = "text") -> Slot:
    return Slot(
        role=Role.PLUGIN,
        remote_identifier=remote_identifier,
        operation_name=operation_name,
        input=Input.string(),
        output=Output.string(),
        created_at=0.0,
        waiting_since=0.0,
    )


def test_a_table_of_slots_finds_each_by_remote_operation_and_topic_until_it_is_free() -> None:
    table = SlotTable()
    ours, theirs = slot(), slot(remote_identifier="other")
    for one in (ours, theirs):
        table.add(one, SlotTrigger.OFFER_SENT)
    table.advance(ours, SlotTrigger.REQUEST_RECEIVED)
    ours.input_topic, ours.output_topic, ours.incoming_close_topic = "in", "out", "close"
    table.index_topics(ours)
    assert table.pending_count == 2
    table.advance(ours, SlotTrigger.PREPARED)

    assert table.pending_count == 1
    assert table.get("core", "text") is ours
    assert table.of_remote("core") == (ours,)
    assert table.of_operation("text") == (ours, theirs)
    assert table.open_of_operation("text") == (ours,)
    assert table.open_count("text") == 1
    assert [table.of_topic(topic) for topic in ("in", "out", "close", "none")] == [(ours,), (ours,), (ours,), ()]
    assert table.remotes() == ("core", "other")
    assert table.count("text") == len(table) == 2

    table.advance(ours, SlotTrigger.GRACEFUL_CLOSE_SENT)
    assert table.open_of_operation("text") == ()
    assert table.count("text") == 2
    table.advance(ours, SlotTrigger.CLOSE_ACK_RECEIVED)
    table.advance(theirs, SlotTrigger.EXPIRED)
    assert list(table) == []
    assert table.pending_count == 0
    assert not any(vars(table).values())


def test_a_transition_that_there_is_not_changes_nothing() -> None:
    table, one = SlotTable(), slot()
    with pytest.raises(LocalProtocolError):
        table.add(one, SlotTrigger.PREPARED)
    assert len(table) == 0
    table.add(one, SlotTrigger.OFFER_SENT)
    with pytest.raises(LocalProtocolError):
        table.advance(one, SlotTrigger.CONFIRM_RECEIVED)
    assert one.state is SlotState.OFFERED
    assert table.pending_count == 1
