"""Measures py-orbitalis as `handshakes.py` and `executions.py` measure this implementation.

It runs in an environment that has py-orbitalis, and not this package: `python -I py_orbitalis.py WHAT ARGUMENTS`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import time
from dataclasses import dataclass, field

from busline.client.pubsub_client import PubSubClient, PubSubClientBuilder
from busline.event.event import Event
from busline.event.message.string_message import StringMessage
from busline.local.eventbus.async_local_eventbus import AsyncLocalEventBus
from busline.local.local_publisher import LocalPublisher
from busline.local.local_subscriber import LocalSubscriber

from orbitalis.core.core import Core
from orbitalis.core.requirement import Constraint, OperationRequirement
from orbitalis.core.sink import sink
from orbitalis.orbiter.schemaspec import Input, Output
from orbitalis.plugin.operation import operation
from orbitalis.plugin.plugin import Plugin

_WARM_UP = 10


def _client(bus: AsyncLocalEventBus) -> PubSubClient:
    publisher, subscriber = LocalPublisher(eventbus=bus), LocalSubscriber(eventbus=bus)
    return PubSubClientBuilder().with_subscriber(subscriber).with_publisher(publisher).build()


@dataclass(kw_only=True)
class _TextPlugin(Plugin):
    @operation(name="lowercase", input=Input.from_message(StringMessage), output=Output.from_message(StringMessage))
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        connections = await self.retrieve_and_touch_connections(input_topic=topic, operation_name="lowercase")
        for connection in connections:
            if connection.has_output:
                await self.eventbus_client.publish(connection.output_topic, StringMessage(event.payload.value.lower()))


@dataclass(kw_only=True)
class _TextCore(Core):
    taken: int = 0
    awaited: int = 1
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @sink("lowercase")
    async def take(self, topic: str, event: Event[StringMessage]) -> None:
        self.taken += 1
        if self.taken >= self.awaited:
            self.arrived.set()

    def expect(self, count: int) -> None:
        self.arrived.clear()
        self.awaited = self.taken + count


async def _prepared(plugins: int) -> _TextCore:
    bus = AsyncLocalEventBus()
    for number in range(plugins):
        await _TextPlugin(identifier=f"plugin{number}", eventbus_client=_client(bus), with_loop=False).start()
    text = Constraint(
        minimum=plugins,
        inputs=[Input.from_message(StringMessage)],
        outputs=[Output.from_message(StringMessage)],
    )
    return _TextCore(
        identifier="core",
        eventbus_client=_client(bus),
        with_loop=False,
        operation_requirements={"lowercase": OperationRequirement(text)},
    )


async def _start_compliant(core: _TextCore) -> None:
    await core.start()
    async with asyncio.timeout(600):
        await core.compliant_event.wait()


async def _handshakes(plugins: int) -> dict[str, float]:
    await _start_compliant(await _prepared(_WARM_UP))
    core = await _prepared(plugins)
    gc.collect()
    gc.freeze()
    begin = time.process_time()
    await _start_compliant(core)
    return {"rate": plugins / (time.process_time() - begin)}


async def _executions(plugins: int, count: int) -> dict[str, float]:
    core = await _prepared(plugins)
    await _start_compliant(core)
    gc.collect()
    gc.freeze()
    begin = time.process_time()
    for _ in range(count):
        core.expect(1)
        await core.execute_sending_any("lowercase", StringMessage("HELLO"))
        await core.arrived.wait()
    one_by_one = time.process_time() - begin
    core.expect(count)
    begin = time.process_time()
    for _ in range(count):
        await core.execute_sending_any("lowercase", StringMessage("HELLO"))
    await core.arrived.wait()
    return {"one by one": count / one_by_one, "in a row": count / (time.process_time() - begin)}


async def _main(what: str, *arguments: str) -> None:
    measure = {"handshakes": _handshakes, "executions": _executions}[what]
    print(json.dumps(await measure(*map(int, arguments))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_main(*sys.argv[1:]))
