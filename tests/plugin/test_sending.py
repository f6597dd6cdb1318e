"""What a plugin sends on its own: `Plugin.send`, of operations without input and of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest

from orbitalis import (
    AvroMessageMixin,
    BusError,
    Connection,
    Core,
    Event,
    Float64Message,
    Input,
    Operation,
    Output,
    Plugin,
    StringMessage,
    operation,
    output,
    sink,
)
from orbitalis.operations.typed_operation import TypedOperation
from orbitalis.testing import Harness


@dataclass(frozen=True)
class GlowMessage(AvroMessageMixin):
    level: float


@dataclass
class Lamp(Plugin):
    temperature = output(float)
    either = output(GlowMessage, str)

    @operation
    async def paint(self, colour: str, connection: Connection) -> str | None:
        if colour == "nothing":
            return None
        await self.send(Lamp.paint, f"half {colour}", core_identifier=connection.remote_identifier)
        return f"all {colour}"

    @operation
    async def silent(self, text: str) -> None: ...

    @operation(name="events", input=Input.string(), output=Output.from_message(GlowMessage))
    async def events(self, topic: str, event: Event[StringMessage]) -> None: ...


@dataclass
class Home(Core):
    taken: list[object] = field(default_factory=list[object])

    @sink(Lamp.temperature)
    async def take_temperature(self, value: float) -> None:
        self.taken.append(value)

    @sink(Lamp.either)
    async def take_either(self, value: GlowMessage | str) -> None:
        self.taken.append(value)

    @sink(Lamp.paint)
    async def take_paint(self, text: str) -> None:
        self.taken.append(text)

    @sink(Lamp.events)
    async def take_event(self, level: GlowMessage) -> None:
        self.taken.append(level)


async def connected(
    harness: Harness, *needed: TypedOperation[Any, Any, Any], cores: int = 1, lamp: Lamp | None = None
) -> tuple[Lamp, list[Home]]:
    """Return a lamp, and cores that are connected with it."""
    lamp = lamp or Lamp(identifier="lamp", eventbus_client=harness.client())
    homes = [Home(identifier=f"home{number}", eventbus_client=harness.client()) for number in range(1, cores + 1)]
    for home in homes:
        for one in needed:
            home.with_requirement(one, minimum=1)
    await harness.start(lamp, *homes)
    for home in homes:
        await harness.compliant(home)
    await harness.idle()
    return lamp, homes


async def test_an_output_goes_to_every_core_that_is_connected(harness: Harness) -> None:
    lamp, homes = await connected(harness, Lamp.temperature, cores=3)

    assert await lamp.send(Lamp.temperature, 21.5) == 3
    await harness.idle()

    assert [home.taken for home in homes] == [[21.5]] * 3
    sent = harness.recording.of(Float64Message)
    assert sent.payloads == [Float64Message(value=21.5)] * 3
    assert {one.topic.split("/")[1] for one in sent} == {"home1", "home2", "home3"}
    assert all(one.event.connection_identifier and one.event.correlation_identifier is None for one in sent)


async def test_an_output_for_one_core_goes_to_that_alone(harness: Harness) -> None:
    lamp, homes = await connected(harness, Lamp.temperature, cores=3)

    assert await lamp.send(Lamp.temperature, 21.5, core_identifier="home2") == 1
    assert await lamp.send(Lamp.temperature, 21.5, core_identifier="nobody") == 0
    await harness.idle()

    assert [home.taken for home in homes] == [[], [21.5], []]


async def test_all_payloads_that_are_declared_are_taken(harness: Harness) -> None:
    lamp, (home,) = await connected(harness, Lamp.temperature, Lamp.either, Lamp.events)

    await lamp.send(Lamp.temperature, 21)
    await lamp.send(Lamp.either, GlowMessage(0.5))
    await lamp.send(Lamp.either, "x")
    await lamp.send(lamp.either, "y")
    await lamp.send(Lamp.events, GlowMessage(1.5))
    await harness.idle()

    assert sorted(home.taken, key=str) == sorted([21.0, GlowMessage(0.5), "x", "y", GlowMessage(1.5)], key=str)


async def test_without_a_connection_nothing_is_sent_and_nothing_raised(harness: Harness) -> None:
    lamp = Lamp(identifier="lamp", eventbus_client=harness.client())
    assert await lamp.send(Lamp.temperature, 21.5) == 0
    await harness.start(lamp)
    assert await lamp.send(Lamp.temperature, 21.5) == 0
    home = Home(eventbus_client=harness.client()).with_requirement(Lamp.temperature, minimum=1)
    await harness.start(home)
    await harness.compliant(home)
    assert await lamp.send(Lamp.temperature, 21.5) == 1
    await home.stop()
    await harness.idle()
    assert await lamp.send(Lamp.temperature, 21.5) == 0
    await lamp.stop()
    assert await lamp.send(Lamp.temperature, 21.5) == 0


WRONG: list[tuple[object, object, str]] = [
    (Lamp.temperature, "x", "operation 'temperature': expected float, got a str"),
    (Lamp.temperature, None, "operation 'temperature': expected float, got None"),
    (Lamp.temperature, True, "operation 'temperature': expected float, got a bool"),
    (Lamp.temperature, {}, "operation 'temperature': expected float, got a dict"),
    (Lamp.temperature, StringMessage(value="x"), "operation 'temperature': expected float, got a StringMessage"),
    (Lamp.either, 1, r"operation 'either': expected GlowMessage \| str, got an int"),
    (Lamp.paint, b"x", r"operation 'paint': expected str \| None, got a bytes"),
    (Lamp.events, "x", "operation 'events': expected GlowMessage, got a StringMessage"),
    (Lamp.events, {}, "operation 'events': cannot publish a dict"),
    (Lamp.silent, "x", "operation 'silent' has no output: declare one"),
    ("temperature", 1.5, r"expected an operation of a plugin class, such as Lamp\.temperature, got 'temperature'"),
]


@pytest.mark.parametrize("is_connected", [False, True])
async def test_another_payload_is_refused_whether_or_not_somebody_is_connected(
    harness: Harness, is_connected: bool
) -> None:
    needed = (Lamp.temperature, Lamp.either, Lamp.paint, Lamp.events) if is_connected else ()
    lamp, (home,) = await connected(harness, *needed)
    send: Any = lamp.send
    before = len(harness.recording)
    for one, payload, text in WRONG:
        with pytest.raises(TypeError, match=text):
            await send(one, payload)
    await harness.idle()
    assert home.taken == []
    assert len(harness.recording) == before


async def test_an_operation_that_the_plugin_does_not_have_is_refused(harness: Harness) -> None:
    class Other(Plugin):
        lonely = output(str)
        temperature = output(str)

    lamp, _ = await connected(harness)
    with pytest.raises(KeyError, match="has no operation 'lonely' to send outputs of; known: 'temperature', 'either'"):
        await lamp.send(Other.lonely, "x")
    declared = "operation 'temperature' of 'lamp' is declared to send Float64Message, not a StringMessage"
    with pytest.raises(TypeError, match=declared):
        await lamp.send(Other.temperature, "x")


async def test_what_the_plugin_provides_under_the_name_counts(harness: Harness) -> None:
    class Whole(Lamp):
        temperature = output(int)

    lamp, _ = await connected(
        harness, Whole.temperature, lamp=Whole(identifier="lamp", eventbus_client=harness.client())
    )
    with pytest.raises(TypeError, match="is declared to send Int64Message, not a Float64Message"):
        await lamp.send(Lamp.temperature, 21.5)
    assert await lamp.send(Whole.temperature, 21) == 1


async def test_what_is_sent_beside_a_result_does_not_answer(harness: Harness) -> None:
    lamp, (home,) = await connected(harness, Lamp.paint)

    assert await home.request(Lamp.paint, "red") == "all red"
    await harness.idle()

    assert home.taken == ["half red"]
    assert await lamp.send(Lamp.paint, None) == 0
    assert await lamp.send(Lamp.paint, "later") == 1
    await harness.idle()
    assert home.taken == ["half red", "later"]


async def test_sending_is_a_use_of_the_connection(harness: Harness) -> None:
    lamp = Lamp(identifier="lamp", eventbus_client=harness.client(), close_connection_if_unused_after=60.0)
    lamp, (home,) = await connected(harness, Lamp.temperature, lamp=lamp)
    (connection,) = lamp.retrieve_connections()
    for _ in range(5):
        await harness.advance(40)
        assert await lamp.send(Lamp.temperature, 21.5) == 1
        await harness.idle()
    assert home.taken == [21.5] * 5
    assert lamp.retrieve_connections() == [connection]


@pytest.mark.parametrize("fault", ["hangs", "fails", "fails later"])
async def test_a_connection_that_cannot_be_published_to_keeps_none_of_the_others_back(
    harness: Harness, fault: str
) -> None:
    lamp, homes = await connected(harness, Lamp.temperature, cores=3)
    client, released = lamp.eventbus_client, asyncio.Event()
    start_publish = client.start_publish

    async def later() -> None:
        if fault == "fails later":
            raise BusError("broken")
        await released.wait()

    def start(topic: str, *arguments: Any, **options: Any) -> Awaitable[None] | None:
        if "/home2/" not in topic:
            return start_publish(topic, *arguments, **options)
        if fault == "fails":
            raise BusError("broken")
        return later()

    setattr(client, "start_publish", start)  # noqa: B010
    sending = asyncio.create_task(lamp.send(Lamp.temperature, 21.5))
    await harness.idle()
    assert [home.taken for home in homes] == [[21.5], [], [21.5]]
    if fault == "hangs":
        assert not sending.done()
        released.set()
        assert await sending == 3
    else:
        with pytest.raises(BusError, match="broken"):
            await sending
    setattr(client, "start_publish", start_publish)  # noqa: B010


async def test_an_operation_that_was_added_by_hand_under_the_name_is_sent_of(harness: Harness) -> None:
    lamp = Lamp(identifier="lamp", eventbus_client=harness.client())
    lamp.operations["temperature"] = Operation(name="temperature", output=Output.float64() | Output.string())
    home = Home(eventbus_client=harness.client()).with_requirement(Lamp.temperature, minimum=1)
    home.operation_requirements["temperature"].constraint.outputs = [Output.float64() | Output.string()]
    await harness.start(lamp, home)
    await harness.compliant(home)
    assert await lamp.send(Lamp.temperature, 1.5) == 1
    await harness.idle()
    assert home.taken == [1.5]
