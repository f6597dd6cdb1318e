"""`orbitalis ping`: who answers, and how long that takes."""

from __future__ import annotations

import argparse
import asyncio

from orbitalis.cli.asking import nobody, of_all, of_one, operator_of, run_async
from orbitalis.cli.failure import Exit
from orbitalis.cli.showing import print_json, print_table, seconds_shown
from orbitalis.operating import Operator, PongAnswer

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Ping one orbiter, or all."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    times: dict[str, list[float]] = {}
    roles: dict[str, str] = {}
    async with operator_of(options) as operator:
        if options.orbiter is None:
            names = list(await of_all(operator.ping, options.within))
            if not names:
                raise nobody("no orbiter answers", None, ())
        else:
            await of_one(operator, operator.ping, options.orbiter, options.within)
            names = [options.orbiter]
        # One by one: who answers a question to all waits for a random moment first.
        for _ in range(options.count):
            for answer in await asyncio.gather(*(_ping(operator, name, options.within) for name in names)):
                if answer is not None:
                    roles[answer.identifier] = answer.role
                    times.setdefault(answer.identifier, []).append(answer.seconds)
    lost = {name: options.count - len(times.get(name, ())) for name in names}
    if options.json:
        print_json(
            [
                {"identifier": name, "role": roles.get(name), "seconds": times.get(name, []), "lost": lost[name]}
                for name in names
            ]
        )
    else:
        rows = ((name, roles.get(name, "?"), *_spread(times.get(name, [])), lost[name]) for name in names)
        print_table(("ORBITER", "ROLE", "FASTEST", "MEAN", "SLOWEST", "LOST"), rows)
    return Exit.NOT_WELL if any(lost.values()) else Exit.OK


async def _ping(operator: Operator, orbiter: str, within: float) -> PongAnswer | None:
    return (await operator.ping(orbiter, within=within)).get(orbiter)


def _spread(times: list[float]) -> tuple[str, str, str]:
    if not times:
        return "-", "-", "-"
    return seconds_shown(min(times)), seconds_shown(sum(times) / len(times)), seconds_shown(max(times))
