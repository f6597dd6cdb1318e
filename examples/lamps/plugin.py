"""A lamp as a process: `python -m examples.lamps.plugin --kind x --identifier lamp_x_1 --bus mqtt://localhost:1883`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from examples.lamps.program import add_options, run, writer
from examples.lamps.report import Report
from examples.lamps.reporting import ReportingLampX, ReportingLampY
from orbitalis import EventBusClient, connect

__all__ = ["main", "make_lamp"]


def make_lamp(
    kind: str, identifier: str, client: EventBusClient, report: Callable[[Report], None], **settings: Any
) -> ReportingLampX | ReportingLampY:
    """Make a lamp of brand `x` or `y`, with settings of an orbiter."""
    lamp_class = ReportingLampX if kind == "x" else ReportingLampY
    return lamp_class(identifier=identifier, eventbus_client=client, report=report, **settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a lamp until it is told to stop; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m examples.lamps.plugin", description="Run a lamp until Ctrl-C.")
    parser.add_argument("--kind", choices=["x", "y"], required=True, help="the brand; y can be dimmed and has a meter")
    parser.add_argument("--identifier", required=True, help="the name of the lamp; no other orbiter may have it")
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        client = connect(options.bus)
        lamp = make_lamp(options.kind, options.identifier, client, writer(options.json))
    except ValueError as error:
        parser.error(str(error))
    return run(lambda: lamp, end_with_input=options.json)


if __name__ == "__main__":
    sys.exit(main())
