"""Programs whose life is that of their orbiters: signals, limits, and how they end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from orbitalis import BusError, connect, serve
from orbitalis.bus import LocalEventBus
from tests.support.orbiters import assert_nothing_is_left, core_on, plugin_on
from tests.support.repository import ROOT

PROGRAM = """
import asyncio, sys
from orbitalis import Constraint, Core, Event, Input, OperationRequirement, Output, Plugin, StringMessage
from orbitalis import connect, operation, run

class Shout(Plugin):
    @operation(name="shout", input=Input.string(), output=Output.string())
    async def shout(self, topic: str, event: Event[StringMessage]) -> None:
        pass

    async def _on_graceful_close_connection(self, remote, name, data):
        print("asks to close", flush=True)

    async def _on_graceless_close_connection(self, remote, name, data):
        print("closes at once", flush=True)

    async def _on_stopped(self):
        print("plugin stopped", flush=True)

class Listener(Core):
    async def _on_compliant(self):
        print("compliant", flush=True)

    async def _on_close_connection(self, connection, data):
        if "stubborn" in sys.argv:
            print("hangs", flush=True)
            await asyncio.Event().wait()

    async def _on_stopped(self):
        print("core stopped", flush=True)

need = OperationRequirement(Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()]))
bus = sys.argv[1]
plugin = Shout(identifier="plugin", eventbus_client=connect(bus))
core = Listener(identifier="core", operation_requirements={"shout": need}, eventbus_client=connect(bus))
run(plugin, core, close_timeout=30)
print("the end", flush=True)
"""


@contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the program, and end it whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def output_of(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_closes_gracefully_and_ends(number: signal.Signals) -> None:
    with program("local://") as process:
        assert output_of(process).readline() == "compliant\n"
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)

    lines = output.splitlines()
    assert lines[0] == "asks to close"
    assert sorted(lines[1:-1]) == ["core stopped", "plugin stopped"]
    assert lines[-1] == "the end"
    assert errors == ""
    assert process.returncode == 0


def test_a_second_signal_waits_for_nobody() -> None:
    with program("local://", "stubborn") as process:
        assert output_of(process).readline() == "compliant\n"
        process.send_signal(signal.SIGTERM)
        assert output_of(process).readline() == "asks to close\n"
        assert output_of(process).readline() == "hangs\n"
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)

    assert output.splitlines()[-1] == "the end"
    assert process.returncode == 0


def test_a_bus_that_is_not_there_is_said_in_one_line() -> None:
    with program("mqtt://localhost:1") as process:
        output, errors = process.communicate(timeout=30)

    assert output == ""
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert "localhost:1" in errors


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ORBITALIS_BUS", "http://host", "ORBITALIS_BUS: the URL of the event bus has the unknown scheme 'http'"),
        ("ORBITALIS_BUS", "mqtt://host:99999", "has a port that is no number from 1 to 65535"),
        ("ORBITALIS_BUS", "mqtt://localhost:1", "cannot connect to mqtt://localhost:1"),
        ("ORBITALIS_BUS_WAIT", "soon", "ORBITALIS_BUS_WAIT must be a number of seconds, such as 30, got 'soon'"),
    ],
)
def test_an_environment_that_names_no_bus_is_said_in_one_line(variable: str, value: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from orbitalis import Plugin, run; run(Plugin())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, variable: value},
        check=False,
    )

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert said in done.stderr


async def test_serves_until_all_have_stopped_by_themselves(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    serving = asyncio.create_task(serve(plugin, core))
    await asyncio.wait_for(core.compliant_event.wait(), 20)
    await core.stop()
    assert not serving.done()
    assert plugin.is_running
    await plugin.stop()
    await asyncio.wait_for(serving, 20)
    assert_nothing_is_left(core, plugin)


async def test_one_that_cannot_start_stops_the_others(bus: LocalEventBus) -> None:
    plugin, lost = plugin_on(bus), plugin_on(bus, "lost")
    lost.eventbus_client = connect("mqtt://localhost:1")

    with pytest.raises(BusError, match="localhost:1"):
        await serve(plugin, lost)

    assert not plugin.is_running
    assert_nothing_is_left(plugin)


async def test_whoever_cancels_it_stops_them(bus: LocalEventBus) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    serving = asyncio.create_task(serve(plugin, core))
    await asyncio.wait_for(core.compliant_event.wait(), 20)
    before = signal.getsignal(signal.SIGTERM)

    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving

    assert before is not signal.getsignal(signal.SIGTERM)
    assert_nothing_is_left(core, plugin)
