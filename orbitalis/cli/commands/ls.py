"""`orbitalis ls`: all orbiters of a bus, a line each."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Mapping

from orbitalis.cli.asking import nobody, of_all, operator_of, run_async
from orbitalis.cli.failure import Exit
from orbitalis.cli.showing import ago, print_json, print_table
from orbitalis.operating import ConnectionsAnswer, InfoAnswer, Operator

__all__ = ["run"]

_TITLES = ("ORBITER", "ROLE", "OPERATIONS", "CONNECTIONS", "SINCE", "VERSION")


def run(options: argparse.Namespace) -> int:
    """List all orbiters."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    async with operator_of(options) as operator:
        infos, connections = await asyncio.gather(
            of_all(operator.info, options.within), of_all(operator.connections, options.within)
        )
        await _complete(operator, infos, connections)
    if not infos:
        raise nobody("no orbiter answers", None, ())
    if options.json:
        print_json([_as_object(one, connections.get(name)) for name, one in infos.items()])
    else:
        print_table(_TITLES, (_row(one, connections.get(name)) for name, one in infos.items()))
    return Exit.OK


async def _complete(
    operator: Operator, infos: dict[str, InfoAnswer], connections: dict[str, ConnectionsAnswer]
) -> None:
    """Ask those once more of whom one answer has come and the other has been lost."""
    without_info, without_connections = connections.keys() - infos.keys(), infos.keys() - connections.keys()
    more = await asyncio.gather(*(operator.info(one, within=1.0) for one in without_info))
    others = await asyncio.gather(*(operator.connections(one, within=1.0) for one in without_connections))
    for found in more:
        infos.update(found)
    for answered in others:
        connections.update(answered)
    for name in sorted(infos):
        infos[name] = infos.pop(name)


def _row(info: InfoAnswer, connections: ConnectionsAnswer | None) -> tuple[str, ...]:
    names = ", ".join(sorted(info.operations)) or "needs " + (", ".join(sorted(info.requirements)) or "nothing")
    if info.role == "plugin" and not info.operations:
        names = "-"
    since = ago(info.started_at)
    return (
        info.identifier,
        info.role,
        names if info.is_complete else f"{names}, …",
        _shown(_states(connections)),
        since,
        f"{info.implementation} {info.implementation_version}",
    )


def _states(connections: ConnectionsAnswer | None) -> Mapping[str, int] | None:
    return None if connections is None else Counter(one.state for one in connections.connections)


def _shown(states: Mapping[str, int] | None) -> str:
    if states is None:
        return "?"
    others = [f"{count} {state}" for state, count in sorted(states.items()) if state != "open"]
    return ", ".join([str(states.get("open", 0)), *others])


def _as_object(info: InfoAnswer, connections: ConnectionsAnswer | None) -> dict[str, object]:
    return {
        "identifier": info.identifier,
        "role": info.role,
        "operations": sorted(info.operations),
        "requirements": sorted(info.requirements),
        "connections": _states(connections),
        "started_at": info.started_at,
        "implementation": info.implementation,
        "implementation_version": info.implementation_version,
        "specification_version": info.specification_version,
        "incarnation": info.incarnation,
        "is_complete": info.is_complete,
    }
