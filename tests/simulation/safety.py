"""What must hold after every step of a simulation.

The numbers are those of the promises: S1 maxima, S2 lists, S3 one connection per remote and operation and no transition
caused by another's message, S4 compliance, S5 silence after a stop (looked at by the world), S6 bounded tables,
S7 subscriptions, S8 topics.
"""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis.protocol.effects import Send, sender_of
from orbitalis.protocol.slot import Slot
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
)
from tests.simulation.world import Inspector
from tests.support.invariants import assert_sane
from tests.support.machines import Node, Packet

__all__ = ["Safety"]

_ABOUT_ONE_HANDSHAKE = (
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
)
"""Messages that name a connection, and change nothing but that."""


@dataclass(frozen=True)
class _Seen:
    """A slot as it was."""

    slot: Slot
    state: SlotState
    connection_identifier: str
    offer_identifiers: tuple[str, ...]


class Safety(Inspector):
    """Holds a node after each step against what it was before."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, str], _Seen] = {}
        self._incarnation: str | None = None

    def before(self, node: Node, packet: Packet | None) -> None:
        """Keep what has to be compared."""
        self._slots = {
            slot.key: _Seen(slot, slot.state, slot.connection_identifier, slot.offer_identifiers)
            for slot in node.machine.slots
        }
        remote = None if packet is None else node.machine.acquaintances.get(sender_of(packet.message))
        is_certain = remote is not None and remote.is_life_certain and not remote.is_dead
        self._incarnation = remote.incarnation if remote is not None and is_certain else None

    def after(self, node: Node, packet: Packet | None) -> None:
        """Fail if a promise is broken."""
        assert_sane(node, are_bounds_edited=True)
        self._maxima_are_kept(node)
        self._lists_are_kept(node)
        self._compliance_is_true(node)
        if packet is not None:
            self._only_the_sender_changes_what_it_shares(node, packet)
            self._nobody_speaks_from_a_life_that_is_over(node, packet)
            self._nobody_speaks_of_another_handshake(node, packet)
            self._nobody_ends_anything_where_anybody_may_publish(node, packet)
        if not node.machine.running:
            assert len(node.machine.slots) == len(node.machine.acquaintances) == 0, "S5: something is left"

    def _maxima_are_kept(self, node: Node) -> None:
        """S1. An edit may leave more than it allows, and what is there may stay; but nothing is added."""
        slots = node.machine.slots
        for name, maximum, exempt in _bounds(node):
            taken = {slot.key for slot in slots.of_operation(name) if slot.remote_identifier not in exempt}
            if maximum is not None and len(taken) > maximum:
                assert taken <= self._slots.keys(), (
                    f"S1: '{node.identifier}' has {len(taken)} slots of '{name}', {maximum} allowed"
                )

    def _lists_are_kept(self, node: Node) -> None:
        """S2."""
        for slot in node.machine.slots:
            if slot.key in self._slots and self._slots[slot.key].slot is slot:
                continue
            if node.machine.role is Role.PLUGIN:
                admits = node.settings.operations[slot.operation_name].policy.admits
            else:
                admits = node.settings.operation_requirements[slot.operation_name].constraint.admits
            assert admits(slot.remote_identifier), f"S2: '{node.identifier}' shares {slot.key}, which is excluded"

    def _compliance_is_true(self, node: Node) -> None:
        """S4, worked out anew."""
        if node.machine.role is Role.PLUGIN or not node.machine.running:
            return
        met = True
        for name, requirement in node.settings.operation_requirements.items():
            constraint = requirement.constraint
            connected = {
                slot.remote_identifier
                for slot in node.machine.slots
                if slot.operation_name == name and slot.state is SlotState.OPEN
            }
            mandatory = set(constraint.mandatory)
            met = met and mandatory <= connected and len(connected - mandatory) >= constraint.minimum
        assert node.core.compliant == met, f"S4: compliant is {node.core.compliant}, and should not be"

    def _changed(self, node: Node) -> list[tuple[str, str]]:
        now = {slot.key: slot for slot in node.machine.slots}
        changed = [key for key in now if key not in self._slots]
        for key, seen in self._slots.items():
            slot = now.get(key)
            if slot is not seen.slot or slot.state is not seen.state:
                changed.append(key)
        return changed

    def _is_new_offer(self, node: Node, key: tuple[str, str]) -> bool:
        slot = node.machine.slots.get(*key)
        return key not in self._slots and slot is not None and slot.state is SlotState.OFFERED

    def _only_the_sender_changes_what_it_shares(self, node: Node, packet: Packet) -> None:
        """S3. What follows for a core's discovery changes no slot; what a core leaves free is offered to another."""
        sender = sender_of(packet.message)
        others = [key for key in self._changed(node) if key[0] != sender and not self._is_new_offer(node, key)]
        assert others == [], f"S3: a message of '{sender}' changed {others}"

    def _nobody_speaks_from_a_life_that_is_over(self, node: Node, packet: Packet) -> None:
        """S3."""
        incarnation = packet.envelope.incarnation
        if self._incarnation is not None and incarnation is not None and incarnation < self._incarnation:
            changed = self._changed(node)
            assert changed == [], f"S3: life {incarnation}, which is over ({self._incarnation}), changed {changed}"
            assert not node.had(Send), f"S3: life {incarnation}, which is over, was answered"

    def _nobody_speaks_of_another_handshake(self, node: Node, packet: Packet) -> None:
        """S3."""
        if not isinstance(packet.message, _ABOUT_ONE_HANDSHAKE):
            return
        incarnation, named = packet.envelope.incarnation, packet.envelope.connection_identifier
        if self._incarnation is not None and incarnation != self._incarnation:
            return  # of a life that is new: what was agreed with the earlier one is lost
        for key in self._changed(node):
            if self._is_new_offer(node, key):
                continue
            seen = self._slots.get(key)
            assert seen is not None, f"S3: {type(packet.message).__name__} made a slot"
            answered = packet.envelope.correlation_identifier
            if seen.state is SlotState.OFFERED:
                # It has no name yet, be it that the core has given it one: the request may be lost.
                assert answered in seen.offer_identifiers, "S3: an answer to another offer"
            else:
                assert named == seen.connection_identifier, f"S3: connection {named} changed another"

    def _nobody_ends_anything_where_anybody_may_publish(self, node: Node, packet: Packet) -> None:
        """S3."""
        if packet.topic in (node.settings.discover_topic, node.settings.announce_topic):
            changed = [key for key in self._changed(node) if not self._is_new_offer(node, key)]
            assert changed == [], f"S3: what anybody may have published changed {changed}"


def _bounds(node: Node) -> list[tuple[str, int | None, list[str]]]:
    """Return operation, maximum and who is not counted."""
    if node.machine.role is Role.PLUGIN:
        return [(name, terms.policy.maximum, []) for name, terms in node.settings.operations.items()]
    return [
        (name, requirement.constraint.maximum, requirement.constraint.mandatory)
        for name, requirement in node.settings.operation_requirements.items()
    ]
