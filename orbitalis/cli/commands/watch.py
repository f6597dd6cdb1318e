"""`orbitalis watch`: what goes over the bus, a line an event."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json

from orbitalis.cli.arguments import QUIET_KINDS
from orbitalis.cli.asking import of_all, operator_of, run_async
from orbitalis.cli.failure import Exit
from orbitalis.cli.showing import as_json, print_json, printable
from orbitalis.cli.traffic import Seen, learn, listen
from orbitalis.errors import BusError
from orbitalis_wire.channels import CHANNELS

__all__ = ["run"]

_LONGEST = 300
"""Characters of a payload that a line shows."""


def run(options: argparse.Namespace) -> int:
    """Show events until Ctrl-C, or until there were enough."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    kinds = options.kind or [kind for kind in CHANNELS if kind not in QUIET_KINDS]
    kinds = list(CHANNELS) if "all" in kinds else kinds
    left: int | None = options.count
    done = asyncio.Event()
    failures: list[Exception] = []

    def tell(seen: Seen) -> None:
        nonlocal left
        if done.is_set() or not seen.is_about(options.orbiter, options.operation):
            return
        try:
            _show(seen, is_json=options.json)
        except BrokenPipeError as error:
            failures.append(error)
            done.set()
        left = None if left is None else left - 1
        if left == 0:
            done.set()

    async with operator_of(options) as operator:
        await listen(operator.eventbus_client, kinds, tell)
        # What is agreed on already, no handshake names any more.
        with contextlib.suppress(BusError):
            for info in (await of_all(operator.info, 2.0)).values():
                for one in info.operations.values():
                    learn((one.input, one.output))
                for needed in info.requirements.values():
                    learn((*needed.inputs, *needed.outputs))
        await done.wait()
    if failures:
        raise failures[0]
    return Exit.OK


def _show(seen: Seen, *, is_json: bool) -> None:
    if is_json:
        print_json(seen, is_line=True)
        return
    way = f"{seen.sender or '?'} → {seen.recipient or 'all'}"
    about = "" if seen.operation is None else f"  {seen.operation}"
    content = json.dumps(as_json(seen.payload), ensure_ascii=False)
    content = (
        content if len(content) <= _LONGEST else f"{content[:_LONGEST]}… ({len(content)} characters; --json has all)"
    )
    line = f"{seen.time.astimezone():%H:%M:%S.%f}"[:-3] + f"  {seen.kind:16}  {way}{about}  {seen.message} {content}"
    print(printable(line), flush=True)
