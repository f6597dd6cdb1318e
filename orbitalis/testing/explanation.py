"""Why a core is not compliant, in words: what core and plugins explain, and what only the harness knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orbitalis.core import Core
from orbitalis.operations.explanation import RequirementExplanation
from orbitalis.plugin import Plugin
from orbitalis.testing.recording import Recording
from orbitalis_wire.messages import DiscoverMessage

__all__ = ["explain_needs", "names"]


def explain_needs(core: Core, recording: Recording[Any], plugins: Iterable[Plugin]) -> str:
    """Return some lines for each operation that a core needs: what it knows, and what the plugins know of it.

    `plugins` are those that could provide it.
    """
    plugins = list(plugins)
    lines: list[str] = []
    for requirement in core.explain().requirements:
        lines.append(str(requirement))
        if not requirement.is_met:
            lines += _known_to_the_harness(core, requirement, recording, plugins)
    return "\n".join(lines) or "  it requires nothing"


def names(identifiers: Iterable[str]) -> str:
    """Return a list of names to read, each once."""
    return ", ".join(dict.fromkeys(identifiers)) or "none"


def _known_to_the_harness(
    core: Core, requirement: RequirementExplanation, recording: Recording[Any], plugins: list[Plugin]
) -> Iterator[str]:
    name = requirement.operation_name
    discovers = [sent for sent in recording.of(DiscoverMessage) if sent.payload.core_identifier == core.identifier]
    if not any(name in sent.payload.queries for sent in discovers):
        yield f"    the core has not asked for it ({len(discovers)} discovers sent)"
    providers = [plugin for plugin in plugins if name in plugin.operations]
    if not providers:
        known = "; ".join(f"{plugin.identifier} with {names(plugin.operations)}" for plugin in plugins) or "none"
        yield f"    no plugin that the harness has started has such an operation (it has started: {known})"
    for plugin in providers:
        if not core.retrieve_connections(remote_identifier=plugin.identifier, operation_name=name):
            yield f"    plugin {plugin.identifier}: {_obstacle(core, plugin, name)}"


def _obstacle(core: Core, plugin: Plugin, operation_name: str) -> str:
    """Return what keeps a plugin that has an operation from being connected for it, as far as it knows."""
    if not plugin.is_running:
        return "is not running"
    if plugin.discover_topic != core.discover_topic:
        return f"listens for discovers on '{plugin.discover_topic}', the core sends them to '{core.discover_topic}'"
    lending = plugin.explain().of_operation(operation_name)
    for remote in () if lending is None else lending.remotes:
        if remote.remote_identifier == core.identifier:
            return "; ".join(remote.reasons) or str(remote)
    return "knows of nothing in the way; see what was sent"
