"""How `execute_distributed` chooses: all equally often, at random, and in the same time however many there are."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

import pytest

from orbitalis import Constraint, Core, Event, Input, Operation, OperationRequirement, Output, Plugin
from orbitalis.bus import LocalEventBus
from orbitalis.core.turns import Turns
from orbitalis.errors import NoConnectionError
from orbitalis.protocol.slots import Slot, SlotTable
from orbitalis.protocol.transitions import Role, SlotTrigger
from orbitalis_wire.messages import Int64Message, StringMessage
from tests.support.events import until
from tests.support.orbiters import all_connected, on, running

TEXT, NUMBER = StringMessage(value="x"), Int64Message(value=1)
TEXTS, NUMBERS = Input.string(), Input.int64()
BOTH: Input = Input.string() | Input.int64()


def table_of(*inputs: Input) -> SlotTable:
    """Return a table with an open connection for each of some inputs, named 0, 1, ..."""
    table = SlotTable()
    for number, one in enumerate(inputs):
        slot = Slot(
            role=Role.CORE,
            remote_identifier=str(number),
            operation_name="x",
            input=one,
            output=Output.no_output(),
            created_at=0.0,
            waiting_since=0.0,
        )
        table.add(slot, SlotTrigger.OFFER_ACCEPTED)
        table.advance(slot, SlotTrigger.PREPARED)
        slot.input_topic = f"topic/{number}"
        table.advance(slot, SlotTrigger.CONFIRM_RECEIVED)
    return table


def chosen(table: SlotTable, messages: Sequence[object]) -> list[str]:
    """Return who gets the messages, in one execution."""
    turns = Turns(table.open_by_input("x"))
    slots = [turns.next(message) for message in messages]
    return [slot.remote_identifier for slot in slots if slot is not None]


@pytest.mark.parametrize("count", [1, 2, 7, 200])
def test_at_any_moment_nobody_is_ahead_of_another_by_more_than_one_message(count: int) -> None:
    turns = Turns(table_of(*[TEXTS] * count).open_by_input("x"))
    had: Counter[str] = Counter()
    for number in range(3 * count):
        slot = turns.next(TEXT)
        assert slot is not None
        had[slot.remote_identifier] += 1
        assert max(had.values()) == number // count + 1
        assert len([one for one in had.values() if one == max(had.values())]) == number % count + 1


def test_the_order_is_another_one_in_each_round_and_in_each_execution() -> None:
    table = table_of(*[TEXTS] * 10)
    names = chosen(table, [TEXT] * 30)
    rounds = [tuple(names[begin : begin + 10]) for begin in (0, 10, 20)]
    assert len({*rounds, tuple(chosen(table, [TEXT] * 10))}) == 4


@pytest.mark.parametrize("inputs", [[TEXTS] * 4, [TEXTS, BOTH, BOTH, BOTH]], ids=["alike", "different"])
def test_each_is_the_first_equally_often(inputs: list[Input]) -> None:
    table = table_of(*inputs)
    first = Counter(chosen(table, [TEXT])[0] for _ in range(2000))
    assert len(first) == 4
    assert min(first.values()) > 400
    pairs = Counter(tuple(chosen(table, [TEXT] * 2)) for _ in range(2400))
    assert len(pairs) == 12
    assert min(pairs.values()) > 130


def test_those_that_accept_a_message_share_it_equally() -> None:
    table = table_of(TEXTS, TEXTS, NUMBERS, NUMBERS, NUMBERS)
    names = chosen(table, [TEXT, NUMBER] * 30)
    assert Counter(names) == {"0": 15, "1": 15, "2": 10, "3": 10, "4": 10}
    assert {*names[::2]} == {"0", "1"}


def test_those_that_had_no_message_before_have_the_next_turns() -> None:
    table = table_of(BOTH, TEXTS, TEXTS)
    assert Counter(chosen(table, [NUMBER] * 6 + [TEXT] * 12)) == {"0": 6, "1": 6, "2": 6}
    assert Counter(chosen(table, [NUMBER] * 6 + [TEXT] * 15)) == {"0": 7, "1": 7, "2": 7}


def test_where_nobody_accepts_a_message_nobody_loses_a_turn() -> None:
    turns = Turns(table_of(TEXTS, TEXTS).open_by_input("x"))
    assert [turns.next(NUMBER) for _ in range(3)] == [None] * 3
    assert turns.next(None) is None
    names = [slot.remote_identifier for slot in (turns.next(TEXT), turns.next(TEXT)) if slot is not None]
    assert sorted(names) == ["0", "1"]
    assert Turns(SlotTable().open_by_input("x")).next(TEXT) is None


def test_a_connection_that_takes_no_inputs_has_no_turn() -> None:
    table = table_of(TEXTS, TEXTS)
    (first, _) = table.open_of_operation("x")
    first.input_topic = None
    assert {*chosen(table, [TEXT] * 4)} == {"1"}


def test_connections_that_come_and_go_count_from_the_next_execution_on() -> None:
    table = table_of(TEXTS, TEXTS, NUMBERS)
    assert sorted(chosen(table, [TEXT] * 2)) == ["0", "1"]
    (first, *_) = table.open_of_operation("x")
    table.advance(first, SlotTrigger.STOPPED)
    assert chosen(table, [TEXT] * 2) == ["1", "1"]


def calls_for(count: int) -> int:
    """Return how many functions are called for 100 messages to so many plugins."""
    table = table_of(*[TEXTS] * count)
    table.open_by_input("x")
    calls = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(note)
    try:
        chosen(table, [TEXT] * 100)
    finally:
        sys.setprofile(None)
    return calls


def test_a_choice_takes_as_many_calls_among_many_as_among_few() -> None:
    assert calls_for(800) == calls_for(200) < 700


@dataclass
class Taking(Plugin):
    """Takes what a test says, and keeps it."""

    taken: list[object] = field(default_factory=list)

    def take(self, topic: str, event: Event[object]) -> None:
        self.taken.append(getattr(event.payload, "value", None))


def taking(bus: LocalEventBus, identifier: str, given: Input) -> Taking:
    plugin = Taking(identifier=identifier, eventbus_client=on(bus), with_loop=False)
    return plugin.with_operation("x", Operation(name="x", input=given, handler=plugin.take))


async def test_messages_that_only_some_plugins_accept_are_distributed_among_these(bus: LocalEventBus) -> None:
    plugins = [taking(bus, "texts", TEXTS), taking(bus, "both", BOTH), taking(bus, "numbers", NUMBERS)]
    constraint = Constraint(minimum=3, inputs=[TEXTS, NUMBERS], outputs=[Output.no_output()])
    core = Core(
        eventbus_client=on(bus), with_loop=False, operation_requirements={"x": OperationRequirement(constraint)}
    )
    async with running(*plugins, core):
        await all_connected(core, plugins, "x")
        names = await core.execute_distributed("x", ["a", 1, "b", 2, "c", 3])
        assert Counter(names) == {"texts": 2, "both": 2, "numbers": 2}
        await until(lambda: sum(len(plugin.taken) for plugin in plugins) == 6)
        assert {*map(type, plugins[0].taken)} == {str}
        assert {*map(type, plugins[2].taken)} == {int}
        with pytest.raises(NoConnectionError, match="but none whose input accepts"):
            await core.execute_distributed("x", ["a", 0.5])
        assert sum(len(plugin.taken) for plugin in plugins) == 6
