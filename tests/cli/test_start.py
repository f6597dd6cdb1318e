"""How long the command takes to begin, how many orbiters it sees, and how it is completed."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from contextlib import AsyncExitStack

import pytest

from orbitalis import connect
from orbitalis.cli.arguments import COMMANDS
from tests.cli.command import orbitalis
from tests.cli.orbiters import Lamp, running
from tests.support.broker import Broker
from tests.support.repository import ROOT, run

MANY = 200


def cpu_seconds(*arguments: str, bus: str = "") -> float:
    """Return the CPU time of the command, the least of three."""
    taken: list[float] = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "orbitalis.cli", *arguments],
            cwd=ROOT,
            env={**os.environ, "ORBITALIS_BUS": bus},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


def test_help_begins_at_once() -> None:
    assert cpu_seconds("--help") < 0.15
    assert cpu_seconds("ls", "--help") < 0.15


async def test_ls_takes_little(broker: Broker) -> None:
    async with running(*(Lamp(identifier=f"lamp{one}", eventbus_client=connect(broker.url)) for one in range(3))):
        assert await asyncio.to_thread(cpu_seconds, "ls", bus=broker.url) < 0.35


async def test_ls_shows_all_of_many_and_ends(broker: Broker) -> None:
    names = [f"lamp{number:03}" for number in range(MANY)]
    async with AsyncExitStack() as stack:
        lamps = [Lamp(identifier=name, eventbus_client=connect(broker.url)) for name in names]
        await asyncio.gather(*(stack.enter_async_context(lamp) for lamp in lamps))
        begun = time.monotonic()
        outcome = await orbitalis("ls", "--json", bus=broker.url)
        took = time.monotonic() - begun

    assert [one["identifier"] for one in outcome.data] == names
    assert all(one["is_complete"] and one["connections"] == {} for one in outcome.data)
    # Two seconds at most, and the time that a process takes to begin on a busy machine.
    assert took < 6


def test_every_command_has_a_module_and_says_what_it_is_for() -> None:
    modules = {path.stem for path in (ROOT / "orbitalis" / "cli" / "commands").glob("*.py")} - {"__init__"}
    shown = run([sys.executable, "-m", "orbitalis.cli", "--help"])

    assert modules == set(COMMANDS)
    assert [name for name in COMMANDS if f"    {name}" not in shown] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [("orbitalis p", ["ping"]), ("orbitalis call light --ti", ["--timeout"]), ("orbitalis completion z", ["zsh"])],
)
def test_bash_completes(line: str, expected: list[str]) -> None:
    script = run([sys.executable, "-m", "orbitalis.cli", "completion", "bash"])
    words = line.split()
    asked = (
        f'{script}\nCOMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _orbitalis; echo "${{COMPREPLY[@]}}"'
    )

    assert run(["bash", "-c", f"{script}\n{asked}"]).split() == expected


@pytest.mark.parametrize("shell", ["fish", "zsh"])
def test_other_shells_are_told_all_commands(shell: str) -> None:
    script = run([sys.executable, "-m", "orbitalis.cli", "completion", shell])

    assert [name for name in COMMANDS if name not in script] == []


def test_without_a_command_it_shows_its_help() -> None:
    assert "COMMAND" in run([sys.executable, "-m", "orbitalis.cli"], status=2)


async def test_nobody_who_reads_is_no_error(broker: Broker) -> None:
    command = f"{sys.executable} -m orbitalis.cli completion bash | true"

    assert run(["bash", "-c", command]) == ""
