"""Orbiters that are killed: `python -m benchmarks.mortals URL`.

It reads JSON lists, a line each: what is to be run (`plugin` or `core`), and the identifiers. Each line is answered by
the process identifier of a process that runs these orbiters, made by a fork, which takes less time than a new Python.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import Any

from benchmarks.stage import TextPlugin
from orbitalis import Core, Orbiter, Plugin, connect, operation

__all__ = ["Lender", "topics_of"]


class Lender(Plugin):
    """Is what cores are connected with that are killed."""

    @operation
    async def reverse(self, text: str) -> str:
        """Return a text backwards."""
        return text[::-1]


def topics_of(kind: str) -> dict[str, Any]:
    """Return the topics by which those of a kind meet whom they need, so that the two kinds do not meet each other.

    If they did, each of 200 cores would ask each of 200 plugins in vain every ten seconds. That is more than the one
    process of these plugins can read.
    """
    return {"discover_topic": f"{kind}s/discover", "announce_topic": f"{kind}s/announce"}


def _make(kind: str, identifier: str, url: str) -> Orbiter:
    client = connect(url)
    if kind == "plugin":
        return TextPlugin(identifier=identifier, eventbus_client=client, **topics_of(kind))
    core = Core(identifier=identifier, eventbus_client=client, **topics_of(kind))
    return core.with_requirement(Lender.reverse, minimum=1)


async def _live(kind: str, identifiers: list[str], url: str) -> None:
    async with AsyncExitStack() as stack:
        for identifier in identifiers:
            await stack.enter_async_context(_make(kind, identifier, url))
        await asyncio.Event().wait()


def main(url: str) -> None:
    """Fork until the input ends, then end all that were forked."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.setpgid(0, 0)
    print(json.dumps({"event": "started"}), flush=True)
    for line in sys.stdin:
        kind, *identifiers = json.loads(line)
        child = os.fork()
        if child == 0:
            os.close(sys.stdin.fileno())
            os.close(sys.stdout.fileno())
            asyncio.run(_live(kind, identifiers, url))
            os._exit(0)
        print(json.dumps({"event": "forked", "process": child}), flush=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
