"""Python and TypeScript at one broker: each has the core, and the plugin, and finds out when the other one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from orbitalis import (
    AvroMessageMixin,
    Int32,
    OperationFailedError,
)
from orbitalis.message.payload import schema_of
from orbitalis_wire.messages import StringMessage
from tests.support.broker import Broker
from tests.typescript.package import needs_node
from tests.typescript.python_side import PATIENCE, TEXT, compliant, lower, python_core, python_plugin
from tests.typescript.typescript_side import typescript

pytestmark = [needs_node, pytest.mark.timeout(120)]


@dataclass(frozen=True)
class Meter(AvroMessageMixin):
    """A record as users have it."""

    value: Int32
    unit: str = "kWh"


METER = {"schemas": [schema_of(Meter)]}


async def double(meter: Meter) -> Meter:
    return Meter(value=2 * meter.value, unit=meter.unit)


async def test_a_core_in_python_uses_a_plugin_in_typescript(broker: Broker) -> None:
    async with typescript(broker) as plugin, python_core(broker, "lowercase", TEXT) as core:
        await plugin.start("plugin", operations={"lowercase": {"input": TEXT, "output": TEXT}})
        await compliant(core)

        assert await core.request("lowercase", "GRÜSSE", result_type=StringMessage) == StringMessage(value="grüsse")
        with pytest.raises(OperationFailedError, match="told to fail"):
            await core.request("lowercase", "FAIL told to fail")


async def test_a_core_in_typescript_uses_a_plugin_in_python(broker: Broker) -> None:
    async with typescript(broker) as core, python_plugin(broker, "lowercase", TEXT, lower):
        await core.start("core", requirements={"lowercase": {"inputs": [TEXT], "outputs": [TEXT], "minimum": 1}})
        await core.reports("compliant")

        answer = await core.do("request", operation="lowercase", message={"type": "StringMessage", "value": "GRÜSSE"})

        assert answer == {"type": "StringMessage", "value": "grüsse"}


async def test_records_go_from_python_to_typescript(broker: Broker) -> None:
    async with typescript(broker) as plugin, python_core(broker, "take", METER) as core:
        await plugin.start("plugin", operations={"take": {"input": METER, "output": METER, "does": "report"}})
        await compliant(core)

        await core.execute("take", Meter(value=21, unit="m³"), all=True)

        assert (await plugin.reports("input"))["fields"] == {"value": 21, "unit": "m³"}


async def test_records_go_from_typescript_to_python_and_back(broker: Broker) -> None:
    async with typescript(broker) as core, python_plugin(broker, "double", METER, double):
        await core.start("core", requirements={"double": {"inputs": [METER], "outputs": [METER], "minimum": 1}})
        await core.reports("compliant")
        message = {"schema": METER["schemas"][0], "fields": {"value": 21, "unit": "m³"}}

        answer = await core.do("request", operation="double", message=message)

        assert answer["fields"] == {"value": 42, "unit": "m³"}


async def test_python_notices_that_typescript_was_killed(broker: Broker) -> None:
    async with typescript(broker) as plugin, python_core(broker, "lowercase", TEXT) as core:
        await plugin.start("plugin", operations={"lowercase": {"input": TEXT, "output": TEXT}})
        await compliant(core)
        # What the core subscribes to by now, the broker knows once it has carried this.
        await core.request("lowercase", "ALIVE")

        await plugin.subject.kill()

        async with asyncio.timeout(PATIENCE):
            assert await core.dead.get() == "typescript-plugin"
        assert not core.is_compliant()


async def test_typescript_notices_that_an_orbiter_was_killed(broker: Broker) -> None:
    async with typescript(broker) as core, typescript(broker) as plugin:
        await core.start("core", requirements={"lowercase": {"inputs": [TEXT], "outputs": [TEXT], "minimum": 1}})
        await plugin.start("plugin", operations={"lowercase": {"input": TEXT, "output": TEXT}})
        await core.reports("compliant")
        await core.do("request", operation="lowercase", message={"type": "StringMessage", "value": "ALIVE"})

        await plugin.subject.kill()

        assert (await core.reports("dead"))["remote"] == "typescript-plugin"
        await core.reports("not compliant")


async def test_both_go_on_after_the_broker_was_away(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker()
    async with typescript(broker) as plugin, python_core(broker, "lowercase", TEXT) as core:
        await plugin.start("plugin", operations={"lowercase": {"input": TEXT, "output": TEXT}})
        await compliant(core)

        await asyncio.to_thread(broker.restart)

        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    answer = await core.request("lowercase", "AGAIN", result_type=StringMessage, timeout=1.0)
                    break
                except (TimeoutError, LookupError):  # until both are back
                    continue
        assert answer == StringMessage(value="again")
