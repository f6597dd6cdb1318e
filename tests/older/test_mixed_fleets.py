"""Fleets in which one side is py-orbitalis, as processes over a real broker: at work, closing, killed, started anew."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.older.environment import NotAvailableError, older_python
from tests.support.broker import Broker
from tests.support.processes import ReportingProcess

pytestmark = pytest.mark.timeout(300)

PROGRAM = Path(__file__).with_name("program.py")
OPERATIONS = ("lowercase", "half", "sort", "ping", "ticks")
#: Seconds; short, so that the tests need not wait long, and long enough for a busy machine.
QUICK: dict[str, Any] = {"loop_interval": 0.1, "consider_others_dead_after": 5.0}
QUICK_CORE = {**QUICK, "discovering_interval": 0.3}
WORK = [
    ("lowercase", "text", "HeLLo", "hello"),
    ("half", "number", 3.0, 1.5),
    ("sort", "reading", {"name": "x", "values": [2.5, 1.5]}, {"name": "x", "values": [1.5, 2.5]}),
]

both_ways = pytest.mark.parametrize("older", ["core", "plugin"])


@pytest.fixture(scope="session")
def python() -> str:
    """Give the Python of an environment with py-orbitalis."""
    try:
        return older_python()
    except NotAvailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def spellings(python: str) -> list[str]:
    """Give the schemas of the messages as the installation of py-orbitalis spells them."""
    told = subprocess.run([python, "-I", PROGRAM, "schemas"], check=True, capture_output=True, text=True)
    return list(json.loads(told.stdout).values())


class Fleet:
    """Starts processes at a broker; those of one role are of py-orbitalis."""

    def __init__(self, older: str, python: str, spellings: list[str], port: int) -> None:
        self._older = older
        self._python = python
        self._spellings = spellings
        self._port = str(port)

    def plugin(self, identifier: str = "plugin", **options: Any) -> ReportingProcess:
        """Prepare a plugin."""
        return self._process("plugin", identifier, {**QUICK, **options})

    def core(self, identifier: str = "core", **options: Any) -> ReportingProcess:
        """Prepare a core, which needs one plugin for all operations unless `requires` says otherwise."""
        options.setdefault("requires", {name: ({"minimum": 1, "maximum": 1}, None) for name in OPERATIONS})
        if self._older == "plugin":
            options["spellings"] = self._spellings
        return self._process("core", identifier, {**QUICK_CORE, **options})

    def _process(self, kind: str, identifier: str, options: dict[str, Any]) -> ReportingProcess:
        arguments = (kind, identifier, self._port, json.dumps(options))
        program = (self._python, "-I", str(PROGRAM)) if kind == self._older else None
        return ReportingProcess(identifier, "tests.older.program", *arguments, program=program)


@pytest.fixture
def fleet(older: str, python: str, spellings: list[str], new_broker: Callable[..., Broker]) -> Fleet:
    """Give a fleet with a broker of its own."""
    return Fleet(older, python, spellings, new_broker().port)


def requires(name: str, setup_data: str | None = None, **rules: Any) -> dict[str, Any]:
    """Return the requirements of a core that needs one operation."""
    return {name: ({"minimum": 1, "maximum": 1, **rules}, setup_data)}


@asynccontextmanager
async def running(*processes: ReportingProcess) -> AsyncIterator[None]:
    """Start processes side by side, and end them."""
    async with AsyncExitStack() as stack:
        await asyncio.gather(*map(stack.enter_async_context, processes))
        yield


async def connected(core: ReportingProcess, plugin: ReportingProcess, *operations: str) -> None:
    """Wait until each of the two has opened a connection for each operation."""
    for name in operations or OPERATIONS:
        await core.expect("connected", operation=name, remote=plugin.identifier)
        await plugin.expect("connected", operation=name, remote=core.identifier)


async def work(core: ReportingProcess, plugin: ReportingProcess) -> None:
    """Have each operation done once."""
    for name, kind, given, result in WORK:
        assert await core.ask("execute", name, kind, given) == [plugin.identifier]
        await core.expect("result", operation=name, value=result)
    assert await core.ask("execute", "ping", None, None) == [plugin.identifier]
    await plugin.expect("pinged", payload=None)
    assert await plugin.ask("send", "tick") == [core.identifier]
    await core.expect("result", operation="ticks", value="tick")


@both_ways
async def test_all_kinds_of_operations_work(fleet: Fleet) -> None:
    setup = {name: ({"minimum": 1, "maximum": 1}, f"for {name}") for name in OPERATIONS}
    core, plugin = fleet.core(requires=setup), fleet.plugin()
    async with running(core, plugin):
        for name in OPERATIONS:
            await plugin.expect("set up", operation=name, remote="core", data=f"for {name}")
        await connected(core, plugin)
        await core.expect("compliant")
        await work(core, plugin)

        await core.stop()
        for name in OPERATIONS:
            await plugin.expect("closed", operation=name, remote="core")


@both_ways
async def test_policies_and_constraints_choose(fleet: Fleet) -> None:
    policies = {"lowercase": {"maximum": 1}, "half": {"allowlist": ["second"]}, "sort": {"blocklist": ["second"]}}
    needs = {name: ({"maximum": 1, "blocklist": ["barred"]}, None) for name in ("lowercase", "half", "sort")}
    plugin, barred = fleet.plugin(policies=policies), fleet.plugin("barred")
    first, second = (
        fleet.core(
            identifier,
            requires={name: ({**rules, "blocklist": ["barred"]}, None) for name, (rules, _) in needs.items()},
        )
        for identifier in ("first", "second")
    )
    async with running(plugin, barred):
        async with running(first):
            await connected(first, plugin, "lowercase", "sort")
            async with running(second):
                await connected(second, plugin, "half")
                await first.stop()
                await connected(second, plugin, "lowercase")
                assert await second.ask("connections") == [["plugin", "half"], ["plugin", "lowercase"]]
        assert await barred.ask("connections") == []
    assert {"event": "connected", "operation": "half", "remote": "plugin"} not in first.reports


@both_ways
@pytest.mark.parametrize("how", ["graceful", "graceless"])
async def test_either_side_closes_and_they_connect_again(fleet: Fleet, how: str) -> None:
    core, plugin = fleet.core(requires=requires("lowercase")), fleet.plugin()
    async with running(core, plugin):
        await connected(core, plugin, "lowercase")
        for closing, other in ((core, plugin), (plugin, core)):
            await closing.ask(how, other.identifier, "lowercase", "enough")
            await other.expect("closed", operation="lowercase", remote=closing.identifier, data="enough")
            await closing.expect("closed", operation="lowercase", remote=other.identifier)
            await connected(core, plugin, "lowercase")
        assert await core.ask("execute", "lowercase", "text", "AGAIN") == ["plugin"]
        await core.expect("result", operation="lowercase", value="again")


@both_ways
@pytest.mark.parametrize("end", [ReportingProcess.kill, ReportingProcess.stop], ids=["killed", "stopped"])
async def test_who_has_ended_and_starts_anew_is_connected_again(
    fleet: Fleet, end: Callable[[ReportingProcess], Awaitable[object]]
) -> None:
    core, plugin = fleet.core(), fleet.plugin()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(core, plugin))
        await connected(core, plugin)
        await end(core)
        core = await stack.enter_async_context(fleet.core())
        await connected(core, plugin)
        await work(core, plugin)
        await end(plugin)
        plugin = await stack.enter_async_context(fleet.plugin())
        await connected(core, plugin)
        await work(core, plugin)


@pytest.mark.parametrize("older", ["core"])
async def test_an_older_core_that_goes_on_to_discover_keeps_its_connection(fleet: Fleet) -> None:
    core, plugin = fleet.core(requires=requires("lowercase", maximum=None), discovering_interval=0.05), fleet.plugin()
    async with running(core, plugin):
        await connected(core, plugin, "lowercase")
        for number in range(3):
            # It has asked again, and got its confirm again.
            await core.expect("connected", operation="lowercase", remote="plugin")
            for index in range(50):
                await core.ask("execute", "lowercase", "text", f"N{number}-{index}")
        for number in range(3):
            for index in range(50):
                await core.expect("result", operation="lowercase", value=f"n{number}-{index}")
    assert [report for report in plugin.reports if report["event"] in ("connected", "closed")] == [
        {"event": "connected", "operation": "lowercase", "remote": "core"}
    ]


@pytest.mark.parametrize("older", ["plugin"])
async def test_an_older_plugin_that_a_core_names_is_asked_whether_it_lives(fleet: Fleet) -> None:
    # Its keepalives are too seldom to wait for one.
    options: dict[str, Any] = {"consider_others_dead_after": 120.0}
    options["requires"] = requires("lowercase", allowlist=["plugin"])
    core, plugin = fleet.core(**options), fleet.plugin()
    async with running(plugin):
        async with running(core):
            await connected(core, plugin, "lowercase")
            await core.kill()
        core = fleet.core(**options)
        async with running(core):
            await connected(core, plugin, "lowercase")
