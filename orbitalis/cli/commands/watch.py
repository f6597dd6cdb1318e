"""`orbitalis watch`: what goes over the bus, a line an event."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import Callable

from orbitalis.cli.arguments import QUIET_KINDS
from orbitalis.cli.asking import of_all, operator_of, run_async
from orbitalis.cli.failure import Exit
from orbitalis.cli.showing import as_json, print_json, printable
from orbitalis.cli.traffic import Seen, learn, listen
from orbitalis.errors import BusError
from orbitalis_wire.channels import CHANNELS

__all__ = ["run"]

_MOST_WAITING = 10_000
"""Events that are kept until schemas are known."""
_LONGEST = 300
"""Characters of a payload that a line shows."""


def run(options: argparse.Namespace) -> int:
    """Show events until Ctrl-C, or until there were enough."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    kinds = options.kind or [kind for kind in CHANNELS if kind not in QUIET_KINDS]
    shower = _Shower(options)
    async with operator_of(options) as operator:
        await listen(operator.eventbus_client, list(CHANNELS) if "all" in kinds else kinds, shower.take)
        # What was agreed on before, no handshake says any more.
        with contextlib.suppress(BusError):
            for info in (await of_all(operator.info, 2.0)).values():
                for one in info.operations.values():
                    learn((one.input, one.output))
                for needed in info.requirements.values():
                    learn((*needed.inputs, *needed.outputs))
        shower.begin()
        await shower.done.wait()
    if shower.failure is not None:
        raise shower.failure
    return Exit.OK


class _Shower:
    """Shows events; those that come before the schemas are known have to wait."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._left: int | None = options.count
        self._waiting: list[Callable[[], Seen]] | None = []
        self.done = asyncio.Event()
        """Set when nothing more is to be shown."""
        self.failure: BrokenPipeError | None = None
        """Why that is, if nobody reads any more."""

    def begin(self) -> None:
        """Show what has waited, and from now on what comes."""
        waiting, self._waiting = self._waiting, None
        for look in waiting or ():
            self.take(look)

    def take(self, look: Callable[[], Seen]) -> None:
        """Show an event if it is one of those that are wanted."""
        if self._waiting is not None:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append(look)
            return
        seen = look()
        if self.done.is_set() or not seen.is_about(self._options.orbiter, self._options.operation):
            return
        try:
            _show(seen, is_json=self._options.json)
        except BrokenPipeError as error:
            self.failure = error
            self.done.set()
        if self._left is not None:
            self._left -= 1
            if not self._left:
                self.done.set()


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
