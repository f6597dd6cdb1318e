"""Mutants of the handshake: changes of either side of it that break a promise.

Those with a number are faults that the peers have, under their number in :mod:`tests.test_known_faults`.
"""

from __future__ import annotations

from tests.mutation.mutant import Mutant

__all__ = ["HANDSHAKE_MUTANTS"]

_CONFIG = "orbitalis/protocol/config.py"
_OBSTACLES = "orbitalis/protocol/obstacles.py"
_PROVIDER = "orbitalis/protocol/handshake/provider.py"
_REQUESTER = "orbitalis/protocol/handshake/requester.py"
_WAITING = "orbitalis/protocol/waiting_queries.py"

HANDSHAKE_MUTANTS = [
    Mutant(
        name="obstacle-told-each-time",
        file=_OBSTACLES,
        old="is_new = obstacle.kind not in before.told",
        new="is_new = True",
    ),
    Mutant(
        name="obstacle-never-overcome",
        file=_OBSTACLES,
        old="obstacle = self.found.pop((remote_identifier, operation_name), None)",
        new="obstacle = None",
    ),
    Mutant(
        name="obstacles-of-strangers-kept",
        file=_OBSTACLES,
        old="if spared < _LOOKS and (key[0] in self._config.named or self._slots.has_remote(key[0])):",
        new="if False:",
    ),
    Mutant(
        name="stricter-policy-ends-nothing",
        file=_PROVIDER,
        old="return [slot for name in edited for slot in self._disallowed(name)]",
        new="return []",
    ),
    Mutant(
        name="stricter-policy-ends-the-oldest",
        file=_CONFIG,
        old="return [slot for slot in reversed(going_on) if slot not in kept]",
        new="return going_on[: len(going_on) - len(kept)]",
    ),
    Mutant(
        name="stricter-policy-lets-handshakes-end-well",
        file=_PROVIDER,
        old="for slot in self._slots.of_operation(name) if is_gone else self._disallowed(name):",
        new="for slot in self._slots.of_operation(name) if is_gone else ():",
    ),
    Mutant(
        name="offers-outlive-their-operation",
        file=_PROVIDER,
        old="for slot in self._slots.of_operation(name) if is_gone else self._disallowed(name):",
        new="for slot in self._disallowed(name):",
    ),
    Mutant(
        name="core-maximum-not-kept",
        file=_REQUESTER,
        old="if plugin not in terms.mandatory and not terms.has_room(self._taken(name, terms)):",
        new="if False:",
        known_fault=2,
    ),
    Mutant(
        name="plugin-maximum-not-kept",
        file=_PROVIDER,
        old="if not terms.has_room(self._slots.count(name)) or not",
        new="if not",
    ),
    Mutant(
        name="plugin-maximum-not-kept-in-late-offers",
        file=_PROVIDER,
        old="            terms.has_room(self._slots.count(name))\n            and terms.admits(core)\n",
        new="            terms.admits(core)\n",
    ),
    Mutant(
        name="compliance-not-updated",
        file=_REQUESTER,
        old="self.compliant = compliant\n            self._outbox",
        new="self.compliant = True\n            self._outbox",
        known_fault=4,
    ),
    Mutant(
        name="any-reject-counts",
        file=_PROVIDER,
        old="is_meant = may_answer(headers, *slot.offer_identifiers[-1:])",
        new="is_meant = True",
        known_fault=7,
    ),
    Mutant(
        name="unrequired-operation-spoils-offer",
        file=_REQUESTER,
        old='            return "the operation is not required"',
        new='            raise RemoteProtocolError("not required")',
        known_fault=10,
    ),
    Mutant(
        name="offer-to-excluded-core",
        file=_PROVIDER,
        old="self._slots.count(name)) or not terms.admits(core):",
        new="self._slots.count(name)):",
    ),
    Mutant(
        name="request-of-excluded-plugin",
        file=_REQUESTER,
        old="if not terms.admits(plugin):",
        new="if False:",
    ),
    Mutant(
        name="repeated-confirm-is-another",
        file=_REQUESTER,
        old=(
            "            if slot.is_connection:\n"
            "                return\n"
            "            if slot.state is SlotState.REQUESTED:"
        ),
        new="            if slot.state is SlotState.REQUESTED:",
    ),
    Mutant(
        name="unexpected-confirm-is-let-be",
        file=_REQUESTER,
        old="        # Nobody here waits for it, so the plugin must not go on to believe in it.\n",
        new="        return\n",
    ),
    Mutant(
        name="discovers-without-pause",
        file=_REQUESTER,
        old="return self._discovered_at + interval",
        new="return self._discovered_at + min(interval, 0.5)",
    ),
    Mutant(
        name="no-discover-when-compliance-ends",
        file=_REQUESTER,
        old=" if self.compliant else config.discovering_interval\n",
        new="\n",
    ),
    Mutant(
        name="mandatory-counted-in-maximum",
        file=_REQUESTER,
        old=(
            "        for plugin in terms.mandatory:\n"
            "            taken -= self._slots.get(plugin, operation_name) is not None\n"
        ),
        new="",
    ),
    Mutant(
        name="mandatory-not-needed",
        file=_REQUESTER,
        old="                return False\n            others -= 1",
        new="                continue\n            others -= 1",
    ),
    Mutant(
        name="late-offer-to-nobody",
        file=_PROVIDER,
        old="            slot = self._reserve(core, name, suited, query.size, now)",
        new="            pass",
    ),
    Mutant(
        name="announcement-believed",
        file=_REQUESTER,
        old="is_told_to_anybody=True)\n        self._outbox.add(MessageReceived(remote_identifier=plugin",
        new="is_told_to_anybody=True)\n        self._liveness.hear(plugin, headers, now)\n"
        "        self._outbox.add(MessageReceived(remote_identifier=plugin",
    ),
    Mutant(
        name="forged-discover-believed",
        file=_PROVIDER,
        old="        if is_directed and not is_claim:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="forged-incarnation-is-certain",
        file=_PROVIDER,
        old="self._peers.meet(asking.core_identifier, asking, now, is_certain=asking.is_certain)",
        new="self._peers.meet(asking.core_identifier, asking, now)",
    ),
    Mutant(
        name="next-incarnation-gets-no-slot",
        file=_PROVIDER,
        old="            if terms is not None and self._can_lend(core, slot.operation_name, terms):\n",
        new="            if False:\n",
    ),
    Mutant(
        name="request-names-an-old-offer",
        file=_REQUESTER,
        old="                slot.offer_identifiers = (headers.identifier,)\n                if slot",
        new="                if slot",
    ),
    Mutant(
        name="answer-names-the-first-of-two-requests",
        file=_PROVIDER,
        old="                slot.request_identifier = headers.identifier\n                if slot.is_open",
        new="                if slot.is_open",
    ),
    Mutant(
        name="operation-changed-unnoticed",
        file=_PROVIDER,
        old="                self._freed[name] = None\n                self.waiting_queries.operation_changed(name)",
        new="                pass",
    ),
    Mutant(
        name="changed-operation-offered-to-those-who-wait-anew",
        file=_PROVIDER,
        old="                self.waiting_queries.operation_changed(name)",
        new="                pass",
    ),
    Mutant(
        name="changed-requirement-not-evaluated",
        file=_REQUESTER,
        old="                    self._changed.add(name)",
        new="                    pass",
    ),
    Mutant(
        name="unmet-requirement-remembered-when-it-is-gone",
        file=_REQUESTER,
        old="if name in self._config.requirements and not self.is_compliant_for(name):",
        new="if name not in self._config.requirements or not self.is_compliant_for(name):",
    ),
    Mutant(
        name="who-asks-again-comes-last",
        file=_WAITING,
        old="        if earlier is None:\n            self._last_place",
        new="        if True:\n            self._last_place",
    ),
    Mutant(
        name="silent-core-keeps-its-turn",
        file=_PROVIDER,
        old="if self._is_silent(query.core, now) and self.waiting_queries.put_off(query):",
        new="if False:",
    ),
    Mutant(
        name="heard-core-stays-put-off",
        file=_WAITING,
        old="                if query.is_put_off:\n                    self._by_operation",
        new="                if False:\n                    self._by_operation",
    ),
    Mutant(
        name="ended-offer-not-waited-for-again",
        file=_WAITING,
        old="            self._by_operation[operation_name].join(core.queries[operation_name])",
        new="            pass",
    ),
    Mutant(
        name="strangers-keep-their-place-from-those-named",
        file=_WAITING,
        old="return 2 * (core_identifier in self._config.named) + ",
        new="return ",
    ),
    # What is kept of others
    Mutant(
        name="queries-weigh-nothing",
        file=_WAITING,
        old="(len(query.inputs) + len(query.outputs)) + sum(map(getsizeof, texts))",
        new="(len(query.inputs) + len(query.outputs))",
    ),
    Mutant(
        name="asking-cores-weigh-nothing",
        file=_WAITING,
        old="return _CORE_BYTES + sum(map(getsizeof, texts))",
        new="return 0",
    ),
    Mutant(
        name="requests-weigh-nothing",
        file=_PROVIDER,
        old="        self._slots.grow(slot, size_of_request(slot) + ",
        new="        self._slots.grow(slot, ",
    ),
    Mutant(
        name="offers-weigh-nothing",
        file=_REQUESTER,
        old="        slot.size = _size_of_offer(slot) + ",
        new="        slot.size = ",
    ),
    Mutant(
        name="setup-data-counted-for-ever",
        file=_PROVIDER,
        old="        self._slots.grow(slot, -getsizeof(slot.setup_data))",
        new="        ",
    ),
    # Who is who
]
