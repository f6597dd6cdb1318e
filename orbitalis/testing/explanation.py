"""Why a core is not compliant, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orbitalis.core import Core, OperationRequirement
from orbitalis.message.schema import SchemaSpec
from orbitalis.operations.constraint import Constraint
from orbitalis.plugin import Operation, Plugin
from orbitalis.testing.recording import Recording
from orbitalis_wire.messages import DiscoverMessage, OfferMessage, OperationNoLongerAvailableMessage
from orbitalis_wire.topics import OfferTopic, ResponseTopic

__all__ = ["explain_needs", "names"]


def explain_needs(core: Core, recording: Recording[Any], plugins: Iterable[Plugin]) -> str:
    """Return some lines for each operation that a core needs: what is required, connected and offered, what is wrong.

    `plugins` are those that could provide it.
    """
    plugins = list(plugins)
    lines: list[str] = []
    for name, requirement in core.operation_requirements.items():
        lines += _explain_need(core, name, requirement, recording, plugins)
    return "\n".join(lines) or "  it requires nothing"


def names(identifiers: Iterable[str]) -> str:
    """Return a list of names to read, each once."""
    return ", ".join(dict.fromkeys(identifiers)) or "none"


def _explain_need(
    core: Core, name: str, requirement: OperationRequirement, recording: Recording[Any], plugins: list[Plugin]
) -> Iterator[str]:
    connected = [connection.remote_identifier for connection in core.retrieve_connections(operation_name=name)]
    if core.is_compliant_for_operation(name):
        yield f"  {name}: met, connected: {names(connected)}"
        return
    discovers = [sent for sent in recording.of(DiscoverMessage) if sent.payload.core_identifier == core.identifier]
    told = {sent.payload.offer_topic for sent in discovers}
    own = {sent.topic for sent in recording.on(OfferTopic.filter(core_identifier=core.identifier))}
    offers = [
        sent.payload.plugin_identifier
        for sent in recording.of(OfferMessage)
        if sent.topic in told | own and any(offered.name == name for offered in sent.payload.offered_operations)
    ]
    refusals = [
        sent.payload.plugin_identifier
        for sent in recording.on(ResponseTopic.filter(core_identifier=core.identifier)).of(
            OperationNoLongerAvailableMessage
        )
        if sent.payload.operation_name == name
    ]
    yield (
        f"  {name}: required: {_required(requirement.constraint)}; connected: {names(connected)}; "
        f"offers seen: {names(offers)}"
    )
    if refusals:
        yield f"    refused after the offer by {names(refusals)}"
    if not any(name in sent.payload.queries for sent in discovers):
        yield f"    the core has not asked for it ({len(discovers)} discovers sent)"
    providers = [plugin for plugin in plugins if name in plugin.operations]
    if not providers:
        known = "; ".join(f"{plugin.identifier} with {names(plugin.operations)}" for plugin in plugins) or "none"
        yield f"    no plugin that the harness has started has such an operation (it has started: {known})"
    for plugin in providers:
        if plugin.identifier not in connected:
            yield f"    {plugin.identifier}: {_obstacle(core, plugin, plugin.operations[name], requirement.constraint)}"


def _required(constraint: Constraint) -> str:
    mandatory = [f"'{identifier}'" for identifier in constraint.mandatory]
    others = f"{constraint.minimum} {'other ' if mandatory else ''}plugin{'' if constraint.minimum == 1 else 's'}"
    return " and ".join([*mandatory, *([others] if constraint.minimum or not mandatory else [])])


def _obstacle(core: Core, plugin: Plugin, operation: Operation, constraint: Constraint) -> str:
    """Return what keeps a plugin that has an operation from being connected for it."""
    if not plugin.is_running:
        return "is not running"
    if plugin.discover_topic != core.discover_topic:
        return f"listens for discovers on '{plugin.discover_topic}', the core sends them to '{core.discover_topic}'"
    if not any(operation.input.accepts(sent) for sent in constraint.inputs):
        return f"takes {_schemas([operation.input])}, but the core sends {_schemas(constraint.inputs)}"
    if not any(taken.accepts(operation.output) for taken in constraint.outputs):
        return f"sends {_schemas([operation.output])}, but the core takes {_schemas(constraint.outputs)}"
    if not constraint.admits(plugin.identifier):
        return "is not admitted by the core's constraint"
    if not operation.policy.admits(core.identifier):
        return "does not admit the core: see the policy of the operation"
    lent = [connection.remote_identifier for connection in plugin.retrieve_connections(operation_name=operation.name)]
    maximum = operation.policy.maximum
    if maximum is not None and len(lent) >= maximum:
        return f"has no room (maximum: {maximum}), it is lent to {names(lent)}"
    return "would do; see what was sent"


def _schemas(alternatives: Iterable[SchemaSpec]) -> str:
    return " or ".join(str(one) for one in alternatives)
