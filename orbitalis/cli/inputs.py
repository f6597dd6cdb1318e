"""What a call sends: JSON of the command line or of standard input, checked against what the operation takes."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from typing import Final, cast

from orbitalis.cli.failure import CommandError, Exit
from orbitalis.cli.messages import message_of
from orbitalis.cli.schemas import shape_shown
from orbitalis.message.payload import Publishable
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.messages import Input, OperationInfo

__all__ = ["ABSENT", "input_of", "parsed", "stdin_lines"]

ABSENT: Final = object()
"""What stands for no JSON at all."""


def parsed(text: str) -> object:
    """Return the value of JSON text.

    Raises:
        CommandError: It is no JSON.
    """
    try:
        value: object = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise CommandError(
            Exit.MISUSED,
            f"the input is no JSON: {error}. A text is in quotes, and these in quotes of the shell: '\"a text\"'",
        ) from None
    return value


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON")


def input_of(name: str, operation: OperationInfo, value: object) -> Publishable:
    """Return the message that JSON stands for, as an operation takes it; `None` for an empty event.

    Raises:
        CommandError: The operation does not take it; the text names the field, and what it takes.
    """
    taken: Input = operation.input
    if not (taken.schemas or taken.support_empty_schema or taken.support_undefined_schema):
        raise CommandError(
            Exit.MISUSED, f"operation '{name}' takes no input: it sends by itself; see it with `orbitalis watch`"
        )
    if value is ABSENT or (value is None and taken.support_empty_schema):
        if taken.support_empty_schema or taken.support_undefined_schema:
            return None
        raise CommandError(Exit.MISUSED, f"operation '{name}' needs an input: {shape_shown(taken)}")
    if taken.support_undefined_schema:
        if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
            return value
        raise CommandError(
            Exit.MISUSED,
            f"operation '{name}' takes anything and names no schema: only a text, a number or null can be sent",
        )
    problems: list[str] = []
    for schema in taken.schemas:
        try:
            return cast("Publishable", message_of(schema, value))
        except EncodeError as error:
            where = f"field '{error.path}' of {error.record}" if error.path else error.record
            problems.append(f"{where}: {error.reason}")
        except ValueError as error:
            problems.append(str(error))
    what = "; or ".join(problems) or "it takes no payload"
    raise CommandError(
        Exit.MISUSED, f"the input is not what operation '{name}' takes: {what}\nit takes {shape_shown(taken)}"
    )


async def stdin_lines() -> AsyncIterator[tuple[int, str]]:
    """Yield the lines of standard input with their numbers, without those that are empty.

    A thread reads them, which does not keep the program from ending.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        try:
            while line := sys.stdin.readline():
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)
        except RuntimeError:
            return  # the event loop is closed

    threading.Thread(target=read, daemon=True).start()
    number = 0
    while (line := await lines.get()) is not None:
        number += 1
        if line.strip():
            yield number, line
