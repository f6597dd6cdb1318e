"""What must hold after every step of a simulation.

The numbers are those of the promises: S1 maxima, S2 lists, S3 one connection per remote and operation and no transition
caused by another's message, S4 compliance, S5 silence after a stop (looked at by the world), S6 bounded tables,
S7 subscriptions, S8 topics, S9 data that is handled at most once (over asyncio, where there is data), S10 patience with
who is suspected.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from orbitalis.protocol.config import OrbiterConfig
from orbitalis.protocol.effects import CloseReason, RemoteLost, Send, sender_of
from orbitalis.protocol.peers import IncarnationStatus
from orbitalis.protocol.slots import Slot
from orbitalis.protocol.transitions import Role, SlotState
from orbitalis_wire.messages import (
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    KeepaliveMessage,
    KeepaliveRequestMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
)
from tests.simulation.liveness import assert_lends_what_is_allowed
from tests.simulation.proofs import Proofs
from tests.simulation.world import Inspector
from tests.support.invariants import assert_sane
from tests.support.machines import Node, Packet

__all__ = ["Safety"]

_SIGNS_OF_LIFE = (KeepaliveMessage, KeepaliveRequestMessage)
_ABOUT_ONE_HANDSHAKE = (
    CloseConnectionAckMessage,
    ConfirmConnectionMessage,
    GracefulCloseConnectionMessage,
    GracelessCloseConnectionMessage,
    OperationNoLongerAvailableMessage,
    RejectOperationMessage,
)
"""Messages that name a connection, and change nothing else."""
_LONGEST_UNLOOKED = 8
"""Steps of a node after which its tables are looked at though no slot has changed."""


_Seen: TypeAlias = tuple[Slot, SlotState, str, tuple[str, ...]]
"""A slot as it was: itself, its state, and the identifiers of its connection and its offers."""


class Safety(Inspector):
    """Holds a node after each step against what it was before.

    What depends on slots is looked at after each step that has changed one, and so are the tables; what breaks these
    without a change of a slot stays broken, and is found a few steps later.
    """

    def __init__(self) -> None:
        self._slots: dict[tuple[str, str], _Seen] = {}
        self._incarnation: str | None = None
        """The current incarnation of the sender, if that is known for sure."""
        self._status = IncarnationStatus.CURRENT
        """What the incarnation of the message is to it."""
        self._proofs = Proofs()
        self._running = self._compliant = False
        self._after: dict[Node, dict[tuple[str, str], _Seen]] = {}
        """The slots of each node as they were after its last step."""
        self._looked_at: dict[Node, tuple[OrbiterConfig, int]] = {}
        """What each node was configured with when its tables were last looked at, and how many steps ago."""

    def before(self, node: Node, packet: Packet | None) -> None:
        """Keep what has to be compared."""
        machine = node.machine
        self._running = machine.running
        self._slots = self._after[node] if machine.running and node in self._after else _seen(node)
        self._compliant = machine.role is Role.CORE and node.requester.compliant
        self._incarnation = None
        self._status = IncarnationStatus.CURRENT
        if packet is not None:
            peer = machine.peers.get(sender_of(packet.message))
            if peer is not None and peer.is_incarnation_certain and not peer.is_dead:
                self._incarnation, incarnation = peer.incarnation, packet.envelope.incarnation
                if incarnation in peer.past_incarnations:
                    self._status = IncarnationStatus.PAST
                elif incarnation != peer.incarnation:
                    self._status = IncarnationStatus.UNKNOWN

    def after(self, node: Node, packet: Packet | None) -> None:
        """Fail if a promise is broken."""
        machine = node.machine
        now = self._after[node] = _seen(node)
        is_other = now != self._slots or machine.running is not self._running
        config, unlooked = self._looked_at.get(node, (None, 0))
        if is_other or config is not machine._config or unlooked >= _LONGEST_UNLOOKED:
            self._looked_at[node] = machine._config, 0
            assert_sane(node, are_bounds_edited=True)
            self._maxima_are_kept(node)
            self._lists_are_kept(node)
            assert_lends_what_is_allowed(node)
            self._compliance_is_true(node)
        else:
            self._looked_at[node] = config, unlooked + 1
            if machine.role is Role.CORE:
                assert node.requester.compliant == self._compliant, "S4: compliance has changed, and no connection"
        self._proofs.note(node)
        self._nobody_dies_who_was_just_heard(node)
        if packet is not None:
            changed = self._changed(now) if is_other else []
            self._nobody_is_heard_in_a_past_incarnation(node, packet, now)
            self._nobody_is_believed_to_have_started_anew_without_a_proof(node, packet, changed)
            if is_other:
                self._only_the_sender_changes_what_it_shares(packet, changed)
                self._nobody_speaks_of_another_handshake(packet, changed)
                self._nobody_ends_anything_where_anybody_may_publish(node, packet, changed)
        if not machine.running:
            assert len(machine.slots) == len(machine.peers) == 0, "S5: something is left"

    def _maxima_are_kept(self, node: Node) -> None:
        """S1. An edit may leave more than it allows, until that has ended; but nothing is added."""
        slots = node.machine.slots
        for name, maximum, exempt in _bounds(node):
            taken = {slot.key for slot in slots.of_operation(name) if slot.remote_identifier not in exempt}
            if maximum is not None and len(taken) > maximum:
                assert taken <= self._slots.keys(), (
                    f"S1: '{node.identifier}' has {len(taken)} slots of '{name}', {maximum} allowed"
                )

    def _nobody_dies_who_was_just_heard(self, node: Node) -> None:
        """S10."""
        settings = node.settings
        times = (settings.consider_others_dead_after, settings.suspicion_grace)
        patience = min(one for one in times if one is not None)
        for lost in node.had(RemoteLost):
            peer = node.machine.peers.get(lost.remote_identifier)
            if peer is not None and lost.reason is CloseReason.REMOTE_DEAD:
                silent = node.net.now - peer.last_seen
                assert silent >= patience - 1e-6, f"S10: '{peer.identifier}' is dead after {silent:g} s of silence"

    def _lists_are_kept(self, node: Node) -> None:
        """S2."""
        for slot in node.machine.slots:
            if slot.key in self._slots and self._slots[slot.key][0] is slot:
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
        assert node.requester.compliant == met, f"S4: compliant is {node.requester.compliant}, and should not be"

    def _changed(self, now: dict[tuple[str, str], _Seen]) -> list[tuple[str, str]]:
        """Return the slots that are in another state, without those that were free and are offered."""
        before = self._slots
        changed = [key for key, seen in now.items() if key not in before and seen[1] is not SlotState.OFFERED]
        for key, (slot, state, *_) in before.items():
            found = now.get(key)
            if found is None or found[0] is not slot or found[1] is not state:
                changed.append(key)
        return changed

    def _only_the_sender_changes_what_it_shares(self, packet: Packet, changed: Collection[tuple[str, str]]) -> None:
        """S3. What follows for a core's discovery changes no slot; what a core leaves free is offered to another."""
        sender = sender_of(packet.message)
        others = [key for key in changed if key[0] != sender]
        assert others == [], f"S3: a message of '{sender}' changed {others}"

    def _nobody_is_heard_in_a_past_incarnation(
        self, node: Node, packet: Packet, now: dict[tuple[str, str], _Seen]
    ) -> None:
        """S3."""
        incarnation = packet.envelope.incarnation
        if self._status is IncarnationStatus.PAST:
            assert now == self._slots, f"S3: past incarnation {incarnation} (now {self._incarnation}) changed slots"
            # A sign of life asks or tells whether there are two orbiters with one identifier, and agrees on nothing.
            answers = [one for one in node.had(Send) if not isinstance(one.message, _SIGNS_OF_LIFE)]
            assert not answers, f"S3: past incarnation {incarnation} was answered"

    def _nobody_is_believed_to_have_started_anew_without_a_proof(
        self, node: Node, packet: Packet, changed: Collection[tuple[str, str]]
    ) -> None:
        """S3."""
        sender = sender_of(packet.message)
        peer = node.machine.peers.get(sender)
        if self._incarnation is None or peer is None or peer.is_dead:
            return
        if peer.incarnation == self._incarnation:
            if self._status is not IncarnationStatus.CURRENT:
                assert changed == [], f"S3: a claim changed {changed}"
            return
        assert self._status is IncarnationStatus.UNKNOWN, f"S3: {peer.incarnation} was {self._status} and is current"
        assert peer.incarnation == packet.envelope.incarnation, "S3: another incarnation than the one heard is current"
        assert self._proofs.is_proof(node, sender, packet), f"S3: {peer.incarnation} is current without a proof"
        assert self._incarnation in peer.past_incarnations, f"S3: {self._incarnation} has ended, and may come again"

    def _nobody_speaks_of_another_handshake(self, packet: Packet, changed: Collection[tuple[str, str]]) -> None:
        """S3."""
        if not isinstance(packet.message, _ABOUT_ONE_HANDSHAKE):
            return
        incarnation, named = packet.envelope.incarnation, packet.envelope.connection_identifier
        if self._incarnation is not None and incarnation != self._incarnation:
            return  # of a new incarnation: what was agreed with the earlier one is lost
        for key in changed:
            assert key in self._slots, f"S3: {type(packet.message).__name__} made a slot"
            _, state, connection_identifier, offer_identifiers = self._slots[key]
            answered = packet.envelope.correlation_identifier
            if state is SlotState.OFFERED:
                # It has no name yet, though the core may have given it one: the request may be lost.
                assert answered in offer_identifiers, "S3: an answer to another offer"
            else:
                assert named == connection_identifier, f"S3: connection {named} changed another"

    def _nobody_ends_anything_where_anybody_may_publish(
        self, node: Node, packet: Packet, changed: Collection[tuple[str, str]]
    ) -> None:
        """S3."""
        if packet.topic in (node.settings.discover_topic, node.settings.announce_topic):
            assert changed == [], f"S3: what anybody may have published changed {changed}"


def _seen(node: Node) -> dict[tuple[str, str], _Seen]:
    return {
        (slot.remote_identifier, slot.operation_name): (
            slot,
            slot.state,
            slot.connection_identifier,
            slot.offer_identifiers,
        )
        for slot in node.machine.slots
    }


def _bounds(node: Node) -> list[tuple[str, int | None, list[str]]]:
    """Return operation, maximum and who is not counted."""
    if node.machine.role is Role.PLUGIN:
        return [(name, terms.policy.maximum, []) for name, terms in node.settings.operations.items()]
    return [
        (name, requirement.constraint.maximum, requirement.constraint.mandatory)
        for name, requirement in node.settings.operation_requirements.items()
    ]
