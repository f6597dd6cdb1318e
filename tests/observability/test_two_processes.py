"""One trace over two processes: one in Python, one in TypeScript, at one broker."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orbitalis import Core, Plugin, connect, operation
from orbitalis.observability.traces import trace
from tests.observability.spans import Spans, context_of, parent_of
from tests.support.broker import Broker
from tests.support.events import until
from tests.typescript.package import built, needs_node

pytestmark = [needs_node, pytest.mark.timeout(120)]

PATIENCE = 20
PROGRAM = Path(__file__).with_name("lamp.mjs")


@dataclass(frozen=True)
class Told:
    """A span of the other process."""

    name: str
    context: tuple[int, int]
    parent: tuple[int, int] | None
    status: str


@dataclass
class Process:
    """A program in TypeScript, and the spans that it has told."""

    spans: list[Told] = field(default_factory=list[Told])

    def one(self, name: str) -> Told:
        (span,) = [one for one in self.spans if one.name == name]
        return span


@asynccontextmanager
async def typescript(role: str, broker: Broker) -> AsyncIterator[Process]:
    """Run the program in one role until the end of the block."""
    folder = await asyncio.to_thread(built) / "observability"
    folder.mkdir(exist_ok=True)
    # There it finds the package by its name.
    program = folder / PROGRAM.name
    program.write_text(PROGRAM.read_text())
    node = await asyncio.create_subprocess_exec("node", program, role, broker.url, stdout=subprocess.PIPE)
    process = Process()

    async def read() -> None:
        assert node.stdout is not None
        async for line in node.stdout:
            name, trace_id, span_id, *parent, status = json.loads(line)
            over = None if parent[0] is None else (int(parent[0], 16), int(parent[1], 16))
            process.spans.append(Told(name, (int(trace_id, 16), int(span_id, 16)), over, status))

    reading = asyncio.create_task(read())
    try:
        yield process
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()
        await reading


@dataclass(kw_only=True, eq=False)
class Lamp(Plugin):
    """The same plugin in Python."""

    spans: Spans

    @operation
    async def turn(self, state: str) -> str:
        """Do something within a span of its own."""
        with self.spans.provider.get_tracer("user").start_as_current_span("light"):
            return state.upper()


async def test_a_core_in_python_and_a_plugin_in_typescript_make_one_trace(broker: Broker) -> None:
    spans = Spans()
    core = Core(identifier="python-core", eventbus_client=connect(broker.url), discovering_interval=0.2)
    core.with_requirement(Lamp.turn, minimum=1)
    trace(core, tracer_provider=spans.provider)
    async with typescript("plugin", broker) as other, core:
        await asyncio.wait_for(core.compliant_event.wait(), PATIENCE)
        with spans.provider.get_tracer("user").start_as_current_span("evening"):
            assert await core.request(Lamp.turn, "on") == "ON"
        await until(lambda: {"process turn", "handshake turn"} <= {one.name for one in other.spans})

    evening, request = spans.one("evening"), spans.one("request turn")
    process, light = other.one("process turn"), other.one("light")
    assert parent_of(request) == context_of(evening)
    assert process.parent == context_of(request)
    assert light.parent == process.context
    assert light.context[0] == context_of(evening)[0]
    assert other.one("handshake turn").parent == context_of(spans.one("handshake turn"))
    assert {one.status for one in other.spans} == {"UNSET"}


async def test_a_core_in_typescript_and_a_plugin_in_python_make_one_trace(broker: Broker) -> None:
    spans = Spans()
    plugin = Lamp(identifier="python-plugin", eventbus_client=connect(broker.url), spans=spans)
    trace(plugin, tracer_provider=spans.provider)
    async with plugin, typescript("core", broker) as other:
        await until(lambda: {"evening", "handshake turn"} <= {one.name for one in other.spans})
        await until(lambda: bool(spans.all_of("process turn") and spans.all_of("handshake turn")))

    assert other.one("request turn").parent == other.one("evening").context
    assert parent_of(spans.one("process turn")) == other.one("request turn").context
    assert parent_of(spans.one("light")) == context_of(spans.one("process turn"))
    assert parent_of(spans.one("handshake turn")) == other.one("handshake turn").context
