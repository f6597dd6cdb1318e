"""A core in TypeScript on two brokers, with a plugin in Python on each; one of the brokers goes away and comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from orbitalis import Plugin
from orbitalis_wire.messages import StringMessage
from tests.support.broker import Broker
from tests.typescript.package import built, needs_node
from tests.typescript.python_side import PATIENCE, TEXT, python_plugin

pytestmark = [needs_node, pytest.mark.timeout(120)]

PROGRAM = """
import { createInterface } from "node:readline";
import { connectMqtt, Core, defineOperation, severalBuses, text } from "./index.js";

const [near, far] = process.argv.slice(1).map((url) => connectMqtt(url, { reconnectAfter: 0.1 }));
const say = (word) => console.log(JSON.stringify(word));
const core = new Core({
  identifier: "core", bus: severalBuses({ near, far }),
  loopInterval: 0.1, discoveringInterval: 0.2, suspicionGrace: 0.4,
  discoveringIntervalWhenCompliant: 0.2, considerOthersDeadAfter: 2, sendKeepaliveBeforeTimelimit: 1,
  onRemoteLost: (remote) => say(`lost ${remote}`),
  onConnected: (connection) => say(`connected ${connection.remoteIdentifier} on ${connection.busName}`),
});
const where = defineOperation({ name: "where", input: text, output: text });
core.require(where, { minimum: 1 });
await core.start();
for await (const plugin of createInterface({ input: process.stdin })) {
  say(await core.request(where, "HERE", { plugin, timeout: 5 }));
}
await core.stop();
process.exit(0);
"""


class TypeScriptCore:
    """A core in a process of Node, that is on two brokers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take the process that runs it."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._asked, self._said = process.stdin, process.stdout

    async def says(self, *wanted: str) -> None:
        """Wait until it says these things, in any order, and nothing else before that."""
        async with asyncio.timeout(PATIENCE):
            assert {json.loads(await self._said.readline()) for _ in wanted} == set(wanted)

    def asks(self, plugin: str) -> None:
        """Have it ask a plugin where it is."""
        self._asked.write(f"{plugin}\n".encode())


@asynccontextmanager
async def core_on(near: Broker, far: Broker) -> AsyncGenerator[TypeScriptCore]:
    """Have a core on two brokers until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *("node", "--input-type=module", "--eval", PROGRAM, near.url, far.url),
        cwd=await asyncio.to_thread(built) / "typescript" / "src",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield TypeScriptCore(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def plugin_on(broker: Broker, identifier: str) -> Plugin:
    """Make a plugin that says who it is."""

    async def answer(_: StringMessage) -> str:
        return f"I am {identifier}"

    return python_plugin(broker, "where", TEXT, answer, identifier=identifier)


async def test_a_core_uses_plugins_on_two_brokers_while_one_goes_away(
    new_broker: Callable[..., Broker],
) -> None:
    near, far = new_broker(), new_broker()
    async with (
        plugin_on(near, "near-plugin"),
        plugin_on(far, "far-plugin"),
        core_on(near, far) as core,
    ):
        await core.says("connected near-plugin on near", "connected far-plugin on far")
        core.asks("near-plugin")
        await core.says("I am near-plugin")
        core.asks("far-plugin")
        await core.says("I am far-plugin")

        await asyncio.to_thread(far.kill)
        await core.says("lost far-plugin")
        core.asks("near-plugin")
        await core.says("I am near-plugin")

        await asyncio.to_thread(far.start)
        await core.says("connected far-plugin on far")
        core.asks("far-plugin")
        await core.says("I am far-plugin")
