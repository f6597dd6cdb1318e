"""Operations that keep a CPU busy run in processes of the plugin, while that serves everybody else."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orbitalis import AvroMessageMixin, Connection, Core, Plugin, operation
from orbitalis.bus import LocalEventBus
from orbitalis.errors import RequestTimeoutError
from tests.support.events import Collector, until
from tests.support.orbiters import on, running
from tests.support.repository import ROOT, run

pytestmark = pytest.mark.timeout(120)


class AwkwardError(Exception):
    """Cannot be read from what is written of it."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


@dataclass(frozen=True)
class BurnMessage(AvroMessageMixin):
    seconds: float


@dataclass
class Burner(Plugin):
    keepalives: list[str] = field(default_factory=list)

    @operation
    async def quick(self, number: int) -> int:
        return number

    @operation(cpu_bound=True)
    @staticmethod
    def burn(burn: BurnMessage) -> int:
        """Keep a CPU busy, and say in which process that was."""
        end = time.monotonic() + burn.seconds
        while time.monotonic() < end:
            pass
        return os.getpid()

    @operation(cpu_bound=True)
    @staticmethod
    def fail(number: int) -> int:
        if number == 0:
            raise ValueError("zero")
        if number == 1:
            raise AwkwardError(1, 2)
        if number == 2:
            os._exit(3)
        return number

    @operation(cpu_bound=True)
    @staticmethod
    def who() -> int:
        return os.getpid()

    async def _on_keepalive_request(self, from_identifier: str) -> None:
        self.keepalives.append(from_identifier)


def core_for(bus: LocalEventBus, sink: Collector) -> Core:
    core = Core(identifier="core", eventbus_client=on(bus), with_loop=False)
    for one in (Burner.quick, Burner.burn, Burner.fail, Burner.who):
        core.with_requirement(one, minimum=1, override_sink=sink)
    return core


async def test_others_are_served_while_a_handler_keeps_a_cpu_busy(bus: LocalEventBus) -> None:
    plugin, sink = Burner(identifier="plugin", eventbus_client=on(bus), with_loop=False), Collector()
    async with running(plugin, core := core_for(bus, sink)):
        await core.compliant_event.wait()
        await core.execute(Burner.who, any=True)  # so that the process is there
        await sink.wait_for(1)
        pool = {process.pid for process in multiprocessing.active_children()}
        assert set(sink.values) <= pool
        began = time.monotonic()
        await core.execute(Burner.burn, BurnMessage(seconds=2.0), any=True)
        for number in range(20):
            await core.execute(Burner.quick, number, any=True)
        await core.send_keepalive_request("plugin")
        await sink.wait_for(21)
        await until(lambda: plugin.keepalives == ["core"])
        assert time.monotonic() - began < 1.9
        assert sink.values[1:] == list(range(20))
        await sink.wait_for(22)
        assert time.monotonic() - began >= 2.0
        assert sink.values[-1] != os.getpid()
    assert multiprocessing.active_children() == []


async def test_a_stop_ends_the_processes_whatever_they_do(bus: LocalEventBus) -> None:
    plugin, sink = Burner(identifier="plugin", eventbus_client=on(bus), with_loop=False), Collector()
    async with running(plugin, core := core_for(bus, sink)):
        await core.compliant_event.wait()
        await core.execute(Burner.burn, BurnMessage(seconds=600.0), any=True)
        await until(lambda: len(multiprocessing.active_children()) == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert multiprocessing.active_children() == []
    assert sink.values == []
    # It can be started again, and then has new processes.
    async with running(plugin, core):
        await core.compliant_event.wait()
        await core.execute(Burner.who, any=True)
        await sink.wait_for(1)
    assert multiprocessing.active_children() == []


async def test_what_it_raises_is_the_handlers_failure_and_a_process_that_dies_is_replaced(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture
) -> None:
    plugin, sink = Burner(identifier="plugin", eventbus_client=on(bus), process_pool_size=1), Collector()
    async with running(plugin, core := core_for(bus, sink)):
        await core.compliant_event.wait()
        with caplog.at_level(logging.ERROR):
            await core.execute(Burner.fail, [0, 1, 2, 3], distribute=True)
            await sink.wait_for(1)
    assert sink.values == [3]
    errors = [f"{type(one).__name__}: {one}" for r in caplog.records if r.exc_info and (one := r.exc_info[1])]
    assert errors[:2] == ["ValueError: zero", "RuntimeError: AwkwardError: 1 and 2"]
    assert errors[2].startswith("BrokenProcessPool")


async def test_on_an_instance_it_is_a_coroutine_function(bus: LocalEventBus) -> None:
    plugin = Burner(eventbus_client=on(bus), process_pool_size=1)
    try:
        assert await plugin.who() != os.getpid()
        with pytest.raises(ValueError, match="zero"):
            await plugin.fail(0)
    finally:
        await plugin.process_pool.close()
    with pytest.raises(ValueError, match="process_pool_size must be at least 1, got 0"):
        Burner(eventbus_client=on(bus), process_pool_size=0)


MAIN = """
import asyncio, multiprocessing, sys
from orbitalis import Core, Plugin, operation, sink

class Squares(Plugin):
    @operation(cpu_bound=True)
    @staticmethod
    def square(number: int) -> int:
        return number * number

class Asking(Core):
    @sink(Squares.square)
    async def square(self, number: int) -> None:
        print(number, flush=True)
        done.set()

async def main() -> None:
    global done
    done = asyncio.Event()
    async with Squares(), Asking().with_requirement(Squares.square, minimum=1) as core:
        await core.compliant_event.wait()
        await core.execute(Squares.square, 12, any=True)
        await done.wait()
        if "hang" in sys.argv:
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
            await asyncio.Event().wait()
    print(multiprocessing.active_children())

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_the_class_may_be_in_the_programs_main_file(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MAIN)
    printed = run([sys.executable, tmp_path / "program.py"], environment={"PYTHONPATH": str(ROOT)}, folder=tmp_path)
    assert printed.split() == ["144", "[]"]


def test_the_processes_end_when_the_plugin_is_killed(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MAIN)
    with subprocess.Popen(
        [sys.executable, tmp_path / "program.py", "hang"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "144\n"
        assert len(program.stdout.readline().split()) == 1
        program.send_signal(signal.SIGKILL)
        # Its child has the other end of its output too, so that this ends when both are gone.
        assert program.stdout.read() == ""


# What cannot run in another process


def test_what_cannot_be_cpu_bound_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Inner\.it is cpu_bound, and another process cannot find it"):

        class Inner(Plugin):
            @operation(cpu_bound=True)
            @staticmethod
            def it(number: int) -> int:
                return number

    def check(text: str, function: object) -> None:
        function.__qualname__ = "Anything.it"  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match=rf"Anything\.it {text}"):
            type("Anything", (Plugin,), {"it": operation(cpu_bound=True)(function)})  # type: ignore[call-overload]

    async def asynchronous(number: int) -> int:
        return number

    def with_self(self: object, number: int) -> int:
        return number

    def with_connection(number: int, connection: Connection) -> int:
        return number

    check("is cpu_bound, so it runs where there is no event loop: write 'def'", asynchronous)
    check("is cpu_bound, and the plugin is in another process: take no self, and add @staticmethod", with_self)
    check("is cpu_bound, and the connection is in another process: take the payload alone", with_connection)
    with pytest.raises(TypeError, match="with cpu_bound=True the annotations say input and output"):
        operation(cpu_bound=True, input=int)  # type: ignore[call-overload]


UNGUARDED = """
import asyncio
from orbitalis import Core, OperationFailedError, Plugin, operation

class Burner(Plugin):
    @operation(cpu_bound=True)
    @staticmethod
    def burn(number: int) -> int:
        return number

async def main():
    core = Core().with_requirement(Burner.burn, minimum=1)
    async with Burner(process_pool_size=1), core:
        await core.compliant_event.wait()
        try:
            await core.request(Burner.burn, 1)
        except OperationFailedError as error:
            print("failed:", error)

asyncio.run(main())
"""


def test_a_program_that_each_process_begins_anew_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    (said,) = (line for line in done.stderr.splitlines() if line.startswith("this process is there for CPU-bound"))
    assert said.endswith('put what it starts under the line `if __name__ == "__main__":`')
    assert done.stdout.startswith("failed: ")
    assert "BrokenProcessPool: the process for it ended before any call did" in done.stdout


@dataclass
class Queueing(Plugin):
    """Has one process, and many inputs under way that want it."""

    process_pool_size: int = 1
    begun: int = 0

    @operation(concurrency=16)
    async def nap(self, seconds: float) -> int:
        self.begun += 1
        await self.process_pool.run(time.sleep, seconds)
        return 1


async def test_what_waits_for_a_process_until_nobody_waits_for_it_is_not_begun(bus: LocalEventBus) -> None:
    plugin = Queueing(identifier="plugin", eventbus_client=on(bus), with_loop=False)
    core = Core(identifier="core", eventbus_client=on(bus), with_loop=False).with_requirement(Queueing.nap, minimum=1)

    def asking(seconds: float, timeout: float | None = None) -> asyncio.Task[int]:
        return asyncio.create_task(core.request(Queueing.nap, seconds, timeout=timeout))

    async with running(plugin, core):
        await core.compliant_event.wait()
        await core.request(Queueing.nap, 0.0)  # which starts the process
        # A process has some calls in store, which count as begun.
        begun = [asking(1.0), *(asking(0.0) for _ in range(3))]
        late = [asking(60.0, timeout=0.2) for _ in range(2)]
        cancelled = [asking(60.0) for _ in range(2)]
        await until(lambda: plugin.begun == 9)
        for one in cancelled:
            one.cancel()
        outcomes = await asyncio.gather(*late, return_exceptions=True)
        assert [type(one) for one in outcomes] == [RequestTimeoutError] * 2
        assert await asyncio.gather(*begun) == [1] * 4
        assert (plugin.statistics.expired, plugin.statistics.taken_back) == (2, 2)
        assert plugin._asked._by_slot == {next(iter(plugin._machine.slots)): {}}
