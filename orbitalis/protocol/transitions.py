"""The states of a slot and of the orbiters, and every transition between them.

One rule: what a state may turn into is said here and nowhere else. The machines in this package change a state only
through :func:`next_slot_state`, :func:`next_core_state` and :func:`next_plugin_state`, and the diagrams in
`docs/states.md` are drawn from these tables.

A *slot* is what one orbiter knows of one operation shared with one remote: an offer or a request under way, then a
connection. While nothing is known the slot is `FREE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from orbitalis.errors import LocalProtocolError

__all__ = [
    "CORE_LIFE",
    "CORE_SLOT",
    "PLUGIN_LIFE",
    "PLUGIN_SLOT",
    "CoreState",
    "LifeTrigger",
    "PluginState",
    "Role",
    "SlotState",
    "SlotTrigger",
    "next_core_state",
    "next_plugin_state",
    "next_slot_state",
]


class _Key(StrEnum):
    """A key of the tables below, hashed as a text is: an enumeration's own hash takes two more calls each time."""

    __hash__ = str.__hash__


class Role(_Key):
    """Which side of a connection an orbiter is."""

    CORE = "core"
    PLUGIN = "plugin"


class SlotState(_Key):
    """How far one operation with one remote has come."""

    FREE = "free"
    """Nothing is agreed or under way."""
    OFFERED = "offered"
    """Plugin: an offer is out, the slot is reserved."""
    PREPARING = "preparing"
    """Topics are being subscribed to; core: setup data is produced, plugin: the operation is set up."""
    REQUESTED = "requested"
    """Core: a request is out, the slot is reserved."""
    OPEN = "open"
    """Connected."""
    CLOSING = "closing"
    """A graceful close is out and not yet acknowledged."""
    DRAINING = "draining"
    """A graceful close was received: what has come before is handled, and answered, and nothing new is begun."""


class SlotTrigger(_Key):
    """What can happen to a slot."""

    OFFER_SENT = "offer sent"
    OFFER_ACCEPTED = "offer accepted"
    REQUEST_RECEIVED = "request received"
    REJECT_RECEIVED = "reject received"
    PREPARED = "prepared"
    PREPARATION_FAILED = "preparation failed"
    CONFIRM_RECEIVED = "confirm received"
    NO_LONGER_AVAILABLE_RECEIVED = "no longer available received"
    WITHDRAWN = "offer withdrawn"
    EXPIRED = "expired"
    GRACEFUL_CLOSE_SENT = "graceful close sent"
    GRACEFUL_CLOSE_RECEIVED = "graceful close received"
    GRACELESS_CLOSE_SENT = "graceless close sent"
    GRACELESS_CLOSE_RECEIVED = "graceless close received"
    CLOSE_ACK_RECEIVED = "close ack received"
    DRAINED = "drained"
    CLOSED_HERE = "closed on this side alone"
    REPLACED = "replaced by a newer handshake"
    REMOTE_LOST = "remote dead or restarted"
    STOPPED = "stopped"


class PluginState(StrEnum):
    """Life of a plugin, as in the user guide."""

    CREATED = "created"
    RUNNING = "running"
    STOPPED = "stopped"


class CoreState(StrEnum):
    """Life of a core, as in the user guide."""

    CREATED = "created"
    COMPLIANT = "compliant"
    NOT_COMPLIANT = "not compliant"
    STOPPED = "stopped"


class LifeTrigger(StrEnum):
    """What can happen to an orbiter as a whole."""

    STARTED = "start()"
    STARTED_COMPLIANT = "start() with nothing missing"
    NEEDS_MET = "needs met"
    NEEDS_NOT_MET = "needs no longer met"
    STOPPED = "stop()"


_S = SlotState
_T = SlotTrigger

_CONNECTION: Final = {
    (_S.OPEN, _T.GRACEFUL_CLOSE_SENT): _S.CLOSING,
    (_S.OPEN, _T.GRACEFUL_CLOSE_RECEIVED): _S.DRAINING,
    (_S.OPEN, _T.GRACELESS_CLOSE_SENT): _S.FREE,
    (_S.OPEN, _T.GRACELESS_CLOSE_RECEIVED): _S.FREE,
    (_S.OPEN, _T.CLOSED_HERE): _S.FREE,
    (_S.OPEN, _T.REPLACED): _S.FREE,
    (_S.OPEN, _T.REMOTE_LOST): _S.FREE,
    (_S.OPEN, _T.STOPPED): _S.FREE,
    (_S.CLOSING, _T.GRACEFUL_CLOSE_RECEIVED): _S.FREE,
    (_S.CLOSING, _T.GRACELESS_CLOSE_SENT): _S.FREE,
    (_S.CLOSING, _T.GRACELESS_CLOSE_RECEIVED): _S.FREE,
    (_S.CLOSING, _T.CLOSE_ACK_RECEIVED): _S.FREE,
    (_S.CLOSING, _T.CLOSED_HERE): _S.FREE,
    (_S.CLOSING, _T.REPLACED): _S.FREE,
    (_S.CLOSING, _T.REMOTE_LOST): _S.FREE,
    (_S.CLOSING, _T.STOPPED): _S.FREE,
    (_S.DRAINING, _T.DRAINED): _S.FREE,
    (_S.DRAINING, _T.GRACELESS_CLOSE_SENT): _S.FREE,
    (_S.DRAINING, _T.GRACELESS_CLOSE_RECEIVED): _S.FREE,
    (_S.DRAINING, _T.CLOSED_HERE): _S.FREE,
    (_S.DRAINING, _T.REPLACED): _S.FREE,
    (_S.DRAINING, _T.REMOTE_LOST): _S.FREE,
    (_S.DRAINING, _T.STOPPED): _S.FREE,
}

CORE_SLOT: Final[Mapping[tuple[SlotState, SlotTrigger], SlotState]] = {
    (_S.FREE, _T.OFFER_ACCEPTED): _S.PREPARING,
    (_S.PREPARING, _T.PREPARED): _S.REQUESTED,
    (_S.PREPARING, _T.PREPARATION_FAILED): _S.FREE,
    (_S.PREPARING, _T.EXPIRED): _S.FREE,
    (_S.PREPARING, _T.REMOTE_LOST): _S.FREE,
    (_S.PREPARING, _T.STOPPED): _S.FREE,
    (_S.REQUESTED, _T.CONFIRM_RECEIVED): _S.OPEN,
    (_S.REQUESTED, _T.NO_LONGER_AVAILABLE_RECEIVED): _S.FREE,
    (_S.REQUESTED, _T.GRACEFUL_CLOSE_RECEIVED): _S.FREE,
    (_S.REQUESTED, _T.GRACELESS_CLOSE_RECEIVED): _S.FREE,
    (_S.REQUESTED, _T.EXPIRED): _S.FREE,
    (_S.REQUESTED, _T.REMOTE_LOST): _S.FREE,
    (_S.REQUESTED, _T.STOPPED): _S.FREE,
    **_CONNECTION,
}
"""Transitions of a slot at a core. `REPLACED` is for peers that send no headers."""

PLUGIN_SLOT: Final[Mapping[tuple[SlotState, SlotTrigger], SlotState]] = {
    (_S.FREE, _T.OFFER_SENT): _S.OFFERED,
    (_S.FREE, _T.REQUEST_RECEIVED): _S.PREPARING,
    (_S.OFFERED, _T.REQUEST_RECEIVED): _S.PREPARING,
    (_S.OFFERED, _T.REJECT_RECEIVED): _S.FREE,
    (_S.OFFERED, _T.WITHDRAWN): _S.FREE,
    (_S.OFFERED, _T.EXPIRED): _S.FREE,
    (_S.OFFERED, _T.REMOTE_LOST): _S.FREE,
    (_S.OFFERED, _T.STOPPED): _S.FREE,
    (_S.PREPARING, _T.PREPARED): _S.OPEN,
    (_S.PREPARING, _T.PREPARATION_FAILED): _S.FREE,
    (_S.PREPARING, _T.REJECT_RECEIVED): _S.FREE,
    (_S.PREPARING, _T.WITHDRAWN): _S.FREE,
    (_S.PREPARING, _T.REPLACED): _S.FREE,
    (_S.PREPARING, _T.EXPIRED): _S.FREE,
    (_S.PREPARING, _T.REMOTE_LOST): _S.FREE,
    (_S.PREPARING, _T.STOPPED): _S.FREE,
    (_S.OPEN, _T.REJECT_RECEIVED): _S.FREE,
    (_S.CLOSING, _T.REJECT_RECEIVED): _S.FREE,
    (_S.DRAINING, _T.REJECT_RECEIVED): _S.FREE,
    **_CONNECTION,
}
"""Transitions of a slot at a plugin. `REPLACED`, and `FREE` to `PREPARING`, are for peers that send no headers."""

PLUGIN_LIFE: Final[Mapping[tuple[PluginState, LifeTrigger], PluginState]] = {
    (PluginState.CREATED, LifeTrigger.STARTED): PluginState.RUNNING,
    (PluginState.RUNNING, LifeTrigger.STOPPED): PluginState.STOPPED,
    (PluginState.STOPPED, LifeTrigger.STARTED): PluginState.RUNNING,
}
"""Life of a plugin."""

CORE_LIFE: Final[Mapping[tuple[CoreState, LifeTrigger], CoreState]] = {
    (CoreState.CREATED, LifeTrigger.STARTED): CoreState.NOT_COMPLIANT,
    (CoreState.CREATED, LifeTrigger.STARTED_COMPLIANT): CoreState.COMPLIANT,
    (CoreState.NOT_COMPLIANT, LifeTrigger.NEEDS_MET): CoreState.COMPLIANT,
    (CoreState.COMPLIANT, LifeTrigger.NEEDS_NOT_MET): CoreState.NOT_COMPLIANT,
    (CoreState.COMPLIANT, LifeTrigger.STOPPED): CoreState.STOPPED,
    (CoreState.NOT_COMPLIANT, LifeTrigger.STOPPED): CoreState.STOPPED,
    (CoreState.STOPPED, LifeTrigger.STARTED): CoreState.NOT_COMPLIANT,
    (CoreState.STOPPED, LifeTrigger.STARTED_COMPLIANT): CoreState.COMPLIANT,
}
"""Life of a core."""


def next_slot_state(role: Role, state: SlotState, trigger: SlotTrigger) -> SlotState:
    """Return what `trigger` turns `state` into at an orbiter of that role.

    Raises:
        LocalProtocolError: The table has no such transition.
    """
    table = CORE_SLOT if role is Role.CORE else PLUGIN_SLOT
    try:
        return table[state, trigger]
    except KeyError:
        raise LocalProtocolError(f"a {role} has no transition from {state.name} on '{trigger}'") from None


def next_core_state(state: CoreState, trigger: LifeTrigger) -> CoreState:
    """Return what `trigger` turns a core's `state` into.

    Raises:
        LocalProtocolError: The table has no such transition.
    """
    try:
        return CORE_LIFE[state, trigger]
    except KeyError:
        raise LocalProtocolError(f"a core in state {state.name} allows no {trigger}") from None


def next_plugin_state(state: PluginState, trigger: LifeTrigger) -> PluginState:
    """Return what `trigger` turns a plugin's `state` into.

    Raises:
        LocalProtocolError: The table has no such transition.
    """
    try:
        return PLUGIN_LIFE[state, trigger]
    except KeyError:
        raise LocalProtocolError(f"a plugin in state {state.name} allows no {trigger}") from None
