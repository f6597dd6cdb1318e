"""Payload types: which message a value becomes, and what a handler gets for one."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from orbitalis import AvroMessageMixin
from orbitalis.message.payload_types import PayloadTypes
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.messages import (
    BytesMessage,
    Float32Message,
    Float64Message,
    Int32Message,
    Int64Message,
    StringMessage,
)


class Word(StrEnum):
    """A text."""

    YES = "yes"


class Number(IntEnum):
    """A whole number."""

    ONE = 1


@dataclass(frozen=True)
class TypedMessage(AvroMessageMixin):
    """A user's."""

    value: str = ""


MESSAGES = [
    (str, "x", StringMessage(value="x")),
    (str, Word.YES, StringMessage(value="yes")),
    (str, StringMessage(value="x"), StringMessage(value="x")),
    (StringMessage, "x", StringMessage(value="x")),
    (str | None, None, None),
    (None, None, None),
    (int, 1, Int64Message(value=1)),
    (int, Number.ONE, Int64Message(value=1)),
    (int | float, 1, Int64Message(value=1)),
    (float, 1, Float64Message(value=1.0)),
    (float | str, 1.5, Float64Message(value=1.5)),
    (bytes, b"x", BytesMessage(value=b"x")),
    (Int32Message, Int32Message(value=1), Int32Message(value=1)),
    (TypedMessage | str, TypedMessage("x"), TypedMessage("x")),
]


@pytest.mark.parametrize(("annotation", "value", "message"), MESSAGES, ids=str)
def test_a_value_becomes_the_message_that_its_type_stands_for(annotation: Any, value: object, message: object) -> None:
    types = PayloadTypes.of_annotation(annotation)

    assert types.message(value) == message
    assert type(types.message(value)) is type(message)


@pytest.mark.parametrize(
    ("annotation", "value", "given"),
    [
        (str, None, "None"),
        (str, 1, "an int"),
        (int, 1.0, "a float"),
        (int, Int32Message(value=1), "an Int32Message"),
        (TypedMessage, "x", "a str"),
        (TypedMessage, StringMessage(value="x"), "a StringMessage"),
        (None, "x", "a str"),
        (float, Number.ONE, "a Number"),
    ],
    ids=str,
)
def test_another_value_is_refused(annotation: Any, value: object, given: str) -> None:
    types = PayloadTypes.of_annotation(annotation)

    with pytest.raises(TypeError, match=f"^expected {types}, got {given}$".replace("|", r"\|")):
        types.message(value)


def test_what_stands_for_no_message_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^expected int, got a bool$"):
        PayloadTypes.of_annotation(int).message(True)
    with pytest.raises(TypeError, match=r"^expected str \| bytes, got a dict$"):
        PayloadTypes.of_annotation(str | bytes).message({})


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (int, 2**63, "Int64Message.value: expected an integer of 64 bits, got one of 65 bits"),
        (int, -(2**63) - 1, "Int64Message.value: expected an integer of 64 bits, got one of 65 bits"),
        (float, 10**400, "Float64Message.value: expected a number of double precision, got a larger one"),
    ],
    ids=["above", "below", "far"],
)
def test_a_number_that_is_too_large_is_refused_as_in_a_message(annotation: Any, value: int, message: str) -> None:
    with pytest.raises(EncodeError, match=f"cannot encode {message}"):
        PayloadTypes.of_annotation(annotation).message(value)


@pytest.mark.parametrize(
    ("annotation", "payload", "gets"),
    [
        (str, StringMessage(value="x"), "x"),
        (int | str, Int64Message(value=1), 1),
        (float, Float64Message(value=1.5), 1.5),
        (bytes | None, BytesMessage(value=b"x"), b"x"),
        (str | None, None, None),
        (StringMessage, StringMessage(value="x"), StringMessage(value="x")),
        (int | StringMessage, StringMessage(value="x"), StringMessage(value="x")),
        (Float32Message | float, Float32Message(value=1.5), Float32Message(value=1.5)),
        (TypedMessage | str, TypedMessage("x"), TypedMessage("x")),
    ],
    ids=str,
)
def test_a_handler_gets_the_bare_value_where_that_is_the_type(annotation: Any, payload: object, gets: object) -> None:
    assert PayloadTypes.of_annotation(annotation).unwrap(payload) == gets


def test_a_message_of_another_class_with_the_same_schema_is_given_as_the_class_that_is_declared() -> None:
    first, second, other = (
        make_dataclass(name, [("value", int)], bases=(AvroMessageMixin,)) for name in ("Same", "Same", "Other")
    )
    types = PayloadTypes.of_annotation(second | str | None)
    assert types.unwrap(first(5)) == second(5)
    given = second(5)
    assert types.unwrap(given) is given
    stranger = other(5)
    assert types.unwrap(stranger) is stranger
    assert types.unwrap(None) is None


def test_a_message_of_a_class_that_was_defined_anew_with_another_schema_is_told_apart() -> None:
    before: Any = make_dataclass("Level", [("value", int)], bases=(AvroMessageMixin,))
    after: Any = make_dataclass("Level", [("value", str)], bases=(AvroMessageMixin,))
    with pytest.raises(TypeError, match=r"^expected Level, got a Level of another class of that name"):
        PayloadTypes.of_annotation(before).message(after("x"))
