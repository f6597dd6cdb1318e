"""What somebody learns who asks with the command `orbitalis` while the play goes on."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Final

from examples.demo.play import Play

__all__ = ["ask"]

_ROOT: Final = Path(__file__).resolve().parents[2]


async def ask(play: Play, *arguments: str, status: int = 0) -> str:
    """Run the command, tell what it writes, and return that.

    Raises:
        StepFailedError: It ends with another status.
    """
    play.chronicle.note("demo", f"runs: orbitalis {' '.join(arguments)}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orbitalis.cli", *arguments),
        cwd=_ROOT,
        env={**os.environ, "ORBITALIS_BUS": play.bus},
        stdout=PIPE,
        stderr=PIPE,
        # Ctrl-C is for the demonstration.
        start_new_session=True,
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode()
    for line in filter(None, text.splitlines()):
        play.chronicle.note("orbitalis", line)
    play.check(process.returncode == status, f"the command to end with status {status}", errors.decode() or text)
    return text
