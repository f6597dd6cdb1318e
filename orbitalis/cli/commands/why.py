"""`orbitalis why`: what a core is missing, and why the plugins that have it are not connected."""

from __future__ import annotations

import argparse
import asyncio

from orbitalis.cli.asking import of_all, of_one, operator_of, run_async
from orbitalis.cli.compliance import Lack, lacks_of
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.cli.showing import print_json, print_text
from orbitalis.operating import InfoAnswer

__all__ = ["run"]


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
    lacks = tuple(lacks_of(core, infos, connections))
    if options.json:
        print_json(
            {"core": core.identifier, "is_compliant": not lacks, "missing": lacks, "explanation": core.explanation}
        )
    else:
        _show(core, lacks)
    return Exit.NOT_WELL if lacks else Exit.OK


def _show(core: InfoAnswer, lacks: tuple[Lack, ...]) -> None:
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
        for known in lack.core_says:
            print_text(f"  {core.identifier} says: {known}")
        for one in lack.plugins:
            print_text(f"  {one.plugin}: {one.state}")
            for reason in one.reasons:
                print_text(f"    {reason}")
            for who, text in ((core.identifier, one.core_says), (one.plugin, one.plugin_says)):
                if text is not None:
                    print_text(f"    {who} says: {text}")
            if not (one.reasons or one.core_says or one.plugin_says):
                print_text("    nothing is in the way that either side knows of: its handshake may be under way")
