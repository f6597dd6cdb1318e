"""Runs programs for a moment while the play goes on, such as the command `orbitalis`, and tells what they write."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Final

from examples.demo.play import Play

__all__ = ["ask", "hear"]

_ROOT: Final = Path(__file__).resolve().parents[2]


async def ask(play: Play, *arguments: str, status: int = 0) -> str:
    """Run the command `orbitalis`, tell what it writes, and return that.

    Raises:
        StepFailedError: It ends with another status.
    """
    play.chronicle.note("demo", f"runs: orbitalis {' '.join(arguments)}")
    return await hear(play, "orbitalis", "orbitalis.cli", *arguments, status=status)


async def hear(play: Play, speaker: str, module: str, *arguments: str, status: int = 0) -> str:
    """Run a module of Python until its end, tell what it writes as what `speaker` says, and return that.

    Raises:
        StepFailedError: It ends with another status.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
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
        play.chronicle.note(speaker, line)
    play.check(process.returncode == status, f"{speaker} to end with status {status}", errors.decode() or text)
    return text
