"""Fixtures for the tests of the bus."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import pytest

from orbitalis.bus import (
    EventBusClient,
    LocalEventBus,
    LocalEventBusClient,
    MqttEventBusClient,
    SeveralEventBusClient,
)
from tests.support.broker import Broker, TlsFiles

__all__ = ["NewClient", "NewMqttClient"]

NewClient: TypeAlias = Callable[..., EventBusClient]
NewMqttClient: TypeAlias = Callable[..., MqttEventBusClient]


async def _end(clients: list[Any]) -> None:
    for client in clients:
        await client.disconnect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(params=["local", "mqtt", "local+local", "local+mqtt", "mqtt+mqtt"])
async def new_client(request: pytest.FixtureRequest, broker: Broker) -> AsyncIterator[NewClient]:
    """Give a function that makes clients of the same buses; when the test is over, nothing of them may be running.

    Two that are `mqtt` are the same broker.
    """
    clients: list[EventBusClient] = []
    kinds = request.param.split("+")
    local_buses = [LocalEventBus() for _ in kinds]

    def new_of(place: int, **options: Any) -> EventBusClient:
        if kinds[place] == "local":
            return LocalEventBusClient(local_buses[place], **options)
        # Patient, since a thousand events on two buses at once take their time on a busy machine.
        return MqttEventBusClient(broker.host, broker.port, publish_timeout=60.0, **options)

    def new(**options: Any) -> EventBusClient:
        if len(kinds) == 1:
            clients.append(new_of(0, **options))
        else:
            members = {f"{kind} {place}": new_of(place) for place, kind in enumerate(kinds)}
            clients.append(SeveralEventBusClient(members, **options))
        return clients[-1]

    yield new
    await _end(clients)


@pytest.fixture
async def new_mqtt_client() -> AsyncIterator[NewMqttClient]:
    """Give a function that makes MQTT clients of a broker; when the test is over, nothing of them may be running."""
    clients: list[MqttEventBusClient] = []

    def new(broker: Broker, **options: Any) -> MqttEventBusClient:
        clients.append(MqttEventBusClient(broker.host, broker.port, **options))
        return clients[-1]

    yield new
    await _end(clients)


@pytest.fixture
def topic() -> str:
    """Give a topic that no other test uses."""
    return f"tests/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """Give a server's certificate for 127.0.0.1, and that of the authority that signed it."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "openssl is missing: it makes the certificates of these tests; install package openssl"
    folder = tmp_path_factory.mktemp("tls")
    (folder / "extensions").write_text("subjectAltName = IP:127.0.0.1\nauthorityKeyIdentifier = keyid\n")
    new_key = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for arguments in (
        f"{new_key} -x509 -days 2 -subj /CN=authority -addext keyUsage=critical,keyCertSign "
        "-keyout authority.key -out authority.pem",
        f"{new_key} -subj /CN=broker -keyout broker.key -out broker.csr",
        "x509 -req -days 2 -extfile extensions -in broker.csr -CA authority.pem -CAkey authority.key -out broker.pem",
    ):
        subprocess.run([openssl, *arguments.split()], cwd=folder, check=True, capture_output=True)
    return TlsFiles(authority=folder / "authority.pem", certificate=folder / "broker.pem", key=folder / "broker.key")
