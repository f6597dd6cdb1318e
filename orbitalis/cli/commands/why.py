"""`orbitalis why`: what a core is missing, and why the plugins that have it are not connected."""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from orbitalis.cli.asking import of_all, of_one, operator_of, run_async
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.cli.showing import print_json, print_text
from orbitalis.message.misfits import misfits
from orbitalis.message.schema_difference import shortened
from orbitalis.operating import ConnectionsAnswer, InfoAnswer
from orbitalis_wire.messages import OperationInfo, RequirementInfo

__all__ = ["run"]

_OPERATION: Final = re.compile(r"  operation (?P<name>'.*?'|\".*?\") ")
"""How the lines about an operation begin in an explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A plugin that has an operation which the core is missing."""

    plugin: str
    state: str
    """Of the connection, or `not connected`."""
    reasons: tuple[str, ...]
    """What is in the way, as both descriptions show it."""
    core_says: str | None
    plugin_says: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lack:
    """An operation that the core is missing."""

    operation: str
    connected: int
    minimum: int
    missing: tuple[str, ...]
    """Mandatory plugins that are not connected."""
    silent: tuple[str, ...]
    """Those of them that do not answer."""
    plugins: tuple[_Candidate, ...]


def run(options: argparse.Namespace) -> int:
    """Say why a core is not compliant."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    async with operator_of(options) as operator:
        core = await of_one(operator, operator.info, options.core, options.within)
        if core.role != "core":
            raise CommandError(
                Exit.MISUSED, f"'{options.core}' is a {core.role}: a core is what needs something; see `orbitalis info`"
            )
        infos, connections = await asyncio.gather(
            of_all(operator.info, options.within), of_all(operator.connections, options.within)
        )
        if core.identifier not in connections:
            connections[core.identifier] = await of_one(operator, operator.connections, core.identifier, options.within)
    lacks = tuple(_lacks(core, infos, connections))
    if options.json:
        print_json(
            {"core": core.identifier, "is_compliant": not lacks, "missing": lacks, "explanation": core.explanation}
        )
    else:
        _show(core, lacks)
    return Exit.NOT_WELL if lacks else Exit.OK


def _lacks(
    core: InfoAnswer, infos: Mapping[str, InfoAnswer], connections: Mapping[str, ConnectionsAnswer]
) -> Iterator[_Lack]:
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
        yield _Lack(
            operation=name,
            connected=connected,
            minimum=requirement.minimum,
            missing=missing,
            silent=tuple(one for one in missing if one not in infos),
            plugins=tuple(
                _Candidate(
                    plugin=plugin,
                    state=states.get(plugin, "not connected"),
                    reasons=tuple(_reasons(core.identifier, requirement, info, name, connections.get(plugin))),
                    core_says=_said(core.explanation, name, plugin),
                    plugin_says=_said(info.explanation, name, core.identifier),
                )
                for plugin, info in infos.items()
                if name in info.operations and plugin not in is_open
            ),
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


def _is_excluded(who: str, allowlist: object, blocklist: object) -> bool:
    allowed = allowlist if isinstance(allowlist, list | tuple) else None
    blocked = blocklist if isinstance(blocklist, list | tuple) else ()
    return (allowed is not None and who not in allowed) or who in blocked


def _said(explanation: str, operation: str, remote: str) -> str | None:
    """Return what an explanation says of a remote for an operation."""
    about = None
    for line in explanation.splitlines():
        if found := _OPERATION.match(line):
            about = found["name"]
        elif about == shortened(operation) and line.startswith(f"    {shortened(remote)}"):
            return line.strip()
    return None


def _show(core: InfoAnswer, lacks: tuple[_Lack, ...]) -> None:
    if not lacks:
        print_text(f"{core.identifier} is compliant: it has what it needs")
        return
    print_text(f"{core.identifier} is not compliant: {len(lacks)} of {len(core.requirements)} operations are missing")
    for lack in lacks:
        needs = [f"has {lack.connected} of at least {lack.minimum} plugins"] * (lack.connected < lack.minimum)
        needs += [f"is without mandatory {', '.join(lack.missing)}"] * bool(lack.missing)
        print_text(f"\n{lack.operation}: {' and '.join(needs)}")
        for silent in lack.silent:
            print_text(f"  {silent} does not answer: is it running?")
        if not lack.plugins and not lack.silent:
            print_text("  no other plugin that answers has it")
        for one in lack.plugins:
            print_text(f"  {one.plugin}: {one.state}")
            for reason in one.reasons:
                print_text(f"    {reason}")
            for who, text in ((core.identifier, one.core_says), (one.plugin, one.plugin_says)):
                if text is not None:
                    print_text(f"    {who} says: {text}")
            if not (one.reasons or one.core_says or one.plugin_says):
                print_text("    nothing is in the way that either side knows of: its handshake may be under way")
