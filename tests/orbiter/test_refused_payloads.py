"""A message class refuses the values of an input or an answer: the core that waits for the answer gets an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import AvroMessageMixin, Core, MqttEventBusClient, Plugin, operation
from orbitalis.errors import OperationFailedError, UnexpectedAnswerError
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import running

NewBroker = Callable[..., Broker]


@dataclass
class Level(AvroMessageMixin):
    value: int
    remark: str = ""

    def __post_init__(self) -> None:
        if self.value > 100:
            raise ValueError("too bright")


class Lamp(Plugin):
    @operation
    async def dim(self, level: Level) -> Level:
        return level

    @operation
    async def glare(self, text: str) -> Level:
        return too_bright(text)


def too_bright(remark: str = "") -> Level:
    level = Level(1, remark)
    level.value = 500
    return level


@asynccontextmanager
async def connected(broker: Broker) -> AsyncIterator[tuple[Core, Lamp]]:
    def on() -> Any:
        return MqttEventBusClient(broker.host, broker.port)

    core = Core(identifier="core", eventbus_client=on(), with_loop=False)
    core.with_requirement(Lamp.dim, minimum=1).with_requirement(Lamp.glare, minimum=1)
    lamp = Lamp(identifier="lamp", eventbus_client=on(), with_loop=False)
    async with running(lamp, core):
        await core.compliant_event.wait()
        yield core, lamp


# A long one is decoded in a thread.
@pytest.mark.parametrize("length", [0, 100_000])
async def test_a_core_is_told_that_the_class_refuses_its_input(
    new_broker: NewBroker, caplog: pytest.LogCaptureFixture, length: int
) -> None:
    async with connected(new_broker()) as (core, lamp):
        with pytest.raises(OperationFailedError, match=r"cannot decode Level: .* ValueError: too bright"):
            await core.request(Lamp.dim, too_bright("x" * length), timeout=60)
        assert await core.request(Lamp.dim, Level(50)) == Level(50)
        assert lamp.eventbus_client.statistics.malformed == 1
        await until(lambda: not any(lamp._asked._by_slot.values()))
    lines = [record.getMessage() for record in caplog.records if "its class refuses it" in record.getMessage()]
    assert len(lines) == 1
    assert "ignores a malformed message on topic" in lines[0]


async def test_an_execution_that_the_class_refuses_is_only_logged(
    new_broker: NewBroker, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(new_broker()) as (core, lamp):
        await core.execute(Lamp.dim, too_bright(), any=True)
        await until(lambda: lamp.eventbus_client.statistics.malformed == 1)
        assert "ignores a malformed message" in caplog.text
        assert "dim" not in lamp.operation_statistics


@pytest.mark.parametrize("length", [0, 100_000])
async def test_an_answer_that_the_class_refuses_is_an_error(new_broker: NewBroker, length: int) -> None:
    async with connected(new_broker()) as (core, _):
        with pytest.raises(UnexpectedAnswerError, match=r"answered with a Level, .*its class refuses it.*too bright"):
            await core.request(Lamp.glare, "x" * length, timeout=60)
        assert core.dropped_answers == 0
