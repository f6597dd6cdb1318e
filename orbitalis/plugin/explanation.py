"""Explains which cores have connections for the operations of a plugin, which not, and why."""

from __future__ import annotations

from orbitalis.operations.explanation import LISTED, LendingExplanation, PluginExplanation, explain_remotes
from orbitalis.protocol.config import OperationTerms
from orbitalis.protocol.machine import PluginMachine

__all__ = ["explain_plugin"]


def explain_plugin(identifier: str, machine: PluginMachine) -> PluginExplanation:
    """Return what the plugin with this identifier knows, bounded in size."""
    operations = machine.provider.operations
    refused = {operation_name for _, operation_name in machine.obstacles.found}
    names = sorted(operations, key=lambda name: name not in refused)
    return PluginExplanation(
        plugin_identifier=identifier,
        known_remotes=len(machine.peers),
        operations=tuple(_lending(machine, name, operations[name]) for name in names[:LISTED]),
        more_operations=len(names[LISTED:]),
    )


def _lending(machine: PluginMachine, operation_name: str, terms: OperationTerms) -> LendingExplanation:
    remotes, more = explain_remotes(operation_name, machine.slots, machine.obstacles, machine.peers.suspected, {})
    return LendingExplanation(
        operation_name=operation_name,
        lent=machine.slots.open_count(operation_name),
        taken=machine.slots.count(operation_name),
        maximum=terms.maximum,
        remotes=remotes,
        more_remotes=more,
    )
