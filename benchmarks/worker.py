"""The other side of measurements over MQTT, in a process of its own: `python -m benchmarks.worker KIND URL ARGUMENT`.

It prints a JSON object a line for what happens, and takes commands, JSON lists, a line each:
:class:`tests.support.processes.ReportingProcess` talks to it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from benchmarks.echo import answering
from benchmarks.large import offer_of_operations, offer_of_schemas, track
from benchmarks.messages import ReadingPlugin
from benchmarks.stage import TextPlugin
from orbitalis import Core, MqttEventBusClient, OfferMessage, connect
from orbitalis_wire import channels
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.topics import OfferTopic

__all__: list[str] = []

_PATIENCE = 600.0
_Send = Callable[[], Awaitable[object]]
"""What is done when this process is told to send something."""


@asynccontextmanager
async def _plugins(url: str, count: int) -> AsyncIterator[None]:
    """Run plugins, each with a client of its own."""
    async with AsyncExitStack() as stack:
        for number in range(count):
            await stack.enter_async_context(TextPlugin(identifier=f"plugin{number}", eventbus_client=connect(url)))
        yield


@asynccontextmanager
async def _records(url: str, size: int) -> AsyncIterator[_Send]:
    """Run a core that sends a message with many records."""
    at = urlsplit(url)
    assert at.hostname is not None
    assert at.port is not None
    # To encode it may take long, and nothing else is done meanwhile.
    client = MqttEventBusClient(at.hostname, at.port, keepalive=_PATIENCE, publish_timeout=_PATIENCE)
    core, message = Core(identifier="core", eventbus_client=client), track(size)

    async def send() -> None:
        await core.compliant_event.wait()
        await core.execute(ReadingPlugin.follow, message, any=True)

    async with core.with_requirement(ReadingPlugin.follow, minimum=1):
        yield send


@asynccontextmanager
async def _offer(url: str, message: OfferMessage) -> AsyncIterator[_Send]:
    """Be a stranger that sends an offer."""
    client = connect(url)
    topic = OfferTopic.build(core_identifier="core", plugin_identifier=message.plugin_identifier)
    await client.connect()
    try:
        yield lambda: client.publish(topic, message, channel=channels.OFFER, encoding=Encoding.AVRO)
    finally:
        await client.disconnect()


def _make(kind: str, url: str, argument: str) -> AbstractAsyncContextManager[_Send | None]:
    match kind:
        case "plugins":
            return _plugins(url, int(argument))
        case "echo":
            return answering(url, is_ordered=argument == "ordered")
        case "records":
            return _records(url, int(argument))
        case "offer of operations":
            return _offer(url, offer_of_operations(int(argument)))
        case "offer of schemas":
            return _offer(url, offer_of_schemas(int(argument)))
    raise ValueError(kind)


def _report(event: str, **content: object) -> None:
    print(json.dumps({"event": event, **content}), flush=True)


async def _main(kind: str, url: str, argument: str) -> None:
    loop = asyncio.get_running_loop()
    async with _make(kind, url, argument) as send:
        _report("started")
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            match json.loads(line):
                case ["cpu"]:
                    _report("answer", value=time.process_time())
                case ["send"] if send is not None:
                    before = time.process_time()
                    await send()
                    _report("answer", value=time.process_time() - before)
                case command:
                    raise ValueError(f"{kind} does not know {command}")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
