"""Where tasks wait, in words."""

from __future__ import annotations

import asyncio
import linecache
import os
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

__all__ = ["describe_tasks"]

_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep


def describe_tasks(tasks: Iterable[asyncio.Task[Any]]) -> str:
    """Return a line for each task, in order of their names: what it is called, and where it waits."""
    return "\n".join(sorted(f"  {_describe(task)}" for task in tasks)) or "  none"


def _describe(task: asyncio.Task[Any]) -> str:
    frames = list(_frames(task.get_coro()))
    # Which of asyncio's own lines it is says nothing, unless nobody else's is there.
    frames = [frame for frame in frames if not frame.f_code.co_filename.startswith(_ASYNCIO)] or frames[:1]
    if not frames:
        return f"{task.get_name()}: {task!r}"
    innermost = frames[-1]
    source = linecache.getline(innermost.f_code.co_filename, innermost.f_lineno).strip()
    within = " < ".join(frame.f_code.co_qualname for frame in reversed(frames))
    return f"{task.get_name()}: {innermost.f_code.co_filename}:{innermost.f_lineno}: {source or '?'} (in {within})"


def _frames(awaited: object) -> Iterator[FrameType]:
    """Yield the frames of a suspended coroutine and of all that it awaits, outermost first."""
    while awaited is not None:
        for prefix in ("cr", "gi", "ag"):
            if hasattr(awaited, f"{prefix}_frame"):
                frame = getattr(awaited, f"{prefix}_frame")
                if isinstance(frame, FrameType):
                    yield frame
                # What a generator awaits has another name.
                awaited = getattr(awaited, "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await")
                break
        else:
            return
