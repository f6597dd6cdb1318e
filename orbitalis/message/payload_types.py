"""Payload types: what the annotation of a handler, or `input=str`, says about the payloads that it stands for."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

from orbitalis.message.payload import MESSAGE_OF_VALUE, schema_of, with_article, wrap
from orbitalis.message.registry import UserMessage
from orbitalis.message.schema import Input, Output, canonical_form
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.messages import BytesMessage, Float64Message, Int64Message, StringMessage
from orbitalis_wire.schemas import SCHEMA_BY_CLASS

__all__ = ["PayloadTypes"]

_FIX: Final = (
    "use a message class (a dataclass that derives from AvroMessageMixin, or a generated one), str, int, float, bytes, "
    "or a union of them"
)


@dataclass(frozen=True)
class PayloadTypes:
    """A set of payloads by their Python types: message classes, and bare values for the primitive messages.

    Raises:
        TypeError: One of the types is no payload, or two of them are the same on the wire.
    """

    types: tuple[type, ...]
    """What there may be, without `None`."""
    optional: bool
    """Whether there may be nothing: `None`, which is an empty event."""

    def __post_init__(self) -> None:
        seen: dict[str, type] = {}
        for one in self.types:
            _check(one)
            schema = canonical_form(schema_of(_message_class(one)))
            if schema in seen:
                raise TypeError(
                    f"{seen[schema].__name__} and {one.__name__} are the same payload on the wire: name one of them"
                )
            seen[schema] = one

    @classmethod
    def of_annotation(cls, annotation: object) -> Self:
        """Read what stands at a parameter or behind the arrow: a type, `None`, or a union."""
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            return cls.of_list(typing.get_args(annotation))
        return cls.of_list([annotation])

    @classmethod
    def of_list(cls, members: Iterable[object]) -> Self:
        """Read the members of a union, `None` being one."""
        given = list(members)
        found: list[Any] = [one for one in given if one is not None and one is not type(None)]
        return cls(tuple(found), optional=len(found) < len(given) or not found)

    @property
    def is_empty(self) -> bool:
        """Whether there is never a payload."""
        return not self.types

    def to_input(self) -> Input:
        """Return the input that accepts these payloads; without any, empty events."""
        return Input(schemas=self._schemas, support_empty_schema=self.optional)

    def to_output(self) -> Output:
        """Return the output that these results make: of no result nothing is sent, so it is not part of it."""
        return Output(schemas=self._schemas)

    def unwrap(self, payload: object | None) -> object | None:
        """Return what a handler gets for the payload of an event: the bare value where that is the type."""
        match payload:
            # The classes of MESSAGE_OF_VALUE: written out, they cost no call, and this is done for every input.
            case StringMessage() | Int64Message() | Float64Message() | BytesMessage() if type(payload) in self._bare:
                return payload.value
            case UserMessage() if type(payload) not in self._messages:
                return self.declared(payload)
            case _:
                return payload

    @cached_property
    def message_classes(self) -> frozenset[type]:
        """The classes of the messages that these payloads are."""
        return frozenset(self._messages)

    def declared(self, payload: object | None) -> object | None:
        """Return a message as the class that is declared, where another one of the same name and schema came.

        The wire does not tell such classes apart. What is no such message is returned as it is.

        Raises:
            DecodeError: The class that is declared refuses it.
        """
        if not isinstance(payload, UserMessage):
            return payload
        declared = self._forms.get(canonical_form(payload.avro_schema()))
        if declared is None or not issubclass(declared, UserMessage):
            return payload
        return declared.decode(payload.encode())

    def message(self, value: object | None) -> object | None:
        """Return the message to be sent for a value, or `None` if nothing is.

        An `int` is a `float` where that is the only number, as it is for type checkers.

        Raises:
            TypeError: It is of another type.
            EncodeError: It is an integer of more than 64 bits, or one that is too large for a float.
        """
        given = type(value)
        if given in self._messages:
            return value
        if given in self._wrappers:
            return self._wrappers[given](value=value)
        if type(value) is int and float in self.types and int not in self.types:
            try:
                return self.message(float(value))
            except OverflowError:
                reason = "expected a number of double precision, got a larger one"
                raise EncodeError("Float64Message", "value", reason) from None
        try:
            message = wrap(value)
        except TypeError:  # which would name all that can be published
            fits, message = False, None
        else:
            if message is None:
                fits = self.optional
            else:
                fits = type(message) in self._messages or canonical_form(schema_of(type(message))) in self._forms
        if not fits:
            is_namesake = given.__name__ in (one.__name__ for one in self.types)
            other = " of another class of that name, which has another schema" if is_namesake else ""
            got = "None" if value is None else f"{with_article(given.__qualname__)}{other}"
            raise TypeError(f"expected {self}, got {got}")
        return message

    def covers(self, other: PayloadTypes) -> bool:
        """Return whether everything that `other` may be may be here, as type checkers see it: an `int` is a `float`."""
        mine = (*self.types, int) if float in self.types else self.types
        return (self.optional or not other.optional) and all(issubclass(one, mine) for one in other.types)

    def __str__(self) -> str:
        """Show the annotation."""
        names = [one.__name__ for one in self.types]
        return " | ".join([*names, "None"] if self.optional else names)

    @cached_property
    def _messages(self) -> Mapping[type, type]:
        return {_message_class(one): one for one in self.types}

    @cached_property
    def _bare(self) -> frozenset[type]:
        return frozenset(message for message, one in self._messages.items() if one is not message)

    @cached_property
    def _wrappers(self) -> Mapping[type, Callable[..., object]]:
        """Messages by the bare values that they stand for, which fit for sure: an `int` may be too large."""
        return {one: made for one, made in MESSAGE_OF_VALUE.items() if one is not int and made in self._messages}

    @cached_property
    def _schemas(self) -> tuple[str, ...]:
        return tuple(schema_of(message) for message in self._messages)

    @cached_property
    def _forms(self) -> Mapping[str, type]:
        """Message classes by the canonical forms of their schemas."""
        return {canonical_form(schema_of(message)): message for message in self._messages}


def _message_class(one: type) -> type:
    return MESSAGE_OF_VALUE.get(one, one)


def _check(one: object) -> None:
    """Raise unless a type is a payload."""
    if one in MESSAGE_OF_VALUE or one in SCHEMA_BY_CLASS:
        return
    if isinstance(one, type) and issubclass(one, UserMessage):
        return
    if isinstance(one, str):
        raise TypeError(f"{one!r} is a text, and no type: {_FIX}")
    name = one.__name__ if isinstance(one, type) else str(one).removeprefix("typing.")
    raise TypeError(f"{name} is no payload: {_FIX}")
