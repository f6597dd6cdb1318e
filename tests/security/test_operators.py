"""Operators on the broker of the example: who may ask, who may not, and who gets to see the answers."""

from __future__ import annotations

import pytest

from orbitalis import connect
from orbitalis.errors import BusRefusedError
from orbitalis.operating import Operator
from orbitalis_wire.topics import InfoTopic, IntrospectionTopic
from tests.security.secure_broker import SecureBroker
from tests.security.test_access import raw
from tests.support.events import until
from tests.support.orbiters import EchoPlugin, TextCore, all_connected, needs

ALL = "$introspection.request"


def orbiters(secure: SecureBroker) -> tuple[TextCore, EchoPlugin]:
    """Return a core and a plugin with certificates."""
    core = TextCore(
        identifier="home", eventbus_client=connect(secure.url_of("core", "home")), operation_requirements=needs()
    )
    return core, EchoPlugin(identifier="lamp", eventbus_client=connect(secure.url_of("plugin", "lamp")))


def operator(secure: SecureBroker, identifier: str = "olga", *, user: str = "olga") -> Operator:
    """Return an operator with the certificate of a user."""
    return Operator(connect(secure.url_of("operator", user)), identifier=identifier)


async def test_an_operator_gets_answers_and_nobody_else_does(secure: SecureBroker) -> None:
    core, plugin = orbiters(secure)
    before = len(secure.log)
    async with (
        raw(secure, "plugin", "thief") as thief,
        raw(secure, "core", "nosy") as nosy,
        raw(secure, "operator", "other") as other,
        core,
        plugin,
        operator(secure) as op,
    ):
        await all_connected(core, [plugin])
        for client in (thief, nosy, other):
            await client.subscribe("#", qos=1)
            await client.subscribe(ALL, qos=1)
        found = await op.ping()
        infos = await op.info()
        connections = await op.connections("lamp", within=10.0)
        statistics = await op.statistics("home", within=10.0)
        assert not [line for line in secure.log[before:] if "Denied PUBLISH" in line]

        assert {one: answer.role for one, answer in found.items()} == {"home": "core", "lamp": "plugin"}
        assert "text" in infos["lamp"].operations
        assert [one.remote_identifier for one in connections["lamp"].connections] == ["home"]
        assert statistics["home"].is_complete
        # The requests are everybody's who is asked, the answers the operator's alone.
        assert other.received() == []
        assert ALL in nosy.received()
        for client in (thief, nosy):
            assert [topic for topic in client.received() if "/olga/" in topic] == []


@pytest.mark.parametrize("role", ["core", "plugin"])
async def test_no_orbiter_asks_as_an_operator(secure: SecureBroker, role: str) -> None:
    core, plugin = orbiters(secure)
    async with raw(secure, role, f"{role}-asks") as client, core, plugin:
        for name in (f"{role}-asks", "olga"):
            topic = IntrospectionTopic.build(recipient_identifier="lamp", operator_identifier=name)
            assert not await client.may_publish(topic)
        assert not await client.may_publish(ALL)
        assert plugin.eventbus_client.statistics.malformed == 0

    op = Operator(connect(secure.url_of(role, f"{role}-asks")), identifier=f"{role}-asks")
    with pytest.raises(BusRefusedError, match=f"{role}-asks/{role}-asks/introspection': Not authorized"):
        await op.start()
    assert not op.eventbus_client.is_connected


async def test_an_operator_asks_as_itself_alone(secure: SecureBroker) -> None:
    with pytest.raises(BusRefusedError, match="orbitalis/victim/victim/introspection': Not authorized"):
        await operator(secure, "victim").start()


async def test_no_orbiter_answers_for_another(secure: SecureBroker) -> None:
    async with raw(secure, "plugin", "forger") as forger:
        for sender, may in (("forger", True), ("lamp", False), ("-", False)):
            level = None if sender == "-" else sender
            topic = InfoTopic.build(operator_identifier="olga", sender_identifier=level)
            assert await forger.may_publish(topic) is may


async def test_an_operator_takes_no_part_otherwise(secure: SecureBroker) -> None:
    """It cannot discover, announce itself, close a connection or give inputs."""
    core, plugin = orbiters(secure)
    async with raw(secure, "operator", "meddler") as meddler, core, plugin:
        await all_connected(core, [plugin])
        (connection,) = plugin.retrieve_connections()
        for topic in (
            plugin.discover_topic,
            plugin.announce_topic,
            connection.incoming_close_connection_topic,
            connection.input_topic or "",
            "orbitalis/lamp/meddler/keepalive",
        ):
            assert not await meddler.may_publish(topic), topic
        await core.execute("text", "still here", plugin_identifier="lamp")
        await until(lambda: core.texts == ["still here"])
