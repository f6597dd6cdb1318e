"""Mutants of the protocol: changes of its state machines and of what they are given that break a promise.

Those with a number are faults that the peers have, under their number in :mod:`tests.test_known_faults`.
"""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["PROTOCOL_MUTANTS"]

PROTOCOL_MUTANTS = [
    Mutant(
        name="pending-not-counted",
        file="orbitalis/protocol/slot.py",
        old="return len(found.by_remote) if found else 0",
        new="return len(found.open) if found else 0",
        known_fault=2,
    ),
    Mutant(
        name="core-maximum-not-kept",
        file="orbitalis/protocol/core.py",
        old="if plugin not in constraint.mandatory and not constraint.has_room(self._taken(offered.name, constraint)):",
        new="if False:",
        known_fault=2,
    ),
    Mutant(
        name="plugin-maximum-not-kept",
        file="orbitalis/protocol/offering.py",
        old="return terms is not None and terms.policy.has_room(self.slots.count(operation_name))",
        new="return terms is not None",
    ),
    Mutant(
        name="dead-remotes-kept",
        file="orbitalis/protocol/liveness.py",
        old="                self._lose(remote.identifier, CloseReason.REMOTE_DEAD)",
        new="                pass",
        known_fault=4,
    ),
    Mutant(
        name="compliance-not-updated",
        file="orbitalis/protocol/discovering.py",
        old=("self.compliant = compliant\n        self._outbox"),
        new=("self.compliant = True\n        self._outbox"),
        known_fault=4,
    ),
    Mutant(
        name="restart-not-noticed",
        file="orbitalis/protocol/slot_keeper.py",
        old=(
            "            if self.slots.has_remote(remote_identifier):\n"
            "                self._lose(remote_identifier, CloseReason.REMOTE_RESTARTED)"
        ),
        new=("            if False:\n                self._lose(remote_identifier, CloseReason.REMOTE_RESTARTED)"),
        known_fault=4,
    ),
    Mutant(
        name="keepalive-once-overdue-never-again",
        file="orbitalis/protocol/acquaintances.py",
        old=("        remote.last_keepalive_sent = now\n        self._schedule_keepalive(remote)"),
        new="        remote.last_keepalive_sent = now",
        known_fault=5,
    ),
    Mutant(
        name="age-from-creation",
        file="orbitalis/protocol/orbiter.py",
        old="if slot.last_used + after > now:",
        new="if slot.opened_at + after > now:",
        known_fault=6,
    ),
    Mutant(
        name="any-reject-counts",
        file="orbitalis/protocol/plugin.py",
        old="meant = envelope.correlation_identifier in (None, *slot.offer_identifiers[-1:])",
        new="meant = True",
        known_fault=7,
    ),
    Mutant(
        name="close-from-any-topic",
        file="orbitalis/protocol/orbiter.py",
        old="if slot is None or topic != slot.incoming_close_topic:",
        new="if slot is None:",
        known_fault=7,
    ),
    Mutant(
        name="close-of-any-connection",
        file="orbitalis/protocol/orbiter.py",
        old="if slot is None or envelope.connection_identifier not in (None, slot.connection_identifier):",
        new="if slot is None:",
        known_fault=7,
    ),
    Mutant(
        name="keepalive-to-any-topic",
        file="orbitalis/protocol/liveness.py",
        old="topic = self._told.resolve(KeepaliveTopic, remote.identifier, message.keepalive_topic)",
        new="topic = message.keepalive_topic",
        known_fault=7,
    ),
    Mutant(
        name="strangers-get-keepalives",
        file="orbitalis/protocol/liveness.py",
        old="is_known = remote is not None and not remote.is_dead and remote.standing(envelope) is Standing.CURRENT",
        new="is_known = True",
        known_fault=7,
    ),
    Mutant(
        name="sender-of-topic-not-checked",
        file="orbitalis/protocol/told_topics.py",
        old="if sender != remote_identifier and (sender",
        new="if False and (sender",
        known_fault=7,
    ),
    Mutant(
        name="crossed-closes-fail",
        file="orbitalis/protocol/transitions.py",
        old="    (_S.CLOSING, _T.GRACEFUL_CLOSE_RECEIVED): _S.FREE,\n",
        new="",
        known_fault=8,
    ),
    Mutant(
        name="offers-after-stop",
        file="orbitalis/protocol/orbiter.py",
        old="        if self.running:\n            sender = sender_of(message)",
        new="        if True:\n            sender = sender_of(message)",
        known_fault=9,
    ),
    Mutant(
        name="deadlines-after-stop",
        file="orbitalis/protocol/slot_keeper.py",
        old=(
            "        for deadlines in (self._pending_deadlines, self._close_deadlines, self._unused_deadlines):\n"
            "            deadlines.discard(slot.key)\n"
        ),
        new="",
        known_fault=9,
    ),
    Mutant(
        name="unrequired-operation-spoils-offer",
        file="orbitalis/protocol/core.py",
        old='            return "the operation is not required"',
        new='            raise RemoteProtocolError("not required")',
        known_fault=10,
    ),
    Mutant(
        name="undefined-is-nothing",
        file="orbitalis/message/schema.py",
        old="return other.support_undefined_schema or other.support_empty_schema or bool(theirs)",
        new="return True",
        known_fault=13,
    ),
    Mutant(
        name="offer-to-excluded-core",
        file="orbitalis/protocol/offering.py",
        old="            and self._settings.operations[operation_name].policy.admits(core)\n",
        new="",
    ),
    Mutant(
        name="request-of-excluded-plugin",
        file="orbitalis/protocol/core.py",
        old="if not constraint.admits(plugin):",
        new="if False:",
    ),
    Mutant(
        name="policy-not-looked-at-again",
        file="orbitalis/protocol/plugin.py",
        old=(
            "            and terms.policy.admits(slot.remote_identifier)\n"
            "            and terms.policy.has_room(self.slots.count(slot.operation_name) - 1)\n"
        ),
        new="",
    ),
    Mutant(
        name="repeated-confirm-is-another",
        file="orbitalis/protocol/core.py",
        old=(
            "            if slot.is_connection:\n"
            "                return\n"
            "            if slot.state is SlotState.REQUESTED:"
        ),
        new="            if slot.state is SlotState.REQUESTED:",
    ),
    Mutant(
        name="unexpected-confirm-is-let-be",
        file="orbitalis/protocol/core.py",
        old="        # Nobody here waits for it, so the plugin must not go on to believe in it.\n",
        new="        return\n",
    ),
    Mutant(
        name="offers-never-expire",
        file="orbitalis/protocol/orbiter.py",
        old="                self._release(slot, SlotTrigger.EXPIRED, CloseReason.LOCAL)",
        new="                pass",
    ),
    Mutant(
        name="close-never-overdue",
        file="orbitalis/protocol/orbiter.py",
        old="return [slot for slot in due if slot is not None and slot.is_ending]",
        new="return []",
    ),
    Mutant(
        name="half-open-believed-in",
        file="orbitalis/protocol/liveness.py",
        old="                self._release(slot, SlotTrigger.GRACELESS_CLOSE_SENT, CloseReason.REMOTE_FORGOT)",
        new="                slot.missed_at = None",
    ),
    Mutant(
        name="one-keepalive-is-enough",
        file="orbitalis/protocol/liveness.py",
        old="            elif slot.missed_at + timings.RECONCILIATION_DELAY <= now:",
        new="            elif slot.missed_at <= now:",
    ),
    Mutant(
        name="stale-life-is-heard",
        file="orbitalis/protocol/remote.py",
        old="if envelope.incarnation is None or envelope.incarnation < self.incarnation:",
        new="if envelope.incarnation is None:",
    ),
    Mutant(
        name="discovers-without-pause",
        file="orbitalis/protocol/discovering.py",
        old="return self._discovered_at + interval",
        new="return self._discovered_at + min(interval, 0.5)",
    ),
    Mutant(
        name="no-discover-when-compliance-ends",
        file="orbitalis/protocol/discovering.py",
        old=" if self.compliant else settings.discovering_interval\n",
        new="\n",
    ),
    Mutant(
        name="mandatory-counted-in-maximum",
        file="orbitalis/protocol/discovering.py",
        old="return self.slots.count(operation_name) - mandatory",
        new="return self.slots.count(operation_name)",
    ),
    Mutant(
        name="mandatory-not-needed",
        file="orbitalis/protocol/discovering.py",
        old="return mandatory == len(set(constraint.mandatory)) and others >= constraint.minimum",
        new="return others >= constraint.minimum",
    ),
    Mutant(
        name="closing-counts-as-open",
        file="orbitalis/protocol/slot.py",
        old=("        if slot.is_open:\n            of_operation.open"),
        new=("        if slot.is_connection:\n            of_operation.open"),
    ),
    Mutant(
        name="late-offer-to-nobody",
        file="orbitalis/protocol/offering.py",
        old="slot = None if suited is None else self._reserve(wish.core_identifier, name, *suited, now)",
        new="slot = None",
    ),
    Mutant(
        name="announcement-believed",
        file="orbitalis/protocol/discovering.py",
        old=(
            "        standing = self.acquaintances.standing(plugin, envelope)\n        if standing is Standing.STALE:"
        ),
        new=(
            "        self._admit(plugin, envelope, now)\n"
            "        standing = self.acquaintances.standing(plugin, envelope)\n"
            "        if standing is Standing.STALE:"
        ),
    ),
    Mutant(
        name="forged-discover-believed",
        file="orbitalis/protocol/offering.py",
        old="if not (self._admit(core, envelope, now) if is_directed else self._is_to_be_answered(core, envelope)):",
        new="if not self._admit(core, envelope, now):",
    ),
    Mutant(
        name="forged-life-is-certain",
        file="orbitalis/protocol/offering.py",
        old="self.acquaintances.meet(wish.core_identifier, wish.envelope, now, is_certain=wish.is_certain), wish.told",
        new="self.acquaintances.meet(wish.core_identifier, wish.envelope, now), wish.told",
    ),
    Mutant(
        name="next-life-gets-no-slot",
        file="orbitalis/protocol/plugin.py",
        old="is_expected = self._can_lend(core, name)",
        new="is_expected = False",
    ),
    Mutant(
        name="acknowledged-before-drained",
        file="orbitalis/protocol/orbiter.py",
        old="if slot.is_open:\n                self.slots.advance(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED)",
        new="if False:\n                self.slots.advance(slot, SlotTrigger.GRACEFUL_CLOSE_RECEIVED)",
    ),
    Mutant(
        name="strangers-remembered-for-ever",
        file="orbitalis/protocol/acquaintances.py",
        old="if len(self._remotes) < self._settings.maximum_known_remotes or not self._parted:",
        new="if True:",
    ),
    Mutant(
        name="no-limit-of-pending-requests",
        file="orbitalis/protocol/slot_keeper.py",
        old="and slots.pending_count < settings.maximum_pending_requests",
        new="",
    ),
    Mutant(
        name="no-limit-of-operations-of-message",
        file="orbitalis/protocol/slot_keeper.py",
        old="        if count > limits.OPERATIONS_OF_MESSAGE:",
        new="        if False:",
    ),
    Mutant(
        name="topics-kept-after-release",
        file="orbitalis/protocol/slot_keeper.py",
        old=("        if topics:\n            self._outbox.add(Unsubscribe"),
        new=("        if False:\n            self._outbox.add(Unsubscribe"),
    ),
    Mutant(
        name="leaving-goes-on-offering",
        file="orbitalis/protocol/slot_keeper.py",
        old="            not self.leaving\n            and slots",
        new="            slots",
    ),
    Mutant(
        name="request-names-an-old-offer",
        file="orbitalis/protocol/core.py",
        old="                slot.offer_identifiers = (envelope.identifier,)\n                if slot",
        new="                if slot",
    ),
    Mutant(
        name="time-of-a-request-counts-from-its-offer",
        file="orbitalis/protocol/slot_keeper.py",
        old="        slot.waiting_since = now\n        self._schedule(slot)",
        new="        self._schedule(slot)",
    ),
    Mutant(
        name="lost-confirm-not-asked-for-after-an-outage",
        file="orbitalis/protocol/liveness.py",
        old="                    self._repeat_unanswered(remote)\n            self._on_reconnected",
        new="            self._on_reconnected",
    ),
    Mutant(
        name="answer-names-the-first-of-two-requests",
        file="orbitalis/protocol/plugin.py",
        old="                slot.request_identifier = envelope.identifier\n                if slot.is_open",
        new="                if slot.is_open",
    ),
    Mutant(
        name="connections-weigh-nothing",
        file="orbitalis/protocol/slot.py",
        old="            self.connection_bytes += slot.weight",
        new="            pass",
    ),
    Mutant(
        name="setup-data-kept",
        file="orbitalis/protocol/slot_keeper.py",
        old="        slot.setup_data = None  # it has done its work\n",
        new="",
    ),
]
