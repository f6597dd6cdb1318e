"""Inputs and outputs: all constructors, what each accepts, and when two schemas are the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from orbitalis import (
    AvroMessageMixin,
    BytesMessage,
    Constraint,
    Core,
    Event,
    Float32Message,
    Float64Message,
    Input,
    Int32Message,
    Int64Message,
    NoConnectionError,
    OperationRequirement,
    Output,
    Plugin,
    SchemaSpec,
    StringMessage,
    operation,
)
from orbitalis.testing import Harness


@dataclass(frozen=True)
class InputsMessage(AvroMessageMixin):
    """Documented, so that its schema has a `doc`."""

    text: str = ""


PAYLOADS = {
    "empty": None,
    "int32": Int32Message(value=1),
    "int64": Int64Message(value=1),
    "float32": Float32Message(value=1.0),
    "float64": Float64Message(value=1.0),
    "string": StringMessage(value="x"),
    "bytes": BytesMessage(value=b"x"),
    "own": InputsMessage(),
}


@pytest.mark.parametrize("kind", [Input, Output])
@pytest.mark.parametrize("name", ["empty", "int32", "int64", "float32", "float64", "string", "bytes"])
def test_a_constructor_accepts_what_its_name_says(kind: type[Input | Output], name: str) -> None:
    spec = getattr(kind, name)()
    assert isinstance(spec, SchemaSpec)
    assert [one for one, payload in PAYLOADS.items() if spec.accepts_payload(payload)] == [name]


def test_schemas_may_be_compared_that_are_neither_of_an_input_nor_of_an_output() -> None:
    neither: Any = SchemaSpec  # type checkers know `empty()` and its like of inputs and outputs alone
    assert neither.empty().is_compatible(Input.empty())
    assert not neither.empty().is_compatible(Input.string())
    assert SchemaSpec.undefined().accepts(Output.string())
    for spec in (neither.string(), SchemaSpec.from_message(StringMessage)):
        assert isinstance(spec, SchemaSpec)
        assert not isinstance(spec, Output)
        assert spec.is_compatible(Output.string())
        assert SchemaSpec.from_schema(spec.schemas[0]).is_compatible(spec)


@pytest.mark.parametrize("kind", [Input, Output])
def test_undefined_accepts_everything_and_is_not_nothing(kind: type[Input | Output]) -> None:
    undefined = kind.undefined()
    assert all(undefined.accepts_payload(payload) for payload in PAYLOADS.values())
    assert undefined.expects_something
    assert undefined.support_undefined_schema


def test_no_input_and_no_output_accept_nothing() -> None:
    assert not Input.no_input().has_input
    assert not Output.no_output().has_output
    for spec in (Input.no_input(), Output.no_output()):
        assert not any(spec.accepts_payload(payload) for payload in PAYLOADS.values())


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("schemas", [(), (StringMessage.avro_schema(),)])
def test_there_is_an_input_if_anything_is_supported(undefined: bool, empty: bool, schemas: tuple[str, ...]) -> None:
    options: dict[str, Any] = {
        "schemas": schemas,
        "support_empty_schema": empty,
        "support_undefined_schema": undefined,
    }
    expected = undefined or empty or bool(schemas)
    assert Input(**options).has_input is expected
    assert Output(**options).has_output is expected
    assert Input(**options).has_some_explicit_schemas is bool(schemas)


def test_a_message_and_its_schema_say_the_same() -> None:
    for message_class in (InputsMessage, Int64Message, StringMessage):
        by_class = Input.from_message(message_class)
        assert by_class == Input.from_schema(message_class.avro_schema())
        assert by_class.is_compatible_with_schema(message_class.avro_schema())
        assert not by_class.is_compatible_with_schema(Float32Message.avro_schema())


def test_schemas_are_the_same_if_their_canonical_forms_are() -> None:
    schema = json.loads(InputsMessage.avro_schema())
    reordered = json.dumps(dict(reversed(schema.items())), indent=3)
    undocumented = json.dumps({key: value for key, value in schema.items() if key != "doc"})
    other = json.dumps({**schema, "name": "Other"})
    spec = Input.from_message(InputsMessage)
    assert "doc" in schema
    assert spec.is_compatible_with_schema(reordered)
    assert spec.is_compatible_with_schema(undocumented)
    assert spec.is_compatible(Input.from_schema(undocumented))
    assert not spec.is_compatible_with_schema(other)
    # Text that is no schema is the same as itself.
    assert Input.from_schema("no schema").is_compatible_with_schema("no schema")
    assert not Input.from_schema("no schema").is_compatible_with_schema("no  schema")


def test_a_default_of_the_moment_does_not_make_two_schemas_differ() -> None:
    def made_at(moment: datetime) -> str:
        @dataclass
        class Stamped(AvroMessageMixin):
            created_at: datetime = field(default_factory=lambda: moment)

        return Stamped.avro_schema()

    one, other = made_at(datetime(2020, 1, 1, tzinfo=UTC)), made_at(datetime(2021, 1, 1, tzinfo=UTC))
    assert one != other
    assert Input.from_schema(one).is_compatible_with_schema(other)


@dataclass
class TakingPlugin(Plugin):
    """Takes several kinds."""

    taken: list[Any] = field(default_factory=list)

    @operation(
        name="take",
        input=Input(schemas=[StringMessage.avro_schema(), InputsMessage.avro_schema()], support_empty_schema=True),
    )
    async def take(self, topic: str, event: Event[Any]) -> None:
        self.taken.append(event.payload)

    @operation(name="take_anything", input=Input.undefined())
    async def take_anything(self, topic: str, event: Event[Any]) -> None:
        self.taken.append(event.payload)


@pytest.mark.parametrize("mode", ["any", "all", "distribute"])
async def test_an_input_of_several_kinds_is_executed_with_each_of_them(harness: Harness, mode: str) -> None:
    plugin = TakingPlugin(eventbus_client=harness.client())
    nothing = [Output.no_output()]
    core = Core(
        eventbus_client=harness.client(),
        operation_requirements={
            "take": OperationRequirement(Constraint(minimum=1, inputs=[Input.string()], outputs=nothing)),
            "take_anything": OperationRequirement(Constraint(minimum=1, inputs=[Input.undefined()], outputs=nothing)),
        },
    )
    await harness.start(plugin, core)
    await harness.compliant(core)
    several: list[Any] = [PAYLOADS["string"], PAYLOADS["own"], None]
    options: dict[str, Any] = {mode: True}
    for payload in several:
        await core.execute("take", payload, **options)
    await core.execute("take", several, **options)
    await harness.idle()
    assert plugin.taken == several * 2
    for payload in (1, 0.5, Int32Message(value=1)):
        with pytest.raises(NoConnectionError, match="none whose input accepts"):
            await core.execute("take", payload, **options)
    plugin.taken.clear()
    for payload in PAYLOADS.values():
        await core.execute("take_anything", payload, **options)
    await harness.idle()
    assert plugin.taken == list(PAYLOADS.values())


async def test_what_stands_for_a_message_travels_without_ceremony(harness: Harness) -> None:
    plugin = TakingPlugin(eventbus_client=harness.client())
    need = OperationRequirement(Constraint(minimum=1, inputs=[Input.undefined()], outputs=[Output.no_output()]))
    core = Core(eventbus_client=harness.client(), operation_requirements={"take_anything": need})
    await harness.start(plugin, core)
    await harness.compliant(core)
    await core.execute("take_anything", ["x", 1, 0.5, b"\x00", None], any=True)
    await core.execute("take_anything", b"bytes are one message", any=True)
    await harness.idle()
    assert plugin.taken == [
        StringMessage(value="x"),
        Int64Message(value=1),
        Float64Message(value=0.5),
        BytesMessage(value=b"\x00"),
        None,
        BytesMessage(value=b"bytes are one message"),
    ]
