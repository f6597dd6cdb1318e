"""Messages of contracts: the generator emits their classes and codecs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from orbitalis.message.registry import UserMessage
from orbitalis_avro.binary import Fault, Guard
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_wire.limits import NESTING_DEPTH

if TYPE_CHECKING:
    from dataclasses import Field

    from orbitalis_avro.resolution.matches import Resolution

__all__ = ["DeclaredError", "GeneratedMessage", "RecordCodec"]

_CODECS: Final = "_codecs"
"""The module with the codecs, beside the one with the messages. It is imported when the first message is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCodec:
    """How the messages of one emitted class are written and read."""

    schema: str
    """The record's schema as JSON text, with every named type that it uses."""
    fingerprint: str
    """CRC-64-AVRO of its canonical form: 16 hexadecimal digits, least significant byte first."""
    write: Callable[..., None]
    """Hands the bytes of a message to a function, part by part."""
    read: Callable[..., tuple[Any, int]]
    """Returns a message and the position after it, given data and position."""
    is_guarded: bool = False
    """Whether `write` and `read` take a guard that bounds how deep records stand in each other."""

    def encode(self, message: object) -> bytes:
        """Return a message as Avro binary; raises :class:`EncodeError`."""
        parts: list[bytes] = []
        try:
            if self.is_guarded:
                self.write(message, parts.append, Guard(NESTING_DEPTH))
            else:
                self.write(message, parts.append)
        except Fault as fault:
            raise EncodeError(type(message).__name__, fault.path, fault.reason) from None
        return b"".join(parts)

    def decode(self, name: str, data: bytes) -> Any:
        """Return the message of a class called `name` in Avro binary; raises :class:`DecodeError`."""
        try:
            if self.is_guarded:
                message, position = self.read(data, 0, Guard(NESTING_DEPTH))
            else:
                message, position = self.read(data, 0)
        except Fault as fault:
            raise DecodeError(name, fault.path, fault.reason) from None
        if position != len(data):
            raise DecodeError(name, "", f"{len(data) - position} bytes are left at the end")
        return message


class GeneratedMessage(UserMessage):
    """The base of the messages of a contract. They are frozen dataclasses that can be published.

    You cannot derive from such a message, because a subclass would look the same on the wire.
    """

    _record: ClassVar[str] = ""
    """Full Avro name of the record."""
    _known_codec: ClassVar[RecordCodec | None] = None
    _known_copier: ClassVar[Callable[[Any], Any] | None] = None

    if TYPE_CHECKING:  # the subclasses are dataclasses
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, *, record: str = "", **arguments: object) -> None:
        """Take the full Avro name of the record, by which the codec is found.

        Raises:
            TypeError: The class derives from a message.
        """
        if cls._record:
            raise TypeError(
                f"{cls.__qualname__} derives from {cls.__mro__[1].__qualname__}, a message of a contract: let it have "
                "a message instead"
            )
        cls._record = record
        if record:
            super().__init_subclass__(**arguments)

    @classmethod
    def _codec(cls) -> RecordCodec:
        found = cls._known_codec
        if found is None:
            codecs: Mapping[str, RecordCodec] = _codecs_beside(cls).CODECS
            found = cls._known_codec = codecs[cls._record]
        return found

    @classmethod
    def message_type(cls) -> str:
        """Return the name of the record, as in the envelope."""
        return cls._record.rpartition(".")[2]

    @classmethod
    def avro_schema(cls) -> str:
        """Return the Avro schema as JSON text."""
        return cls._codec().schema

    @classmethod
    def schema_fingerprint(cls) -> str:
        """Return the CRC-64-AVRO of the canonical form: 16 hexadecimal digits, least significant byte first."""
        return cls._codec().fingerprint

    def encode(self) -> bytes:
        """Return the message as bare Avro binary; raises :class:`~orbitalis_avro.errors.EncodeError`."""
        return (self._known_codec or self._codec()).encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a message from bare Avro binary; raises :class:`~orbitalis_avro.errors.DecodeError`."""
        message: Self = (cls._known_codec or cls._codec()).decode(cls.__name__, data)
        return message

    def as_received(self) -> Self:
        """Return a copy, as a receiver over a broker would get it. If no value can change, return the message itself.

        Raises:
            EncodeError: As :meth:`encode`.
        """
        cls = type(self)
        copy: Callable[[Self], Self] = cls._known_copier or cls._copier()
        try:
            return copy(self)
        except EncodeError:
            # The codec forgives some values: they arrive as others.
            return cls.decode(self.encode())

    @classmethod
    def _copier(cls) -> Callable[[Any], Any]:
        # Importing it takes long, and over a broker nothing is copied.
        from orbitalis.message.codec import compile_generated_copier

        classes: Mapping[str, type[Any]] = _codecs_beside(cls).CLASSES
        found = cls._known_copier = compile_generated_copier(classes, cls, cls.avro_schema())
        return found

    @classmethod
    def resolving_reader(cls, resolution: Resolution) -> Callable[[bytes], Self]:
        """Return a function that reads messages of the class that were written with another schema.

        The function raises :class:`~orbitalis_avro.errors.DecodeError`.
        """
        # Importing it takes long, and most messages are read as they are written.
        from orbitalis.message.codec import compile_generated_reader

        classes: Mapping[str, type[Any]] = _codecs_beside(cls).CLASSES
        return compile_generated_reader(classes, cls, cls.avro_schema(), resolution)


class DeclaredError(GeneratedMessage, Exception):
    """The base of the errors that a contract declares. If a plugin's method raises one, the caller gets the same error.

    It is a dataclass like other messages, but not frozen, because Python sets attributes of exceptions.
    """

    def __eq__(self, other: object) -> bool:
        """Compare the fields."""
        return type(other) is type(self) and _values(other) == _values(self)

    def __hash__(self) -> int:
        """Hash the class: the fields may change."""
        return hash(type(self))

    def __str__(self) -> str:
        """Show the fields."""
        return ", ".join(f"{name}={value!r}" for name, value in _values(self).items())

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how it is copied or pickled."""
        return _made_again, (type(self), _values(self))


def _values(error: DeclaredError) -> dict[str, object]:
    return {field.name: getattr(error, field.name) for field in fields(error)}


def _made_again(error_class: type[DeclaredError], values: dict[str, object]) -> DeclaredError:
    return error_class(**values)


def _codecs_beside(message_class: type[object]) -> Any:
    return import_module(f"{message_class.__module__.rpartition('.')[0]}.{_CODECS}")
