"""The command that serves the page: whom it lets in, and what of a WebSocket reaches the broker."""

from __future__ import annotations

import asyncio
import os
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from orbitalis import Event, StringMessage, connect
from orbitalis.bus.event_handler import CallbackEventHandler
from orbitalis.bus.mqtt import MqttEventBusClient
from orbitalis.dashboard.brokers import BrokerAddress
from orbitalis.dashboard.server import Dashboard, Party
from orbitalis_wire.channels import CHANNELS
from orbitalis_wire.envelope import Encoding
from orbitalis_wire.limits import EVENT_BYTES
from tests.cli.command import orbitalis
from tests.dashboard.mqtt import connect_packet, publish_packet, subscribe_packet
from tests.dashboard.serving import Served, closed, serving
from tests.support.broker import Broker, unused_port
from tests.support.repository import ROOT

INPUT = "orbitalis/lamp/dashboard/operations/light/input/c1"
CONNACK = 0x20
SUBACK = 0x90


def fetch(url: str, **headers: str) -> tuple[int, str, str]:
    """Return status, text and Content-Security-Policy of a page."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Security-Policy"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), ""


async def refusal(served: Served, path: str, **options: str) -> int:
    """Return the status with which a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as raised:
        async with served.socket(path, **options):
            pass
    return raised.value.response.status_code


async def test_the_page_is_for_those_alone_who_know_the_token(broker: Broker) -> None:
    async with serving(broker.url) as served:
        page, script, policy = await asyncio.to_thread(fetch, served.url)
        wrong = [f"{served.origin}/", f"{served.origin}/wrong/", served.url[:-2] + "/", f"{served.origin}/page.js"]
        refused = [await asyncio.to_thread(fetch, url) for url in wrong]
        sockets = served.url
        served.url = f"{served.origin}/wrong/"
        refused_socket = await refusal(served, "operator")
        served.url = sockets

    assert page == 200
    assert "page.js" in script
    assert policy.startswith("default-src 'none'")
    assert [status for status, _, _ in refused] == [403] * len(wrong)
    assert "token is missing or wrong" in refused[0][1]
    assert refused_socket == 403


async def test_no_other_site_gets_in(broker: Broker) -> None:
    async with serving(broker.url) as served:
        # A name that an attacker has lead here: the browser takes the page for one of the attacker's site.
        rebound = await asyncio.to_thread(lambda: fetch(served.url, Host="attacker.example"))
        foreign = await asyncio.to_thread(lambda: fetch(served.url, Origin="https://attacker.example"))
        sockets = [await refusal(served, "operator", origin=one) for one in ("https://attacker.example", "null")]

    assert (rebound[0], foreign[0], sockets) == (403, 403, [403, 403])


async def test_what_is_only_to_look_cannot_publish_an_input(broker: Broker) -> None:
    listener = connect(broker.url)
    seen: asyncio.Queue[object] = asyncio.Queue()

    async def note(topic: str, event: Event[Any]) -> None:
        await seen.put(event.payload)

    def input_of(text: str) -> bytes:
        event = Event.create(StringMessage(value=text), publisher_identifier="anybody")
        return publish_packet(INPUT, event.encode(Encoding.AVRO))

    await listener.connect()
    try:
        await listener.subscribe(INPUT, CallbackEventHandler(note), channel=CHANNELS["operationInput"])
        async with serving(broker.url) as served, served.socket("operator") as socket:
            await socket.send(connect_packet("anybody"))
            accepted = await socket.recv()
            await socket.send(input_of("refused"))
            code, reason = await closed(socket)
        calling = ("--allow-calls", "--core-identifier", "dashboard")
        async with serving(broker.url, *calling) as served, served.socket("core/1") as socket:
            await socket.send(connect_packet("anybody"))
            await socket.recv()
            await socket.send(input_of("allowed"))
            async with asyncio.timeout(10):
                first = await seen.get()
    finally:
        await listener.disconnect()

    assert accepted[0] == CONNACK
    assert (code, reason) == (1008, f"topic '{INPUT}' is none that this operator publishes to"[:120])
    assert first == StringMessage(value="allowed")


async def test_the_largest_event_passes_in_one_frame(broker: Broker) -> None:
    calling = ("--allow-calls", "--core-identifier", "dashboard")
    async with serving(broker.url, *calling) as served, served.socket("core/1", max_size=None) as socket:
        await socket.send(connect_packet("anybody"))
        assert (await socket.recv())[0] == CONNACK
        await socket.send(publish_packet(INPUT, bytes(EVENT_BYTES)) + b"\xc0\x00")
        async with asyncio.timeout(10):
            pong = await socket.recv()

    assert pong == b"\xd0\x00"


async def test_calls_have_to_be_allowed(broker: Broker) -> None:
    async with serving(broker.url) as served:
        assert await refusal(served, "core/1") == 403
    async with serving(broker.url, "--allow-calls") as served, served.socket("core/1") as socket:
        await socket.send(connect_packet("anybody"))
        assert (await socket.recv())[0] == CONNACK


async def test_the_page_needs_no_password_and_throws_out_nobody(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker(users={"olga": "pass word"})
    url = broker.url.replace("://", "://olga:pass%20word@")
    async with serving(url) as served, served.socket("operator") as first, served.socket("operator") as second:
        for socket in (first, second):
            await socket.send(connect_packet("the same"))
            assert (await socket.recv())[0] == CONNACK
        await first.send(subscribe_packet("orbitalis/+/will"))
        assert (await first.recv())[0] == SUBACK
        settings = await asyncio.to_thread(fetch, f"{served.url}settings.json")

    assert "pass" not in settings[1]
    assert "olga:" not in settings[1]


@asynccontextmanager
async def websocket_listener(broker: Broker) -> AsyncIterator[str]:
    """Give the URL of a listener for WebSockets in front of a broker: not every mosquitto can have one of its own."""

    async def bridge(socket: ServerConnection) -> None:
        reader, writer = await asyncio.open_connection(broker.host, broker.port)

        async def down() -> None:
            while data := await reader.read(1000):
                await socket.send(data)

        task = asyncio.create_task(down())
        try:
            async for data in socket:
                assert isinstance(data, bytes)
                writer.write(data)
        finally:
            task.cancel()
            writer.close()
            await asyncio.gather(task, writer.wait_closed(), return_exceptions=True)

    async with serve(bridge, broker.host, 0, subprotocols=[Subprotocol("mqtt")]) as server:
        yield f"ws://{broker.host}:{next(iter(server.sockets)).getsockname()[1]}/mqtt"


async def test_a_broker_may_have_its_own_listener_for_websockets(broker: Broker) -> None:
    nowhere = f"mqtt://127.0.0.1:{unused_port()}"
    async with (
        websocket_listener(broker) as url,
        serving(nowhere, "--websocket", url) as served,
        served.socket("operator") as socket,
    ):
        await socket.send(connect_packet("anybody"))
        assert (await socket.recv())[0] == CONNACK
        await socket.send(publish_packet(INPUT, b"{}"))
        assert (await closed(socket))[0] == 1008


async def test_it_says_what_is_wrong(broker: Broker) -> None:
    nowhere = f"mqtt://127.0.0.1:{unused_port()}"
    commands = (
        ("--bus", nowhere),
        ("--bus", broker.url, "--websocket", "http://localhost"),
        ("--bus", broker.url, "--core-identifier", "home"),
        ("--bus", broker.url, "--identifier", "a/b"),
        ("--bus", broker.url, "--port", str(broker.port)),
        ("--bus", broker.url, "--websocket", nowhere.replace("mqtt", "ws")),
    )
    outcomes = await asyncio.gather(*(orbitalis("dashboard", *one, bus=None) for one in commands))

    assert [one.status for one in outcomes] == [3, 2, 2, 2, 2, 3]
    texts = ("cannot connect", "--websocket takes", "add --allow-calls", "cannot be used", "port", "cannot connect")
    assert [text for text, one in zip(texts, outcomes, strict=True) if text not in one.errors] == []


async def test_it_names_the_package_that_it_takes(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "websockets.py").write_text("raise ModuleNotFoundError('gone', name='websockets')")
    arguments = ("dashboard", "--bus", broker.url)
    websocket = ("--websocket", broker.url.replace("mqtt", "ws"))

    plain = await orbitalis(*arguments, bus=None, PYTHONPATH=str(tmp_path))
    websockets = await orbitalis(*arguments, *websocket, bus=None, PYTHONPATH=str(tmp_path))

    for one in (plain, websockets):
        assert (one.status, "pip install 'orbitalis-sdk[dashboard]'" in one.errors) == (2, True), one.errors


async def test_it_ends_quietly_where_nobody_reads_what_it_writes(broker: Broker) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "orbitalis.cli", "dashboard", "--bus", broker.url, "--json"),
            cwd=ROOT,
            stdout=writing,
            stderr=asyncio.subprocess.PIPE,
        )
    finally:
        os.close(writing)
    async with asyncio.timeout(30):
        _, errors = await process.communicate()

    assert (process.returncode, errors) == (141, b"")


async def test_a_page_that_does_not_read_keeps_nobody_from_ending_it(broker: Broker) -> None:
    async with serving(broker.url) as served, served.socket("operator", max_queue=1) as socket:
        await socket.send(connect_packet("anybody"))
        await socket.recv()
        await socket.send(subscribe_packet("orbitalis/+/will"))
        await socket.recv()
        socket.transport.pause_reading()
        _, writer = await asyncio.open_connection(broker.host, broker.port)
        writer.write(connect_packet("lamp"))
        for _ in range(100):
            writer.write(publish_packet("orbitalis/lamp/will", bytes(500_000)))
            await writer.drain()
        begun = asyncio.get_running_loop().time()
        status = await served.interrupt()
        seconds = asyncio.get_running_loop().time() - begun
        writer.close()
        socket.transport.resume_reading()

    assert status == 130
    assert seconds < 8


def test_the_origin_is_written_as_browsers_write_it(broker: Broker) -> None:
    client = connect(broker.url)
    assert isinstance(client, MqttEventBusClient)
    party = Party(BrokerAddress(client.endpoint), None)

    origins = [Dashboard(operator=party, caller=None, port=port).origin for port in (80, 8123)]

    assert origins == ["http://127.0.0.1", "http://127.0.0.1:8123"]
