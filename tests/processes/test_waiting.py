"""A program that is started before its broker."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import pytest

from tests.support.broker import Broker, unused_port
from tests.support.repository import ROOT

pytestmark = pytest.mark.timeout(120)

PROGRAM = """
import logging
from orbitalis import Plugin, run

logging.basicConfig(level=logging.INFO)
run(Plugin(identifier="early"))
print("ended")
"""


async def start_program(bus: str) -> asyncio.subprocess.Process:
    """Start a program that waits for its broker, and wait until it says so."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        cwd=ROOT,
        env={**os.environ, "ORBITALIS_BUS": bus, "ORBITALIS_BUS_WAIT": "90"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await says(process, "waits up to 90 s for the broker")
    return process


async def says(process: asyncio.subprocess.Process, text: str) -> None:
    """Read the log of a program up to a text."""
    assert process.stderr is not None
    async with asyncio.timeout(60):
        async for line in process.stderr:
            if text in line.decode():
                return
    raise AssertionError(f"the program has ended and never said: {text}")


async def end(process: asyncio.subprocess.Process) -> str:
    """Send Ctrl-C, and return the output of the program, which has to end soon and in order."""
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def test_a_program_that_is_started_before_its_broker_runs_when_that_comes(
    new_broker: Callable[..., Broker],
) -> None:
    broker = new_broker()
    broker.stop()
    process = await start_program(broker.url)
    await asyncio.to_thread(broker.start)
    await says(process, "early has started")
    assert await end(process) == "ended\n"


async def test_ctrl_c_ends_a_program_that_waits_for_its_broker() -> None:
    process = await start_program(f"mqtt://127.0.0.1:{unused_port()}")
    assert await end(process) == "ended\n"
