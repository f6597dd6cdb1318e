"""Explains which connections a core has, which it lacks, and why."""

from __future__ import annotations

from orbitalis.operations.explanation import (
    LISTED,
    CoreExplanation,
    RequirementExplanation,
    Sharing,
    explain_remotes,
)
from orbitalis.protocol.config import RequirementTerms
from orbitalis.protocol.machine import CoreMachine

__all__ = ["explain_core", "explain_requirement", "unmet"]


def explain_core(identifier: str, machine: CoreMachine) -> CoreExplanation:
    """Return what the core with this identifier knows, bounded in size."""
    requirements = machine.requester.requirements
    lacking = unmet(machine)
    names = [*lacking, *(name for name in requirements if name not in set(lacking))]
    return CoreExplanation(
        core_identifier=identifier,
        is_compliant=machine.requester.is_compliant(),
        known_remotes=len(machine.peers),
        requirements=tuple(explain_requirement(machine, name) for name in names[:LISTED]),
        more_requirements=len(names[LISTED:]),
    )


def unmet(machine: CoreMachine) -> list[str]:
    """Return the operations whose requirements are not met."""
    requester = machine.requester
    return [name for name in requester.requirements if not requester.is_compliant_for(name)]


def explain_requirement(machine: CoreMachine, operation_name: str) -> RequirementExplanation:
    """Return what a core knows of one operation that it requires.

    Raises:
        KeyError: The operation is not required.
    """
    requester = machine.requester
    terms: RequirementTerms = requester.requirements[operation_name]
    open_with = {slot.remote_identifier for slot in machine.slots.open_of_operation(operation_name)}
    missing = [plugin for plugin in terms.mandatory if plugin not in open_with]
    others = {
        plugin: sharing
        for known, sharing in ((requester.heard_of, Sharing.NOT_OFFERED), (requester.silent, Sharing.SILENT))
        for plugin, names in known.items()
        if operation_name in names
    }
    remotes, more = explain_remotes(operation_name, machine.slots, machine.obstacles, machine.peers.suspected, others)
    return RequirementExplanation(
        operation_name=operation_name,
        is_met=requester.is_compliant_for(operation_name),
        connected=len(open_with.difference(terms.mandatory)),
        minimum=terms.minimum,
        maximum=terms.maximum,
        mandatory=terms.mandatory[:LISTED],
        missing=tuple(missing[:LISTED]),
        more_missing=len(missing[LISTED:]),
        remotes=remotes,
        more_remotes=more,
    )
