"""The only way to change a state. A transition that is not in the tables of the specification cannot happen.

States, triggers and tables are those of `asyncapi.yaml`, in generated code. The machines in this package change a state
only through :func:`next_slot_state`, the orbiters theirs through :func:`next_core_state` and :func:`next_plugin_state`.

A *slot* is what one orbiter knows of one operation shared with one remote: an offer or a request under way, then a
connection. While nothing is known the slot is `FREE`.
"""

from __future__ import annotations

from enum import StrEnum

from orbitalis.errors import LocalProtocolError
from orbitalis_wire.states import (
    CORE_SLOT_TRANSITIONS,
    CORE_TRANSITIONS,
    PLUGIN_SLOT_TRANSITIONS,
    PLUGIN_TRANSITIONS,
    CoreState,
    CoreTrigger,
    PluginState,
    PluginTrigger,
    SlotState,
    SlotTrigger,
)

__all__ = [
    "CoreState",
    "CoreTrigger",
    "PluginState",
    "PluginTrigger",
    "Role",
    "SlotState",
    "SlotTrigger",
    "next_core_state",
    "next_plugin_state",
    "next_slot_state",
]


class Role(StrEnum):
    """Which side of a connection an orbiter is."""

    CORE = "core"
    PLUGIN = "plugin"

    # An enumeration's own hash takes two more calls each time.
    __hash__ = str.__hash__


def next_slot_state(role: Role, state: SlotState, trigger: SlotTrigger) -> SlotState:
    """Return what `trigger` turns `state` into at an orbiter of that role.

    Raises:
        LocalProtocolError: The table has no such transition.
    """
    table = CORE_SLOT_TRANSITIONS if role is Role.CORE else PLUGIN_SLOT_TRANSITIONS
    try:
        return table[state, trigger]
    except KeyError:
        raise LocalProtocolError(f"a {role} has no transition from {state.name} on '{trigger}'") from None


def next_core_state(state: CoreState, trigger: CoreTrigger) -> CoreState:
    """Return what `trigger` turns a core's `state` into.

    Raises:
        LocalProtocolError: The table has no such transition.
    """
    try:
        return CORE_TRANSITIONS[state, trigger]
    except KeyError:
        raise LocalProtocolError(f"a core in state {state.name} allows no {trigger}") from None


def next_plugin_state(state: PluginState, trigger: PluginTrigger) -> PluginState:
    """Return what `trigger` turns a plugin's `state` into.

    Raises:
        LocalProtocolError: The table has no such transition.
    """
    try:
        return PLUGIN_TRANSITIONS[state, trigger]
    except KeyError:
        raise LocalProtocolError(f"a plugin in state {state.name} allows no {trigger}") from None
