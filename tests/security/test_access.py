"""What the real broker refuses to those who are somebody, but not the one they say they are."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.client import PayloadType
from paho.mqtt.reasoncodes import ReasonCode

from orbitalis import connect
from orbitalis.bus import MqttEventBusClient
from orbitalis.errors import BusRefusedError
from orbitalis_wire import limits
from orbitalis_wire.channels import CHANNELS, OPERATIONS, Channel
from orbitalis_wire.topics import CloseAckTopic, CloseTopic, KeepaliveTopic, OperationInputTopic, ResponseTopic
from tests.security.secure_broker import SecureBroker
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, needs, running

END = {"operation_name": "end", "connection_identifier": "end"}
ROLES = ["core", "plugin", "operator"]
NOBODY = "-"
"""What stands for a sender that is not known."""


def roles_that(action: str) -> set[tuple[str, Channel]]:
    """Return who sends, or receives, on which channel."""
    return {(role, one.channel) for one in OPERATIONS.values() if one.action == action for role in one.roles}


SENT, READ = roles_that("send"), roles_that("receive")


class RawClient(aiomqtt.Client):
    """A client of the broker that keeps to no protocol."""

    refusal: str | None

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:
        self.refusal = str(reason_code) if reason_code.is_failure else None
        super()._on_publish(client, userdata, mid, reason_code, properties)

    async def may_publish(self, topic: str, payload: PayloadType = b"") -> bool:
        """Publish, and return whether the broker takes it."""
        await self.publish(topic, payload, qos=1)
        assert self.refusal in (None, "Not authorized")
        return self.refusal is None

    def received(self) -> list[str]:
        """Return the topics of what has arrived."""
        topics: list[str] = []
        while not self._queue.empty():
            topics.append(self._queue.get_nowait().topic.value)
        return topics


@asynccontextmanager
async def raw(secure: SecureBroker, role: str, name: str, identifier: str | None = None) -> AsyncIterator[RawClient]:
    """Connect somebody with a certificate."""
    client = connect(secure.url_of(role, name))
    assert isinstance(client, MqttEventBusClient)
    endpoint = client._endpoint
    async with RawClient(
        endpoint.host,
        endpoint.port,
        identifier=identifier or name,
        tls_context=endpoint.tls,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as connected:
        yield connected


def raw_with_will(secure: SecureBroker, role: str, name: str, topic: str) -> RawClient:
    """Return somebody with a certificate, and with a will, who is not connected yet."""
    client = connect(secure.url_of(role, name))
    assert isinstance(client, MqttEventBusClient)
    return RawClient(
        client._endpoint.host,
        client._endpoint.port,
        identifier=name,
        tls_context=client._endpoint.tls,
        protocol=aiomqtt.ProtocolVersion.V5,
        will=aiomqtt.Will(topic, b"dead", 1),
    )


def cut_off(client: aiomqtt.Client) -> None:
    """Cut the connection of a client."""
    sock = client._client.socket()
    assert isinstance(sock, socket.socket)
    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def topic_of(channel: Channel, role: str, sender: str, recipient: str) -> str:
    """Return a topic of a channel to which a `sender` that has the role publishes."""
    other = "plugin" if role == "core" else "core"
    levels = {
        "{sender_identifier}": sender,
        f"{{{role}_identifier}}": sender,
        "{recipient_identifier}": recipient,
        f"{{{other}_identifier}}": recipient,
    }
    levels.setdefault("{operator_identifier}", recipient)
    return "/".join(
        levels.get(level, "text" if level.startswith("{") else level) for level in channel.address.split("/")
    )


@pytest.mark.parametrize("role", ROLES)
async def test_everybody_publishes_as_himself_in_his_role_and_as_nobody_else(secure: SecureBroker, role: str) -> None:
    thief = f"{role}-thief"
    async with raw(secure, role, thief) as client:
        for sends, channel in SENT:
            own = topic_of(channel, sends, thief, "victim")
            assert await client.may_publish(own) == ((role, channel) in SENT), own
            for other in ("somebody", "victim", NOBODY):
                foreign = topic_of(channel, sends, other, "victim")
                assert foreign == own or not await client.may_publish(foreign), foreign
        for topic in ("a/topic/of/its/own", "orbitalis/victim", "$SYS/broker/uptime"):
            assert not await client.may_publish(topic), topic


@pytest.mark.parametrize("role", ROLES)
async def test_everybody_reads_what_is_for_himself_in_his_role(secure: SecureBroker, role: str) -> None:
    """The broker grants every subscription, and delivers nothing that the user may not read."""
    names, reader = {"core": "home", "plugin": "lamp", "operator": "olga"}, f"{role}-reader"
    async with (
        raw(secure, role, reader) as client,
        raw(secure, "core", names["core"]) as home,
        raw(secure, "plugin", names["plugin"]) as lamp,
        raw(secure, "operator", names["operator"]) as olga,
    ):
        senders = {"core": home, "plugin": lamp, "operator": olga}
        for topic_filter in ("#", "$SYS/#", *(one.address for one in CHANNELS.values() if "{" not in one.address)):
            await client.subscribe(topic_filter, qos=1)
        published: list[str] = []
        readable: dict[tuple[str, Channel], str] = {}
        for sends, channel in sorted(SENT, key=str):
            for recipient in ("victim", reader):
                published.append(topic_of(channel, sends, names[sends], recipient))
                assert await senders[sends].may_publish(published[-1])
            if (role, channel) in READ:
                readable[sends, channel] = published[-1]
        # Of each sender the last thing that the reader may read, once more: all that was sent before has come then.
        last = {sends: topic for (sends, _), topic in readable.items()}
        for sends, topic in last.items():
            published.append(topic)
            assert await senders[sends].may_publish(topic)
        received: list[str] = []

        def has_come() -> bool:
            received.extend(client.received())
            return all(received.count(topic) == published.count(topic) for topic in last.values())

        await until(has_come)

    assert last
    assert set(received) == set(readable.values())


def test_there_is_no_other_way_in(secure: SecureBroker) -> None:
    """Some settings have mosquitto open a listener without TLS that nobody asked for."""
    opened = [line.rsplit(" ", 1)[1] for line in secure.log if "listen socket on port" in line]
    assert sorted(opened) == sorted(f"{port}." for port in secure.ports.values())


async def test_nobody_takes_the_place_of_another_client(secure: SecureBroker) -> None:
    async with raw(secure, "plugin", "lamp") as lamp, raw(secure, "plugin", "thief", identifier="lamp") as thief:
        assert await thief.may_publish(ResponseTopic.build(core_identifier="home", plugin_identifier="thief"))
        assert await lamp.may_publish(ResponseTopic.build(core_identifier="home", plugin_identifier="lamp"))


async def test_the_longest_event_on_the_longest_topic_gets_through(secure: SecureBroker) -> None:
    levels = dict.fromkeys(("operation_name", "connection_identifier"), "x" * limits.IDENTIFIER_BYTES)
    topic = CloseAckTopic.build(**levels, recipient_identifier="home", sender_identifier="lamp")
    async with raw(secure, "plugin", "lamp") as lamp:
        assert await lamp.may_publish(topic, b"x" * limits.EVENT_BYTES)
    assert f"max_packet_size {limits.EVENT_BYTES + limits.TOPIC_BYTES + 16}" in secure.example


def test_nothing_is_retained() -> None:
    """The example's broker does not allow it."""
    assert [channel.key for channel in CHANNELS.values() if channel.retain] == []


async def test_what_an_orbiter_needs_is_allowed_and_what_a_thief_tries_is_not(secure: SecureBroker) -> None:
    """A thief reads everything that it can, and tries to close the connection that two others have."""
    core = TextCore(
        identifier="home",
        eventbus_client=connect(secure.url_of("core", "home")),
        operation_requirements=needs(),
    )
    plugin = EchoPlugin(identifier="lamp", eventbus_client=connect(secure.url_of("plugin", "lamp")))
    before = len(secure.log)
    async with raw(secure, "plugin", "thief") as thief:
        await thief.subscribe("#", qos=1)
        async with plugin, core:
            await all_connected(core, [plugin])
            await core.execute("text", "hello", plugin_identifier="lamp")
            await until(lambda: core.texts == ["hello"])
            # Keepalives are asked for and given.
            await core.send_keepalive_request("lamp")
            keepalive = KeepaliveTopic.build(recipient_identifier="home", sender_identifier="lamp")
            await until(lambda: any(f"'{keepalive}'" in line for line in secure.log[before:]))
            assert not [line for line in secure.log[before:] if "Denied" in line]

            (connection,) = plugin.retrieve_connections()
            assert connection.incoming_close_connection_topic == CloseTopic.build(
                recipient_identifier="lamp",
                sender_identifier="home",
                operation_name="text",
                connection_identifier=connection.connection_identifier or "",
            )
            assert not await thief.may_publish(connection.incoming_close_connection_topic)
            assert not await thief.may_publish(connection.input_topic or "")

            await core.execute("text", "still here", plugin_identifier="lamp")
            await until(lambda: core.texts == ["hello", "still here"])
            await core.send_graceful_close_connection("lamp", "text")
            await until(lambda: plugin.retrieve_connections() == [] == core.retrieve_connections())
        refused = [line for line in secure.log[before:] if "Denied" in line]
        assert len(refused) == 2
        assert all("from thief" in line for line in refused)
        assert thief.received() == []


@pytest.mark.parametrize(
    ("role", "other"),
    [("core", "plugin"), ("plugin", "core"), ("core", "operator"), ("plugin", "operator"), ("operator", "core")],
)
async def test_nobody_gets_in_at_the_listener_of_the_other_role(secure: SecureBroker, role: str, other: str) -> None:
    client = connect(secure.url_of(role, f"{role}-stranger", at=other))
    with pytest.raises(BusRefusedError, match=r"refuses this client's certificate, or its lack: .*alert unknown ca"):
        await client.connect()


async def test_nobody_gets_in_without_a_certificate(secure: SecureBroker) -> None:
    url, _, _ = secure.url_of("plugin", "lamp").partition("&")
    with pytest.raises(
        BusRefusedError, match=r"refuses this client's certificate, or its lack: .*certificate required"
    ):
        await connect(url).connect()


async def test_a_plugin_that_says_it_is_another_is_told_so(
    secure: SecureBroker, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(secure.url_of("plugin", "thief"))
    plugin = EchoPlugin(identifier="lamp", eventbus_client=client)
    async with running(plugin):
        (error,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert error.startswith("lamp may not publish as itself.")
        assert "has to be one of the plugins" in error
        assert "'orbitalis/lamp/lamp/response': Not authorized" in error

        input_topic = OperationInputTopic.build(
            plugin_identifier="lamp", core_identifier="home", operation_name="text", connection_identifier="1"
        )
        with pytest.raises(BusRefusedError, match=f"publishes to '{input_topic}': Not authorized"):
            await client.publish(input_topic, "do it")


async def test_a_core_that_is_itself_is_told_nothing(secure: SecureBroker, caplog: pytest.LogCaptureFixture) -> None:
    async with running(TextCore(identifier="home", eventbus_client=connect(secure.url_of("core", "home")))):
        pass
    told = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
    assert [text for text in told if "sinks for operations that it does not require" not in text] == []


async def test_a_will_reaches_those_who_are_connected(secure: SecureBroker) -> None:
    plugin = EchoPlugin(identifier="mortal", eventbus_client=connect(secure.url_of("plugin", "mortal")))
    core = TextCore(
        identifier="mourner",
        eventbus_client=connect(secure.url_of("core", "mourner")),
        operation_requirements=needs(allowlist=["mortal"]),
    )
    async with running(plugin, core):
        await all_connected(core, [plugin])
        await until(lambda: "mortal" in core._runtime._wills.listening)
        client = plugin.eventbus_client
        assert isinstance(client, MqttEventBusClient)
        assert client._connection is not None
        cut_off(client._connection)
        await until(lambda: core.suspected_remote_identifiers == ["mortal"])
        await until(lambda: not core.suspected_remote_identifiers)
        assert core.remote_identifiers == {"mortal"}


async def test_nobody_leaves_a_will_for_another(secure: SecureBroker) -> None:
    async with raw(secure, "core", "mourner") as reader:
        await reader.subscribe("orbitalis/victim/will", qos=1)
        await reader.subscribe("orbitalis/will-thief/will", qos=1)
        for name in ("victim", "will-thief"):
            thief = raw_with_will(secure, "plugin", "will-thief", f"orbitalis/{name}/will")
            await thief.__aenter__()
            cut_off(thief)
            with contextlib.suppress(aiomqtt.MqttError):
                await thief.__aexit__(None, None, None)
        received: list[str] = []

        def has_own() -> bool:
            received.extend(reader.received())
            return "orbitalis/will-thief/will" in received

        await until(has_own)
        assert received == ["orbitalis/will-thief/will"]
