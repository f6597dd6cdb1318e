"""`orbitalis stats`: what orbiters have counted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from orbitalis.cli.asking import nobody, of_all, of_one, operator_of, run_async
from orbitalis.cli.failure import Exit
from orbitalis.cli.showing import print_json, print_table, print_text, when
from orbitalis.operating import StatisticsAnswer

__all__ = ["run"]

_TITLES = ("ORBITER", "OPERATION", "EXECUTIONS", "ANSWERS", "ERRORS", "IN HANDLER", "LAST ERROR")


def run(options: argparse.Namespace) -> int:
    """Show the statistics of one orbiter, with all its counters, or of all."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    async with operator_of(options) as operator:
        if options.orbiter is None:
            found = await of_all(operator.statistics, options.within)
            if not found:
                raise nobody("no orbiter answers", None, ())
        else:
            found = {options.orbiter: await of_one(operator, operator.statistics, options.orbiter, options.within)}
    if options.json:
        print_json(list(found.values()))
        return Exit.OK
    print_table(_TITLES, (row for answer in found.values() for row in _rows(answer)))
    if options.orbiter is not None:
        print_text()
        _print_counters(found[options.orbiter].counters)
    return Exit.OK


def _rows(answer: StatisticsAnswer) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name, one in sorted(answer.operations.items()):
        last = "" if one.last_error_at is None else f"{one.last_error}, {when(one.last_error_at)}"
        rows.append(
            (answer.identifier, name, one.executions, one.answers, one.errors, f"{one.seconds_in_handler:.3f} s", last)
        )
    return rows or [(answer.identifier, "-", 0, 0, 0, "0.000 s", "")]


def _print_counters(counters: Mapping[str, int]) -> None:
    print_table(("COUNTER", "COUNT"), ((name, count) for name, count in sorted(counters.items())))
