"""Mutants of the protocol: changes of its state machines and of what they are given that break a promise.

Those with a number are faults that the peers have, under their number in :mod:`tests.test_known_faults`.
"""

from __future__ import annotations

from tests.mutation.handshake_mutants import HANDSHAKE_MUTANTS
from tests.mutation.incarnation_mutants import INCARNATION_MUTANTS
from tests.mutation.mutant import Mutant
from tests.mutation.will_mutants import WILL_MUTANTS

__all__ = ["PROTOCOL_MUTANTS"]

_CLOSING = "orbitalis/protocol/closing.py"
_LIFECYCLE = "orbitalis/protocol/lifecycle.py"
_LIVENESS = "orbitalis/protocol/liveness.py"
_MACHINE = "orbitalis/protocol/machine.py"
_PEERS = "orbitalis/protocol/peers.py"
_QUOTAS = "orbitalis/protocol/quotas.py"
_RESOLVER = "orbitalis/protocol/topic_resolver.py"
_SLOTS = "orbitalis/protocol/slots.py"

PROTOCOL_MUTANTS = [
    *HANDSHAKE_MUTANTS,
    *INCARNATION_MUTANTS,
    *WILL_MUTANTS,
    Mutant(
        name="pending-not-counted",
        file=_SLOTS,
        old="return len(found.slots) if found else 0",
        new="return found.open_count if found else 0",
        known_fault=2,
    ),
    Mutant(
        name="dead-remotes-kept",
        file=_LIVENESS,
        old="            self._lifecycle.lose(peer.identifier, CloseReason.REMOTE_DEAD)",
        new="            pass",
        known_fault=4,
    ),
    Mutant(
        name="keepalive-once-overdue-never-again",
        file=_PEERS,
        old="                if self._peers.get(peer.identifier) is peer:\n                    self._schedule(peer)",
        new="                pass",
        known_fault=5,
    ),
    Mutant(
        name="age-from-creation",
        file=_CLOSING,
        old="if slot.last_used + after > now:",
        new="if slot.opened_at + after > now:",
        known_fault=6,
    ),
    Mutant(
        name="close-from-any-topic",
        file=_CLOSING,
        old="if slot is None or topic != slot.incoming_close_topic:",
        new="if slot is None:",
        known_fault=7,
    ),
    Mutant(
        name="close-of-any-connection",
        file=_CLOSING,
        old="if slot is None or headers.connection_identifier not in (None, slot.connection_identifier):",
        new="if slot is None:",
        known_fault=7,
    ),
    Mutant(
        name="keepalive-to-any-topic",
        file=_LIVENESS,
        old="answer_topic = self._resolver.resolve(KeepaliveTopic, remote, message.keepalive_topic)",
        new="answer_topic = message.keepalive_topic",
        known_fault=7,
    ),
    Mutant(
        name="strangers-get-keepalives",
        file=_LIVENESS,
        old="elif answer_topic != self._own_topic_at(remote) and (",
        new="elif False and (",
        known_fault=7,
    ),
    Mutant(
        name="sender-of-topic-not-checked",
        file=_RESOLVER,
        old="if sender != UNKNOWN_SENDER or incarnation is not None:",
        new="if False:",
        known_fault=7,
    ),
    Mutant(
        name="crossed-closes-fail",
        file="orbitalis/protocol/transitions.py",
        old="    table = CORE_SLOT_TRANSITIONS if role is Role.CORE else PLUGIN_SLOT_TRANSITIONS\n",
        new="    table = dict(CORE_SLOT_TRANSITIONS if role is Role.CORE else PLUGIN_SLOT_TRANSITIONS)\n"
        "    table.pop((SlotState.CLOSING, SlotTrigger.GRACEFUL_CLOSE_RECEIVED), None)\n",
        known_fault=8,
    ),
    Mutant(
        name="offers-after-stop",
        file=_MACHINE,
        old="        if not self.running:\n            return self._outbox.take()\n        sender",
        new="        sender",
        known_fault=9,
    ),
    Mutant(
        name="deadlines-after-stop",
        file=_LIFECYCLE,
        old="        self.deadlines.discard(slot)\n        if was_connection:",
        new="        if was_connection:",
        known_fault=9,
    ),
    Mutant(
        name="undefined-is-nothing",
        file="orbitalis/message/schema.py",
        old="return other.support_undefined_schema or other.support_empty_schema or bool(theirs)",
        new="return True",
        known_fault=13,
    ),
    Mutant(
        name="offers-never-expire",
        file=_MACHINE,
        old="        for slot in self._lifecycle.pop_expired(now):\n            self._lifecycle.give_up(slot)",
        new="        self._lifecycle.pop_expired(now)",
    ),
    Mutant(
        name="close-never-overdue",
        file=_LIFECYCLE,
        old="return self._pop(now, lambda slot: slot.is_ending)",
        new="return self._pop(now, lambda slot: slot.is_ending)[:0]",
    ),
    Mutant(
        name="half-open-believed-in",
        file=_LIVENESS,
        old="self._lifecycle.release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, CloseReason.REMOTE_FORGOT)",
        new="slot.missed_at = None",
    ),
    Mutant(
        name="one-keepalive-is-enough",
        file=_LIVENESS,
        old="            elif slot.missed_at + timings.RECONCILIATION_DELAY <= now:",
        new="            elif slot.missed_at <= now:",
    ),
    Mutant(
        name="closing-counts-as-open",
        file=_SLOTS,
        old="        elif before is SlotState.OPEN:\n",
        new="        elif before in _CONNECTIONS and state is SlotState.FREE:\n",
    ),
    Mutant(
        name="acknowledged-before-drained",
        file=_CLOSING,
        old="            if slot.is_open:\n                slot.remote_close",
        new="            if False:\n                slot.remote_close",
    ),
    Mutant(
        name="strangers-remembered-for-ever",
        file=_PEERS,
        old="if len(self._peers) < self._config.limits.known_remotes or not self._parted:",
        new="if True:",
    ),
    Mutant(
        name="no-limit-of-pending-requests",
        file=_QUOTAS,
        old="            and slots.pending_count < config.limits.pending_requests\n",
        new="",
    ),
    Mutant(
        name="no-limit-of-operations-of-message",
        file=_QUOTAS,
        old="        if count > limits.OPERATIONS_OF_MESSAGE:",
        new="        if False:",
    ),
    Mutant(
        name="topics-kept-after-release",
        file=_LIFECYCLE,
        old="        if topics:\n            self._outbox.add(Unsubscribe",
        new="        if False:\n            self._outbox.add(Unsubscribe",
    ),
    Mutant(
        name="leaving-goes-on-offering",
        file=_QUOTAS,
        old="            not self.is_closed\n            and slots",
        new="            slots",
    ),
    Mutant(
        name="time-of-a-request-counts-from-its-offer",
        file=_LIFECYCLE,
        old="        slot.waiting_since = now  #",
        new="        #",
    ),
    Mutant(
        name="lost-confirm-not-asked-for-after-an-outage",
        file=_LIVENESS,
        old="                self.role.repeat_unanswered(peer)\n",
        new="",
    ),
    Mutant(
        name="connections-weigh-nothing",
        file=_SLOTS,
        old="                    self.connection_bytes += slot.size",
        new="                    pass",
    ),
    Mutant(
        name="setup-data-kept",
        file=_LIFECYCLE,
        old="        slot.setup_data = None  # it has done its work\n",
        new="",
    ),
    # Settings that change
    Mutant(
        name="changed-durations-of-slots-unnoticed",
        file=_LIFECYCLE,
        old="        if before.slot_durations != config.slot_durations:",
        new="        if False:",
    ),
    Mutant(
        name="changed-durations-of-peers-unnoticed",
        file=_PEERS,
        old="        if before.peer_durations != config.peer_durations:",
        new="        if False:",
    ),
    Mutant(
        name="compliant-while-draining",
        file=_LIFECYCLE,
        old="        self.role.closing(slot)\n",
        new="",
    ),
    # One deadline for each peer
    Mutant(
        name="new-peer-never-looked-at",
        file=_PEERS,
        old="            if self._first_look_after < math.inf:",
        new="            if False:",
    ),
    Mutant(
        name="no-keepalive-where-nobody-is-ever-dead",
        file=_PEERS,
        old="                peer.last_keepalive_sent = now\n                self._schedule(peer)",
        new="                peer.last_keepalive_sent = now",
    ),
    Mutant(
        name="probed-only-when-dead",
        file=_PEERS,
        old="self._probe_after = max(after - self._config.send_keepalive_before_timelimit / 2, after / 2)",
        new="self._probe_after = after",
    ),
    Mutant(
        name="second-keepalive-not-asked-for",
        file=_PEERS,
        old="        peer.reconcile_at = at\n",
        new="",
    ),
    # Turns
    Mutant(
        name="own-name-of-another-believed",
        file=_MACHINE,
        old="if sender == self._config.identifier:",
        new="if False:",
    ),
    Mutant(
        name="any-topic-is-as-expected",
        file=_RESOLVER,
        old="            if topic == expected:",
        new="            if topic.startswith(ROOTS):",
    ),
    Mutant(
        name="long-headers-kept",
        file=_RESOLVER,
        old='if len(f"{headers.identifier}{who}{correlation}{connection}") > limits.IDENTIFIER_BYTES:',
        new="if len(headers.identifier) > limits.IDENTIFIER_BYTES:",
    ),
]
