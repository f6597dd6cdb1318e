"""`orbitalis info`: everything about one orbiter, with schemas that people can read."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from datetime import datetime

from orbitalis.cli.asking import of_one, operator_of, run_async
from orbitalis.cli.failure import Exit
from orbitalis.cli.schemas import shape_shown
from orbitalis.cli.showing import ago, as_json, print_json, print_table, print_text, when
from orbitalis.operating import ConnectionsAnswer, InfoAnswer
from orbitalis_wire.messages import OperationInfo, RequirementInfo

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Show everything about one orbiter."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    async with operator_of(options) as operator:
        info = await of_one(operator, operator.info, options.orbiter, options.within)
        connections = await of_one(operator, operator.connections, options.orbiter, options.within)
    if options.json:
        print_json({**as_json(info), "connections": as_json(connections.connections)})
    else:
        _show(info, connections)
    return Exit.OK


def _show(info: InfoAnswer, connections: ConnectionsAnswer) -> None:
    print_text(f"{info.role} {info.identifier}")
    print_text(f"  software       {info.implementation} {info.implementation_version}")
    print_text(f"  specification  {info.specification_version}")
    print_text(f"  since          {info.started_at:%Y-%m-%d %H:%M:%S} UTC ({ago(info.started_at)})")
    print_text(f"  incarnation    {info.incarnation}")
    for name, operation in sorted(info.operations.items()):
        _show_operation(name, operation)
    for name, requirement in sorted(info.requirements.items()):
        _show_requirement(name, requirement)
    if connections.connections:
        print_text()
        rows = (
            (
                one.operation_name,
                one.remote_identifier,
                one.state,
                ago(one.since),
                _used(one.last_used_at),
            )
            for one in connections.connections
        )
        print_table(("OPERATION", "CONNECTED WITH", "STATE", "SINCE", "LAST USED"), rows)
    print_text()
    print_text(info.explanation.rstrip("\n"))
    if not (info.is_complete and connections.is_complete):
        print_text("Not all has come in time: --within takes more seconds.")


def _used(moment: datetime | None) -> str:
    return "never" if moment is None else when(moment)


def _show_operation(name: str, one: OperationInfo) -> None:
    print_text(f"\noperation {name}")
    if one.documentation:
        print_text(textwrap.indent(one.documentation, "  "))
    print_text(f"  takes  {shape_shown(one.input)}")
    print_text(f"  gives  {shape_shown(one.output)}")
    _show_lists("lent to", "core", None, one.maximum, one.allowlist, one.blocklist)


def _show_requirement(name: str, one: RequirementInfo) -> None:
    print_text(f"\nneeds {name}")
    print_text(f"  sends  {' or '.join(map(shape_shown, one.inputs))}")
    print_text(f"  takes  {' or '.join(map(shape_shown, one.outputs))}")
    _show_lists("from", "plugin", one.minimum, one.maximum, one.allowlist, one.blocklist)
    if one.mandatory:
        print_text(f"  has to have {', '.join(one.mandatory)}")


def _show_lists(
    verb: str,
    whom: str,
    minimum: int | None,
    maximum: int | None,
    allowlist: Sequence[str] | None,
    blocklist: Sequence[str] | None,
) -> None:
    bounds = [f"at least {minimum}"] * (minimum is not None) + [f"at most {maximum}"] * (maximum is not None)
    is_one = (minimum if maximum is None else maximum) == 1
    print_text(f"  {verb} {' and '.join(bounds) or 'any number of'} {whom if is_one else f'{whom}s'}")
    if allowlist is not None:
        print_text(f"  {verb} no others than {', '.join(allowlist) or 'nobody'}")
    if blocklist:
        print_text(f"  {verb} none of {', '.join(blocklist)}")
