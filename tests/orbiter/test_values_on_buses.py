"""What a core sends to a plugin, and gets back, is what it was: over a broker and in one process alike."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, make_dataclass
from typing import Any

import pytest

from orbitalis import (
    AvroMessageMixin,
    Constraint,
    Core,
    Input,
    MqttEventBusClient,
    OperationRequirement,
    Output,
    Plugin,
    operation,
)
from orbitalis.bus import EventBusClient, LocalEventBus, LocalEventBusClient
from orbitalis_avro.errors import EncodeError
from tests.message.value_rows import ROWS, is_same, message_of, rounded
from tests.support.broker import Broker
from tests.support.events import until
from tests.support.orbiters import running

NewBroker = Callable[..., Broker]
NewClient = Callable[[], EventBusClient]


@pytest.fixture(params=["local", "mqtt"])
def new_client(request: pytest.FixtureRequest, new_broker: NewBroker) -> NewClient:
    """Give a function that makes clients of one bus."""
    if request.param == "local":
        bus = LocalEventBus()
        return lambda: LocalEventBusClient(bus)
    broker = new_broker()
    return lambda: MqttEventBusClient(broker.host, broker.port)


def echoing(message_classes: dict[str, Any]) -> type[Plugin]:
    """Return a plugin that has an operation for each message class, which gives its input back."""

    def echo(name: str, message_class: Any) -> Any:
        async def method(self: Any, message: Any) -> Any:
            self.taken.append(message)
            return message

        method.__annotations__ = {"message": message_class, "return": message_class}
        return operation(name=name)(method)

    operations = {f"method_{name}": echo(name, one) for name, one in message_classes.items()}
    taken: Any = ("taken", list[Any], field(default_factory=list))
    return make_dataclass("Echo", [taken], bases=(Plugin,), namespace=operations)


def core_of(client: EventBusClient, message_classes: dict[str, Any]) -> Core:
    """Return a core that needs each of these operations."""
    needs = {
        name: OperationRequirement(
            Constraint(minimum=1, inputs=[Input.from_message(one)], outputs=[Output.from_message(one)])
        )
        for name, one in message_classes.items()
    }
    return Core(identifier="core", eventbus_client=client, operation_requirements=needs, with_loop=False)


async def test_values_arrive_equal_and_of_their_types_or_are_refused(new_client: NewClient) -> None:
    rows = {f"operation{index}": row for index, row in enumerate(ROWS)}
    classes = {name: message_of(row.annotation, name=f"Row{name}") for name, row in rows.items()}
    plugin: Any = echoing(classes)(identifier="plugin", eventbus_client=new_client(), with_loop=False)
    core = core_of(new_client(), classes)
    wrong: list[tuple[str, str, object]] = []
    async with running(plugin, core):
        await until(core.is_compliant)
        for name, row in rows.items():
            for value in row.values:
                message = classes[name](value)
                answer = await core.request(name, message)
                expected = classes[name](rounded(row, value))
                if not is_same(answer, expected) or not is_same(plugin.taken[-1], expected):
                    wrong.append((row.name, "arrived as another", value))
            taken = len(plugin.taken)
            for value in row.refused:
                is_refused = False
                with suppress(EncodeError):
                    await core.request(name, classes[name](value))
                    is_refused = True
                if is_refused or len(plugin.taken) > taken:
                    wrong.append((row.name, "was not refused", type(value)))
    assert wrong == []


@dataclass
class Marks(AvroMessageMixin):
    marks: list[int]
    by_name: dict[str, list[int]]


async def test_no_receiver_shares_what_can_change(new_client: NewClient) -> None:
    plugins: Any = [
        echoing({"echo": Marks})(identifier=name, eventbus_client=new_client(), with_loop=False) for name in ("a", "b")
    ]
    core = core_of(new_client(), {"echo": Marks})
    async with running(*plugins, core):
        await until(lambda: len(core.retrieve_connections(operation_name="echo")) == 2)
        message = Marks([1], {"a": [1]})
        await core.execute_sending_all("echo", message)
        message.marks.append(2)
        message.by_name["a"].append(2)
        await until(lambda: all(one.taken for one in plugins))
        first, second = (one.taken[0] for one in plugins)
        assert first == second == Marks([1], {"a": [1]})
        assert first is not second
        assert first.marks is not second.marks
        assert first.by_name["a"] is not second.by_name["a"]


async def test_the_class_that_an_operation_declares_arrives(new_client: NewClient) -> None:
    sent, declared, newest = (message_of(int, name="SameName") for _ in range(3))
    plugin: Any = echoing({"echo": declared})(identifier="plugin", eventbus_client=new_client(), with_loop=False)
    core = core_of(new_client(), {"echo": sent})
    async with running(plugin, core):
        await until(core.is_compliant)
        answer: Any = await core.request("echo", sent(5))
        assert type(plugin.taken[0]) is declared
        assert plugin.taken == [declared(5)]
        assert answer.value == 5
    assert len({sent, declared, newest}) == 3
