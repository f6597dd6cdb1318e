"""How a process in the chaos tells of what happens, and of all that should not."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import traceback
from typing import Any

from orbitalis import BusUnavailableError

__all__ = ["report", "report_everything_unexpected"]

_LONGEST_TEXT = 3000


def report(event: str, **content: object) -> None:
    """Print a line about something that happens now, on the clock that all processes share."""
    print(json.dumps({"event": event, "at": time.monotonic(), **content}), flush=True)


def report_everything_unexpected(loop: asyncio.AbstractEventLoop) -> None:
    """Report errors that are logged, and what is raised where nobody catches it."""
    logging.getLogger().addHandler(_Reporter(logging.ERROR))
    loop.set_exception_handler(_on_loop_exception)
    sys.unraisablehook = _on_unraisable


class _Reporter(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BusUnavailableError) and record.name == "orbitalis.bus.dispatch":
            return  # an answer that could not be sent while the bus was away; who waits for it is told
        _report_error(f"{record.name}: {record.getMessage()}", error)


def _on_loop_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _report_error(f"event loop: {context.get('message')}", context.get("exception"))


def _on_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    _report_error(f"{unraisable.err_msg}: {unraisable.object!r}", unraisable.exc_value)


def _report_error(text: str, error: BaseException | None) -> None:
    trace = "" if error is None else "".join(traceback.format_exception(error))
    report("error", text=text[:_LONGEST_TEXT], kind=error and type(error).__name__, trace=trace[-_LONGEST_TEXT:])
