"""What a plugin class declares, as plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest

from orbitalis import (
    AvroMessageMixin,
    Core,
    Event,
    Input,
    Operation,
    Output,
    Plugin,
    StringMessage,
    build_new_local_client,
    operation,
    output,
    periodic,
)
from orbitalis.contract import DeclaredError, contract_operation
from orbitalis.message.payload import schema_of
from orbitalis.operations.description import OperationDescription, description_of, may_add_operations
from orbitalis_wire.messages import Float64Message

P = TypeVar("P", bound=AvroMessageMixin)


@dataclass(frozen=True)
class Level(AvroMessageMixin):
    level: float


@dataclass(eq=False)
class TooBright(DeclaredError, record="lamps.TooBright"):
    most: float

    @classmethod
    def avro_schema(cls) -> str:
        """Return what a codec beside the class would say."""
        return '{"type":"record","name":"lamps.TooBright","fields":[{"name":"most","type":"double"}]}'


class Lamp(Plugin):
    """A lamp.

    It can be dimmed.
    """

    alarm = output(str, Level, doc="Says that it is too warm.")

    @operation
    async def dim(self, level: Level | None) -> Level:
        """Dims it.

        As far as it goes.
        """
        return level or Level(1.0)

    @operation(name="rename", input=Input.string(), output=Output.undefined())
    async def on_rename(self, topic: str, event: Event[StringMessage]) -> None: ...

    @periodic(1.0)
    async def temperature(self) -> float | None: ...

    @contract_operation(errors=(TooBright,))
    async def brighten(self, level: Level) -> None: ...


def described(plugin_class: type) -> dict[str, OperationDescription]:
    """Return the description of each operation by its name."""
    return {one.name: one for one in description_of(plugin_class).operations}


def test_operations_of_every_style_are_described() -> None:
    level, text, number = map(schema_of, (Level, StringMessage, Float64Message))
    found = described(Lamp)

    assert list(found) == ["alarm", "dim", "rename", "temperature", "brighten"]
    assert [(tuple(one.input.schemas), one.input.support_empty_schema) for one in found.values()] == [
        ((), False),
        ((level,), True),
        ((text,), False),
        ((), False),
        ((level,), False),
    ]
    assert [(tuple(one.output.schemas), one.output.support_undefined_schema) for one in found.values()] == [
        ((text, level), False),
        ((level,), False),
        ((), True),
        ((number,), False),
        ((TooBright.avro_schema(),), False),
    ]


def test_declared_errors_are_among_the_outputs() -> None:
    found = described(Lamp)

    assert found["brighten"].errors == (TooBright.avro_schema(),)
    assert found["dim"].errors == ()


def test_documentation_is_what_somebody_has_written() -> None:
    found = described(Lamp)

    assert description_of(Lamp).documentation == "A lamp.\n\nIt can be dimmed."
    assert found["alarm"].documentation == "Says that it is too warm."
    assert found["dim"].documentation == "Dims it.\n\nAs far as it goes."
    assert found["rename"].documentation == ""


def test_documentation_is_inherited() -> None:
    @dataclass
    class Bright(Lamp):
        watts: int = 60

        async def dim(self, level: Level | None) -> Level:
            return Level(0.0)

    assert description_of(Bright).documentation == "A lamp.\n\nIt can be dimmed."
    assert described(Bright)["dim"].documentation == "Dims it.\n\nAs far as it goes."


def test_a_class_that_nobody_has_documented_says_nothing() -> None:
    @dataclass
    class Plain(Plugin):
        watts: int = 60

        @operation
        async def dim(self) -> None: ...

    assert description_of(Plain).documentation == ""


def test_the_place_is_that_of_the_method_or_of_the_class_of_an_output() -> None:
    found = described(Lamp)
    lines = Path(__file__).read_text().splitlines()

    assert {one.file for one in found.values()} == {__file__}
    assert lines[found["dim"].line - 1 : found["dim"].line + 1] == [
        "    @operation",
        "    async def dim(self, level: Level | None) -> Level:",
    ]
    assert lines[found["alarm"].line - 1] == "class Lamp(Plugin):"


def test_a_class_that_has_no_file_has_no_place() -> None:
    names: dict[str, type] = {}
    exec(
        "class Lamp(Plugin):\n    alarm = output(str)",
        {"__name__": "nowhere", "Plugin": Plugin, "output": output},
        names,
    )

    assert (described(names["Lamp"])["alarm"].file, described(names["Lamp"])["alarm"].line) == ("", 1)


def test_abstract_and_generic_classes_are_described_where_their_types_are_known() -> None:
    class Echo(Plugin, ABC, Generic[P]):
        @operation
        @abstractmethod
        async def echo(self, payload: P) -> P: ...

    class LevelEcho(Echo[Level]):
        async def echo(self, payload: Level) -> Level:
            return payload

    assert described(LevelEcho)["echo"].input.schemas == (schema_of(Level),)
    with pytest.raises(TypeError, match=r"Echo\.echo has annotations with an open type variable"):
        description_of(Echo)


def test_an_operation_that_is_taken_away_is_none() -> None:
    class Dark(Lamp):
        dim = None  # type: ignore[assignment]

    class Renamed(Lamp):
        @operation(name="dim")
        async def other(self) -> None:
            """Is dim."""

    assert "dim" not in described(Dark)
    assert described(Renamed)["dim"].documentation == "Is dim."


@dataclass
class Given(Lamp):
    most: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operations["shine"] = Operation(name="glow", output=Output.string(), documentation=" Shines. ")
        self.operations["dim"].input = Input.empty()


def test_a_plugin_is_described_with_what_it_was_given() -> None:
    made = {one.name: one for one in description_of(Given(eventbus_client=build_new_local_client())).operations}
    declared = described(Given)

    assert list(made) == ["alarm", "dim", "rename", "temperature", "brighten", "shine"]
    assert list(declared) == ["alarm", "dim", "rename", "temperature", "brighten"]
    assert {name for name, one in declared.items() if made[name] != one} == {"dim"}
    assert (made["dim"].input.schemas, made["dim"].documentation) == ((), declared["dim"].documentation)
    assert (made["shine"].output.schemas, made["shine"].documentation) == ((schema_of(StringMessage),), "Shines.")
    lines = Path(__file__).read_text().splitlines()
    assert lines[made["shine"].line - 1] == "@dataclass"


def test_code_that_may_add_operations_is_seen() -> None:
    class Derived(Given): ...

    assert (may_add_operations(Given), may_add_operations(Derived)) == (True, True)
    assert (may_add_operations(Plugin), may_add_operations(Lamp)) == (False, False)


def test_what_is_neither_class_nor_plugin_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a plugin class or a plugin, got an int: 3"):
        description_of(3)


@pytest.mark.parametrize("other", [Core, Level, int])
def test_what_is_no_plugin_is_refused(other: type) -> None:
    with pytest.raises(TypeError, match=rf"\.{other.__name__} does not derive from orbitalis\.Plugin"):
        description_of(other)
