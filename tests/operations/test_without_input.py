"""Operations without input: what `output` and `periodic` declare, how they are inherited, and what is refused."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from orbitalis import (
    AvroMessageMixin,
    Connection,
    Core,
    Input,
    NoConnectionError,
    Output,
    Plugin,
    Policy,
    StringMessage,
    TypedOperation,
    operation,
    output,
    periodic,
    sink,
)
from orbitalis.bus import LocalEventBus
from orbitalis_avro.errors import TopicError
from tests.support.orbiters import all_connected, on, running

# What type checkers find as well is hidden from them here.
declare: Any = output
decorate: Any = operation
in_rhythm: Any = periodic

T = TypeVar("T")


@dataclass(frozen=True)
class LevelMessage(AvroMessageMixin):
    level: float


@dataclass
class Lamp(Plugin):
    reading: float = 21.5
    temperature = output(float)
    text = output(str, name="saying", default_policy=Policy(maximum=1), doc="What it says.")
    either = output(LevelMessage, str, bytes)
    message = output(StringMessage)

    @periodic(0.5, name="reading", default_policy=Policy(maximum=2))
    async def read(self) -> float | None:
        """Read the level."""
        return self.reading


class Home(Core):
    """Needs and takes some of them."""

    @sink(Lamp.temperature)
    async def take(self, value: float) -> None: ...

    @sink(Lamp.either)
    async def take_either(self, value: LevelMessage | str | bytes) -> None: ...

    @sink(Lamp.read)
    async def take_reading(self, value: float) -> None: ...


def test_the_class_knows_what_it_sends() -> None:
    assert (Lamp.temperature.name, Lamp.text.name, Lamp.read.name) == ("temperature", "saying", "reading")
    assert Lamp.temperature.input == Lamp.read.input == Input.no_input()
    assert Lamp.temperature.output == Output.float64()
    assert Lamp.either.output.is_compatible(Output.from_message(LevelMessage) | Output.string() | Output.bytes())
    assert Lamp.message.output == Output.string()
    # A result of None is not sent, so nobody has to expect an empty event.
    assert Lamp.read.output == Output.float64()
    assert Lamp.text.default_policy == Policy(maximum=1)
    assert Lamp.temperature.default_policy == Policy.no_constraints()
    assert Lamp.read.default_policy == Policy(maximum=2)
    assert Lamp.read.seconds == 0.5
    assert (Lamp.text.__doc__, Lamp.read.__doc__) == ("What it says.", "Read the level.")
    assert repr(Lamp.temperature).endswith("test_without_input.Lamp.temperature>")


async def test_a_plugin_has_it_as_an_operation_without_handler_and_calls_the_method_as_any_other(
    bus: LocalEventBus,
) -> None:
    lamp = Lamp(eventbus_client=on(bus), reading=1.5)
    assert set(lamp.operations) == {"temperature", "saying", "either", "message", "reading"}
    for one in lamp.operations.values():
        assert one.handler is None
        assert one.input == Input.no_input()
    assert lamp.operations["saying"].policy == Policy(maximum=1)
    assert lamp.operations["saying"].policy is not Lamp.text.default_policy
    assert lamp.temperature is Lamp.temperature
    assert await lamp.read() == 1.5


async def test_a_core_needs_it_as_any_other_and_cannot_execute_it(bus: LocalEventBus) -> None:
    core = Home(identifier="core", eventbus_client=on(bus), with_loop=False)
    for one in (Lamp.temperature, Lamp.either, Lamp.read):
        core.with_requirement(one, minimum=1)
    # Type checkers refuse all of it.
    execute: Any = core.execute
    distribute: Any = core.execute_distributed
    request: Any = core.request
    async with running(Lamp(identifier="lamp", eventbus_client=on(bus), with_loop=False), core):
        await core.compliant_event.wait()
        assert {one.operation_name for one in core.retrieve_connections()} == {"temperature", "either", "reading"}
        refusing: dict[str, TypedOperation[Any, Any, Any]] = {"temperature": Lamp.temperature, "reading": Lamp.read}
        for name, refused_one in refusing.items():
            refused = f"operation '{name}' takes no input, so it can neither be executed nor requested"
            with pytest.raises(TypeError, match=refused):
                await execute(refused_one, any=True)
            with pytest.raises(TypeError, match=refused):
                await execute(refused_one, 1.0, plugin_identifier="lamp")
            with pytest.raises(TypeError, match=refused):
                await distribute(refused_one, [1.0])
            with pytest.raises(TypeError, match=refused):
                await request(refused_one)
            for ask in (execute(name, any=True), request(name), execute(name, "x", plugin_identifier="lamp")):
                with pytest.raises(NoConnectionError, match=f"operation '{name}' takes no input"):
                    await ask


# Inheriting


class Keeping(Lamp):
    async def read(self) -> float | None:
        return 2.5


class Replacing(Lamp):
    temperature = output(int, name="whole", default_policy=Policy(maximum=3))
    text = None  # type: ignore[assignment]

    @periodic(3)
    async def either(self) -> str:  # type: ignore[override]
        return ""

    @operation
    async def read(self, text: str) -> str:  # type: ignore[override]
        return text


async def test_a_subclass_keeps_replaces_or_takes_away_what_its_bases_declare(bus: LocalEventBus) -> None:
    keeping, replacing = Keeping(eventbus_client=on(bus)), Replacing(eventbus_client=on(bus))
    assert keeping.operations.keys() == Lamp(eventbus_client=on(bus)).operations.keys()
    assert await keeping.read() == 2.5
    kept: Any = Keeping.read
    assert (kept.name, kept.seconds, kept.output) == ("reading", 0.5, Output.float64())
    assert set(replacing.operations) == {"whole", "either", "message", "read"}
    assert replacing.operations["whole"].output == Output.int64()
    assert replacing.operations["whole"].policy == Policy(maximum=3)
    assert Replacing.either.seconds == 3.0
    assert replacing.operations["either"].output == Output.string()
    assert replacing.operations["read"].input == Input.string()


def test_it_may_come_from_a_base_that_is_no_plugin_and_be_abstract_or_generic() -> None:
    class Mixin:
        temperature = output(float)

    class Sensor(Plugin, Generic[T]):
        @in_rhythm(1.0)
        @abstractmethod
        async def measure(self) -> T: ...

    class LevelSensor(Mixin, Sensor[LevelMessage]):
        async def measure(self) -> LevelMessage:
            return LevelMessage(1.0)

    made = LevelSensor()
    assert made.operations["temperature"].output == Output.float64()
    assert made.operations["measure"].output == Output.from_message(LevelMessage)
    with pytest.raises(TypeError, match="abstract"):
        Sensor()  # type: ignore[abstract]


async def test_a_second_core_waits_when_the_maximum_is_taken(bus: LocalEventBus) -> None:
    cores = [Core(identifier=f"core{number}", eventbus_client=on(bus), with_loop=False) for number in range(2)]
    for core in cores:
        core.with_requirement(Lamp.text, minimum=1)
    lamp = Lamp(identifier="lamp", eventbus_client=on(bus), with_loop=False)
    async with running(lamp, *cores):
        await all_connected(cores[0], [lamp], "saying")
        assert not cores[1].is_compliant()


# What is refused


async def takes_payload(self: Any, text: str) -> str:
    return text


async def takes_connection(self: Any, connection: Connection) -> str:
    return ""


async def gives_nothing(self: Any) -> None: ...


async def gives_list(self: Any) -> list[int]:
    return []


async def generates(self: Any) -> Any:
    yield 1


async def is_not_annotated(self):
    return 1


def is_plain(self: Any) -> int:
    return 1


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: declare(), r"Wrong\.it sends None: name what is sent, at least one type"),
    (lambda: declare(None), r"Wrong\.it sends None"),
    (lambda: declare(str, None), r"Wrong\.it sends None"),
    (lambda: declare(bool), r"Wrong\.it bool is no payload: use a message class"),
    (lambda: declare(list[int]), r"Wrong\.it list.* is no payload"),
    (lambda: declare("x"), r"Wrong\.it 'x' is a text, and no type: use a message class"),
    (lambda: declare(str, StringMessage), "str and StringMessage are the same payload on the wire"),
    (lambda: in_rhythm(1)(takes_payload), "takes_payload is periodic, and takes something: nobody sends it anything"),
    (lambda: in_rhythm(1)(takes_connection), "takes_connection is periodic, and takes something"),
    (lambda: in_rhythm(1)(gives_nothing), "gives_nothing is periodic, and returns None: nothing would ever be sent"),
    (lambda: in_rhythm(1)(gives_list), "gives_list returns list.* is no payload"),
    (lambda: in_rhythm(1)(generates), r"generates yields: return one result, and send others with `await self\.send"),
    (lambda: in_rhythm(1)(is_not_annotated), "is_not_annotated has no annotation behind the arrow"),
    (lambda: decorate(in_rhythm(1)(gives_list)), "expected a method to decorate, .*leave out one of the decorators"),
    (lambda: in_rhythm(1)(is_plain), "is_plain is not asynchronous: write 'async def'"),
]


@pytest.mark.parametrize(("declared", "text"), WRONG, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_declared_wrongly_is_refused_with_its_place(declared: Callable[[], Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        type("Wrong", (Plugin,), {"it": declared()})


@pytest.mark.parametrize("seconds", [0, -1, -0.5, math.inf, -math.inf, math.nan])
def test_a_rhythm_of_no_positive_finite_number_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match=f"positive and finite number of seconds, got {seconds}"):
        periodic(seconds)


@pytest.mark.parametrize("seconds", ["1", None, True, 1j, is_plain])
def test_a_rhythm_of_no_number_is_refused(seconds: object) -> None:
    with pytest.raises(TypeError, match=r"takes a number of seconds, such as @periodic\(1\.0\), got"):
        in_rhythm(seconds)


@pytest.mark.parametrize("make", [lambda: output(str, name="a/b"), lambda: periodic(1, name="a/b")])
def test_a_name_that_can_be_no_topic_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(TopicError):
        make()


def test_two_of_the_same_name_in_a_class_are_refused() -> None:
    with pytest.raises(TypeError, match="is about operation 'one', as 'one' of the same class is"):

        class Twice(Plugin):
            one = output(str)
            other = output(int, name="one")


def test_a_method_that_hides_an_output_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Hiding\.temperature hides the output 'temperature' of a base: decorate it"):

        class Hiding(Lamp):
            async def temperature(self) -> float:  # type: ignore[override]
                return 1.0


def test_an_output_outside_of_a_class_is_nothing_that_can_be_needed() -> None:
    alone = output(str)
    assert repr(alone) == "<DeclaredOutput an output that is no attribute of a class>"
    with pytest.raises(TypeError, match="an output that is no attribute of a class cannot be used: write"):
        Core().with_requirement(alone)
