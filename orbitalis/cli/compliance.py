"""What a core is missing, worked out of what it and the plugins tell an operator."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orbitalis.message.misfits import misfits
from orbitalis.operating import ConnectionsAnswer, InfoAnswer
from orbitalis.operations.explanation import say_remote
from orbitalis_wire.messages import OperationInfo, RequirementInfo

__all__ = ["Candidate", "Lack", "lacks_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plugin that has an operation which the core is missing."""

    plugin: str
    state: str
    """Of the connection, or `not connected`."""
    reasons: tuple[str, ...]
    """What is in the way, as both descriptions show it."""
    core_says: str | None
    plugin_says: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """An operation that the core is missing."""

    operation: str
    connected: int
    minimum: int
    missing: tuple[str, ...]
    """Mandatory plugins that are not connected."""
    silent: tuple[str, ...]
    """Those of them that do not answer."""
    plugins: tuple[Candidate, ...]
    core_says: tuple[str, ...]
    """What the core says of others, which do not answer: that one was lost, for example."""


def lacks_of(
    core: InfoAnswer, infos: Mapping[str, InfoAnswer], connections: Mapping[str, ConnectionsAnswer]
) -> Iterator[Lack]:
    """Yield the operations that a core requires and does not have, with the plugins that have them.

    Answers are by identifier; those of the core's connections have to be there.
    """
    for name, requirement in sorted(core.requirements.items()):
        states = {
            one.remote_identifier: one.state
            for one in connections[core.identifier].connections
            if one.operation_name == name
        }
        is_open = {remote for remote, state in states.items() if state == "open"}
        missing = tuple(one for one in requirement.mandatory if one not in is_open)
        connected = len(is_open.difference(requirement.mandatory))
        if not missing and connected >= requirement.minimum:
            continue
        yield Lack(
            operation=name,
            connected=connected,
            minimum=requirement.minimum,
            missing=missing,
            silent=tuple(one for one in missing if one not in infos),
            plugins=tuple(
                Candidate(
                    plugin=plugin,
                    state=states.get(plugin, "not connected"),
                    reasons=tuple(_reasons(core.identifier, requirement, info, name, connections.get(plugin))),
                    core_says=_said(core, name, plugin),
                    plugin_says=_said(info, name, core.identifier),
                )
                for plugin, info in infos.items()
                if name in info.operations and plugin not in is_open
            ),
            core_says=tuple(_said_of_others(core, name, {*infos, *is_open})),
        )


def _reasons(
    core: str, requirement: RequirementInfo, plugin: InfoAnswer, name: str, connections: ConnectionsAnswer | None
) -> Iterator[str]:
    """Yield what keeps a plugin's operation from being what a requirement asks for."""
    one: OperationInfo = plugin.operations[name]
    for reason in misfits(
        (requirement.inputs, requirement.outputs), ([one.input], [one.output]), frozenset(), is_plugin=False
    ):
        yield f"{reason} (here: {core}, there: {plugin.identifier})"
    if _is_excluded(core, one.allowlist, one.blocklist):
        yield f"the policy of {plugin.identifier} excludes {core}"
    is_mandatory = plugin.identifier in requirement.mandatory
    if not is_mandatory and _is_excluded(plugin.identifier, requirement.allowlist, requirement.blocklist):
        yield f"the requirement of {core} excludes {plugin.identifier}"
    if one.maximum is not None and connections is not None:
        holders = [other.remote_identifier for other in connections.connections if other.operation_name == name]
        if len(holders) >= one.maximum:
            yield f"{plugin.identifier} lends it to at most {one.maximum}, and {', '.join(holders) or 'nobody'} has it"


def _is_excluded(who: str, allowlist: Sequence[str] | None, blocklist: Sequence[str] | None) -> bool:
    return (allowlist is not None and who not in allowlist) or who in (blocklist or ())


def _said(info: InfoAnswer, operation: str, remote: str) -> str | None:
    """Return what an orbiter says of a remote for an operation."""
    return next(
        (say_remote(one) for one in info.remotes if (one.operation_name, one.remote_identifier) == (operation, remote)),
        None,
    )


def _said_of_others(info: InfoAnswer, operation: str, known: Collection[str]) -> Iterator[str]:
    """Yield what an orbiter says for an operation of remotes that are not among those known."""
    for one in info.remotes:
        if one.operation_name == operation and one.remote_identifier not in known:
            yield say_remote(one)
