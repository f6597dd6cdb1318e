"""The command as tests run it: a process of its own, with a bus in its environment."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from tests.support.repository import ROOT

__all__ = ["Outcome", "orbitalis"]

_PATIENCE = 60.0


@dataclass(frozen=True)
class Outcome:
    """How a command has ended, and what it has written."""

    status: int
    output: str
    errors: str

    @property
    def data(self) -> Any:
        """The output as JSON."""
        return json.loads(self.output)


async def orbitalis(*arguments: str, bus: str | None, given: str = "", **environment: str) -> Outcome:
    """Run the command to its end."""
    inherited = {name: value for name, value in os.environ.items() if name != "ORBITALIS_BUS"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orbitalis.cli", *arguments),
        cwd=ROOT,
        env={**inherited, **({} if bus is None else {"ORBITALIS_BUS": bus}), **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            output, errors = await process.communicate(given.encode())
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    assert b"Traceback" not in errors, errors.decode()
    return Outcome(process.returncode, output.decode(), errors.decode())
