"""Connecting to a broker: reached or not, welcome or not, with and without TLS, interrupted at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from orbitalis.bus import MqttEventBusClient, connect
from orbitalis.errors import BusNotConnectedError, BusRefusedError, BusUnavailableError
from tests.bus.conftest import NewMqttClient
from tests.bus.scripted_broker import ScriptedBroker
from tests.support.broker import Broker, TlsFiles, unused_port
from tests.support.events import Collector, until

NewBroker = Callable[..., Broker]


@pytest.fixture
async def tarpit() -> AsyncIterator[int]:
    """Give the port of a server that accepts connections and never says a word."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", unused_port())
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in writers:
        writer.close()


async def test_no_broker(caplog: pytest.LogCaptureFixture) -> None:
    port = unused_port()
    client = connect(f"mqtt://user:secret@127.0.0.1:{port}")
    with pytest.raises(BusUnavailableError, match=f"mqtt://127.0.0.1:{port}: .*refused") as failure:
        await client.connect()
    assert "secret" not in f"{failure.value!r} {client!r} {caplog.text}"
    assert not client.is_connected
    with pytest.raises(BusNotConnectedError):
        await client.publish("topic")


async def test_no_such_host() -> None:
    client = MqttEventBusClient("broker.invalid")
    with pytest.raises(BusUnavailableError, match=r"broker\.invalid:1883"):
        await client.connect()


async def test_connects_once_the_broker_is_there(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    broker.stop()
    client = new_mqtt_client(broker)
    with pytest.raises(BusUnavailableError):
        await client.connect()
    broker.start()
    await client.connect()
    assert client.is_connected


async def test_a_broker_that_never_answers(tarpit: int) -> None:
    before = asyncio.all_tasks()
    client = MqttEventBusClient("127.0.0.1", tarpit, connect_timeout=0.2)
    with pytest.raises(BusUnavailableError, match=r"no answer within 0\.2 s"):
        await client.connect()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("tls", [False, True])
async def test_connecting_can_be_cancelled(tarpit: int, tls: bool) -> None:
    before = asyncio.all_tasks()
    client = MqttEventBusClient(
        "127.0.0.1", tarpit, connect_timeout=60.0, tls=ssl.create_default_context() if tls else None
    )
    for moment in (0.0, 0.001, 0.05, 0.2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(moment):
                await client.connect()
        assert not client.is_connected
    await until(lambda: asyncio.all_tasks() == before)


async def test_a_connection_that_is_given_up_is_closed_at_once() -> None:
    with socket.create_server(("127.0.0.1", unused_port())) as listener:
        client = MqttEventBusClient("127.0.0.1", listener.getsockname()[1], tls=ssl.create_default_context())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.connect()
        connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        # What it has said by then, and then the end.
        while connection.recv(65_536):
            pass


@pytest.fixture
def hanging_lookups(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have no host's name found until the test ends; give a list of those that are being looked up."""
    asked: list[str] = []
    answer = threading.Event()

    def look_up(host: str, *arguments: object, **options: object) -> list[object]:
        asked.append(host)
        answer.wait()
        return []

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    yield asked
    answer.set()


async def test_a_lookup_that_hangs_can_be_given_up_and_does_not_multiply(hanging_lookups: list[str]) -> None:
    before, clients = asyncio.all_tasks(), [MqttEventBusClient("broker.invalid", connect_timeout=0.05) for _ in "ab"]
    for client in clients:
        with pytest.raises(BusUnavailableError, match=r"broker\.invalid:1883: no answer within 0\.05 s"):
            await client.connect()
    assert hanging_lookups == ["broker.invalid"]
    assert asyncio.all_tasks() == before


async def test_connecting_to_a_good_broker_can_be_cancelled(broker: Broker, new_mqtt_client: NewMqttClient) -> None:
    before = asyncio.all_tasks()
    client = new_mqtt_client(broker)
    for step in range(40):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(step / 10_000):
                await client.connect()
        await client.disconnect()
        assert not client.is_connected
    await until(lambda: asyncio.all_tasks() == before)
    await client.connect()
    collector = Collector()
    await client.subscribe("still/works", collector)
    await client.publish("still/works")
    await collector.wait_for(1)


async def test_disconnecting_can_be_cancelled(broker: Broker, new_mqtt_client: NewMqttClient) -> None:
    client = new_mqtt_client(broker)
    before = asyncio.all_tasks()
    for steps in range(1, 12):
        await client.connect()
        await client.subscribe("topic", Collector())
        disconnecting = asyncio.create_task(client.disconnect())
        for _ in range(steps):
            await asyncio.sleep(0)
        disconnecting.cancel()
        await asyncio.wait([disconnecting])
        assert not client.is_connected
        await until(lambda: asyncio.all_tasks() == before)


async def test_disconnects_from_a_broker_that_is_frozen(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker()
    client = new_mqtt_client(broker)
    await client.connect()
    broker.freeze()
    # More than fits on its way to the broker, so that not even the farewell does.
    publishing = [asyncio.create_task(client.publish("topic", "x" * 700_000)) for _ in range(20)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await client.disconnect()
    await asyncio.wait(publishing)
    assert all(isinstance(task.exception(), BusNotConnectedError) for task in publishing)


async def test_credentials(new_broker: NewBroker, new_mqtt_client: NewMqttClient) -> None:
    broker = new_broker(users={"core": "pass/word@#"})
    client = connect(f"mqtt://core:pass%2Fword%40%23@{broker.host}:{broker.port}")
    await client.connect()
    assert client.is_connected
    await client.disconnect()


@pytest.mark.parametrize(("username", "password"), [("core", "wrong-secret"), ("nobody", "secret"), (None, None)])
async def test_refused_credentials_are_tried_once(
    new_broker: NewBroker,
    new_mqtt_client: NewMqttClient,
    caplog: pytest.LogCaptureFixture,
    username: str | None,
    password: str | None,
) -> None:
    broker = new_broker(users={"core": "secret"})
    client = new_mqtt_client(broker, identifier="intruder", username=username, password=password)
    with pytest.raises(BusRefusedError, match=r"'intruder': .*[Nn]ot authorized") as failure:
        await client.connect()
    assert str(broker.port) in str(failure.value)
    assert "secret" not in f"{failure.value!r} {client!r} {caplog.text}"
    assert not client.is_connected
    await client.disconnect()
    broker.stop()
    assert sum("New connection" in line for line in broker.log) == 1


async def test_tls(new_broker: NewBroker, tls_files: TlsFiles) -> None:
    broker = new_broker(tls=tls_files, users={"core": "secret"})
    trusting = ssl.create_default_context(cafile=tls_files.authority)
    client = connect(f"mqtts://core:secret@{broker.host}:{broker.port}", tls=trusting)
    await client.connect()
    collector = Collector()
    await client.subscribe("topic", collector)
    for number in range(100):
        await client.publish("topic", number)
    await client.publish("topic", "x" * 500_000)
    await collector.wait_for(101)
    broker.restart()
    await client.publish("topic", "end")
    await collector.wait_for(102)
    await client.disconnect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_tls_with_a_broker_that_cannot_prove_who_it_is(new_broker: NewBroker, tls_files: TlsFiles) -> None:
    broker = new_broker(tls=tls_files)
    suspicious = connect(broker.url)
    with pytest.raises(BusUnavailableError, match=r"(?i)certificate verify failed"):
        await suspicious.connect()

    # The certificate is for 127.0.0.1.
    trusting = ssl.create_default_context(cafile=tls_files.authority)
    elsewhere = connect(f"mqtts://localhost:{broker.port}", tls=trusting)
    with pytest.raises(BusUnavailableError, match=r"(?i)hostname mismatch"):
        await elsewhere.connect()


async def test_tls_with_a_broker_that_does_not_speak_it(broker: Broker) -> None:
    client = connect(f"mqtts://{broker.host}:{broker.port}")
    with pytest.raises(BusUnavailableError, match=f"mqtts://127.0.0.1:{broker.port}"):
        await client.connect()


async def test_a_broker_that_expects_tls_and_gets_none(new_broker: NewBroker, tls_files: TlsFiles) -> None:
    broker = new_broker(tls=tls_files)
    with pytest.raises(BusUnavailableError, match="so does a broker that expects TLS: its URL begins with mqtts://"):
        await connect(f"mqtt://{broker.host}:{broker.port}").connect()


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (0x84, BusRefusedError),  # unsupported protocol version
        (0x85, BusRefusedError),  # client identifier not valid
        (0x86, BusRefusedError),  # bad user name or password
        (0x8A, BusRefusedError),  # banned
        (0x88, BusUnavailableError),  # server unavailable
        (0x89, BusUnavailableError),  # server busy
        (0x9F, BusUnavailableError),  # connection rate exceeded
    ],
)
async def test_refusals_that_pass_are_told_from_those_that_do_not(reason: int, error: type[Exception]) -> None:
    async with ScriptedBroker(connect_reason=reason) as broker:
        client = MqttEventBusClient(broker.host, broker.port, identifier="someone")
        with pytest.raises((BusRefusedError, BusUnavailableError), match="refuses client 'someone'") as refusal:
            await client.connect()
    assert type(refusal.value) is error


async def test_a_server_that_speaks_something_else() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", unused_port())
    client = MqttEventBusClient("127.0.0.1", server.sockets[0].getsockname()[1], connect_timeout=1.0)
    with pytest.raises(BusUnavailableError):
        await client.connect()
    server.close()
    await server.wait_closed()


async def test_a_server_that_hangs_up() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", unused_port())
    before = asyncio.all_tasks()
    client = MqttEventBusClient("127.0.0.1", server.sockets[0].getsockname()[1], connect_timeout=3600.0)
    with pytest.raises(BusUnavailableError, match=r"ended the connection instead of answering|reset by peer"):
        await client.connect()
    assert not client.is_connected
    await until(lambda: asyncio.all_tasks() == before)
    server.close()
    await server.wait_closed()


async def test_a_server_that_breaks_the_connection_before_a_word_is_said(caplog: pytest.LogCaptureFixture) -> None:
    listener = socket.create_server(("127.0.0.1", unused_port()))

    def break_connections() -> None:
        for _ in range(10):
            connection, _ = listener.accept()
            # Closing sends a reset instead of an end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    async def be_slow() -> None:
        # What is to be written waits for longer than the other side takes.
        while True:
            time.sleep(0.01)  # noqa: ASYNC251 - on purpose
            await asyncio.sleep(0)

    with listener:
        breaking = asyncio.create_task(asyncio.to_thread(break_connections))
        slowing = asyncio.create_task(be_slow())
        for _ in range(10):
            with pytest.raises(BusUnavailableError):
                await MqttEventBusClient("127.0.0.1", listener.getsockname()[1]).connect()
        slowing.cancel()
        await breaking
    gc.collect()
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


async def test_leaves_no_socket_open(broker: Broker, new_mqtt_client: NewMqttClient) -> None:
    client = new_mqtt_client(broker)
    await client.connect()
    await client.disconnect()
    descriptor = socket.socket()
    first = descriptor.fileno()
    descriptor.close()
    for _ in range(5):
        await client.connect()
        await client.disconnect()
    with socket.socket() as again:
        assert again.fileno() == first
