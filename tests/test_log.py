"""What is logged: by the standard library, below `orbitalis`, with identifiers as fields."""

from __future__ import annotations

import ast
import asyncio
import logging

import pytest

from orbitalis import Event, OperationFailedError, connect
from orbitalis.bus import LocalEventBus
from orbitalis.log import FIELDS, FieldLogger
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import all_connected, core_on, plugin_on, running
from tests.support.repository import ROOT


@pytest.fixture
def bus() -> LocalEventBus:
    return LocalEventBus()


def fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS if getattr(record, name) is not None}


def test_every_record_has_every_field(caplog: pytest.LogCaptureFixture) -> None:
    log = FieldLogger(logging.getLogger("orbitalis.test"), orbiter="core")
    log.warning("one")
    log.warning("two %s", "three", extra={"remote": "plugin"})

    assert [record.getMessage() for record in caplog.records] == ["one", "two three"]
    assert [fields(record) for record in caplog.records] == [
        {"orbiter": "core"},
        {"orbiter": "core", "remote": "plugin"},
    ]
    assert all(hasattr(record, name) for record in caplog.records for name in FIELDS)


async def test_the_life_of_orbiters_and_connections(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "orbitalis")
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = core.retrieve_connections()
        await plugin.stop()
        await asyncio.wait_for(core.not_compliant_event.wait(), 20)

    assert {record.name.split(".")[0] for record in caplog.records} == {"orbitalis"}
    closed = {"operation": "text", "connection": connection.connection_identifier}
    found = [fields(record) for record in caplog.records]
    assert {"orbiter": "plugin"} in found
    assert {"orbiter": "core", "remote": "plugin", **closed} in found
    assert {"orbiter": "plugin", "remote": "core", **closed} in found


async def test_what_strangers_cause(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    core = core_on(bus)
    async with running(core):
        await core.eventbus_client.publish(core.offer_topic, "nonsense")
        await core.send_discover_based_on_requirements()

    (record,) = [one for one in caplog.records if "which is no message of channel" in one.getMessage()]
    assert fields(record) == {"orbiter": "core", "topic": core.offer_topic}


async def test_handlers_that_fail(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    failed = asyncio.Event()

    async def fail(topic: str, event: Event[object]) -> None:
        failed.set()
        raise ValueError("as expected")

    async with running(plugin, core):
        await all_connected(core, [plugin])
        plugin.operations["text"].handler = fail
        await core.execute("text", "x", any=True)
        await asyncio.wait_for(failed.wait(), 20)
        (connection,) = plugin.retrieve_connections()
        topic = connection.input_topic

    (record,) = [one for one in caplog.records if one.exc_info]
    assert fields(record).keys() == {"orbiter", "remote", "operation", "connection", "topic", "event"}
    assert fields(record)["topic"] == topic
    assert fields(record)["orbiter"] == "plugin"
    assert fields(record)["operation"] == "text"
    assert "handler Delivery('plugin') of operation 'text' failed on event" in record.getMessage()


async def test_every_line_of_an_orbiters_life_says_whose_it_is(
    bus: LocalEventBus, caplog: pytest.LogCaptureFixture, broker: Broker
) -> None:
    caplog.set_level(logging.DEBUG, "orbitalis")
    core, plugin = core_on(bus), plugin_on(bus)
    core.eventbus_client, plugin.eventbus_client = connect(broker.url), connect(broker.url)

    async def fail(topic: str, event: Event[object]) -> None:
        raise ValueError("as expected")

    plugin.operations["text"].handler = fail
    async with running(plugin, core):
        await all_connected(core, [plugin])
        with pytest.raises(OperationFailedError):
            await core.request("text", "x")
        await plugin.eventbus_client.publish(core.offer_topic, "nonsense")
        await until(lambda: core.statistics.misplaced == 1)
        await plugin.stop()
        await asyncio.wait_for(core.not_compliant_event.wait(), 20)

    records = [record for record in caplog.records if record.name.startswith("orbitalis.")]
    assert {vars(record)["orbiter"] for record in records} == {"core", "plugin"}
    (failure,) = [record for record in records if record.exc_info]
    assert fields(failure).keys() == {"orbiter", "remote", "operation", "connection", "topic", "event"}


async def test_an_execution_that_fails_unseen(bus: LocalEventBus, caplog: pytest.LogCaptureFixture) -> None:
    core, plugin = core_on(bus), plugin_on(bus)
    async with running(plugin, core):
        await all_connected(core, [plugin])
        (connection,) = core.retrieve_connections()
        await core.eventbus_client.disconnect()
        await core.execute("text", "x", fire_and_forget=True, any=True)

    (record,) = [one for one in caplog.records if one.exc_info]
    identifier = connection.connection_identifier
    assert fields(record) == {"orbiter": "core", "remote": "plugin", "operation": "text", "connection": identifier}


LOGGING = {"debug", "error", "exception", "info", "log", "warning"}
ABOUT_ORBITERS = ("bus", "core", "introspection", "orbiter", "plugin")


@pytest.mark.parametrize("package", ABOUT_ORBITERS)
def test_no_line_is_without_fields(package: str) -> None:
    without: list[str] = []
    for path in sorted((ROOT / "orbitalis" / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="_logger" | "_plain"), attr=name), keywords=keywords
                ):
                    if name in LOGGING and "extra" not in {keyword.arg for keyword in keywords}:
                        without.append(f"{path.name}:{node.lineno}")
                case _:
                    pass

    assert without == []
