"""The home as a process: `python -m examples.lamps.home --bus mqtt://localhost:1883`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from examples.lamps import commands
from examples.lamps.core import needs
from examples.lamps.program import add_options, run, writer
from examples.lamps.report import Report
from examples.lamps.reporting import ReportingHome
from orbitalis import EventBusClient, connect

__all__ = ["main", "make_home"]


def make_home(
    identifier: str,
    client: EventBusClient,
    report: Callable[[Report], None],
    *,
    lamps: int,
    dimmable: int,
    **settings: Any,
) -> ReportingHome:
    """Make a home that needs so many lamps, and so many of them that can be dimmed, with settings of an orbiter."""
    return ReportingHome(
        identifier=identifier,
        eventbus_client=client,
        operation_requirements=needs(lamps, dimmable),
        report=report,
        **settings,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a home until it is told to stop; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.lamps.home",
        description="Run a home until Ctrl-C; it reads commands from its input.",
        epilog=commands.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--identifier", default="home", help="its name; no other orbiter may have it (default: home)")
    parser.add_argument("--lamps", type=int, default=1, metavar="N", help="how many lamps it needs (default: 1)")
    parser.add_argument("--dimmable", type=int, default=0, metavar="N", help="how many that can be dimmed (default: 0)")
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        home = make_home(
            options.identifier,
            connect(options.bus),
            writer(options.json),
            lamps=options.lamps,
            dimmable=options.dimmable,
        )
    except ValueError as error:
        parser.error(str(error))
    if not options.json:
        print(commands.HELP, flush=True)

    async def obey(line: str) -> None:
        if line.strip() == "help":
            print(commands.HELP, flush=True)
        else:
            await commands.obey(home, line)

    return run(lambda: home, obey=obey, end_with_input=options.json)


if __name__ == "__main__":
    sys.exit(main())
