"""Messages that users define, as dataclasses whose Avro schema follows from the annotations.

Importing this module takes a while, which programs without messages of their own need not spend.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from orbitalis.message.codec import Codec, compile_codec
from orbitalis.message.derivation import check_field_types, read_record
from orbitalis.message.registry import UserMessage
from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of

__all__ = ["AvroMessageMixin"]


@dataclass(frozen=True, slots=True)
class _Derived:
    """What is derived from a class once, when it is first needed."""

    schema: str
    fingerprint: str
    codec: Codec


@dataclass(frozen=True, slots=True)
class _Given:
    """A schema that a class brings along."""

    schema: str
    record: Any
    """The same, as JSON."""
    name: str
    """Of the record, without its namespace."""
    fields: frozenset[str]

    @staticmethod
    def read(owner: str, source: str | Path) -> _Given:
        """Read a schema from a file, or take the text of one."""
        schema = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        origin = f"'{source}'" if isinstance(source, Path) else "the text"
        try:
            record = json.loads(schema)
            canonical_form_of(record)
            name, fields = record["name"], record["fields"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(
                f"message {owner} needs the Avro schema of a record, which {origin} is not: "
                f"{type(error).__name__}: {error}"
            ) from error
        return _Given(schema, record, name.rpartition(".")[2], frozenset(field["name"] for field in fields))

    def check_fields(self, owner: str, names: frozenset[str]) -> None:
        """Raise :class:`TypeError` unless a class has these fields."""
        if names != self.fields:
            missing, unknown = sorted(self.fields - names), sorted(names - self.fields)
            raise TypeError(
                f"message {owner} does not have the fields of the schema that it brings along: "
                f"missing {missing}, not in the schema {unknown}"
            )


_derived: Final[dict[type, _Derived]] = {}


class AvroMessageMixin(UserMessage):
    """Base of users' messages: a dataclass that derives from it can be published, and is received as what it is.

        @dataclass(frozen=True)
        class StatusMessage(AvroMessageMixin):
            lamp_identifier: str
            status: str

    The record is named like the class, or as `schema_name` of an inner class `Meta` says. Which types fields can have,
    and as what they travel, is a table in `docs/reference/messages.md`: a value arrives as it was, or encoding raises.

    Who has an Avro schema already brings it along, as the path of a file or as JSON text. The annotations say what
    its fields are in Python, and the schema says all about the wire, the record's name included:

        @dataclass(frozen=True)
        class StatusMessage(AvroMessageMixin, schema=Path(__file__).with_name("StatusMessage.avsc")):
            ...
    """

    _given: ClassVar[_Given | None] = None

    if TYPE_CHECKING:  # the subclasses are dataclasses
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, *, schema: str | Path | None = None, **arguments: object) -> None:
        """Take the schema that the class brings along, and check the annotations that can be resolved already.

        Raises:
            TypeError: A field cannot be sent, or is called like a method of messages.
            ValueError: What the class brings along is no Avro schema of a record.
            OSError: Its file cannot be read.
        """
        _check_names(cls)
        if schema is not None:
            cls._given = _Given.read(cls.__qualname__, schema)
        check_field_types(cls)
        super().__init_subclass__(**arguments)

    @classmethod
    def message_type(cls) -> str:
        """Return the record name, which is what the envelope carries."""
        if cls._given is not None:
            return cls._given.name
        name = getattr(getattr(cls, "Meta", cls), "schema_name", None)
        return name if isinstance(name, str) else cls.__name__

    @classmethod
    def avro_schema(cls) -> str:
        """Return the Avro schema as JSON text.

        Raises:
            TypeError: A field cannot be sent, or the class does not have the fields of the schema that it brings along.
        """
        return (_derived.get(cls) or _derive(cls)).schema

    @classmethod
    def schema_fingerprint(cls) -> str:
        """Return the CRC-64-AVRO of the canonical form: 16 hexadecimal digits, least significant byte first."""
        return (_derived.get(cls) or _derive(cls)).fingerprint

    def encode(self) -> bytes:
        """Return the message as bare Avro binary.

        Raises:
            EncodeError: A field holds what its type does not admit, or what would arrive as something else.
        """
        cls = self.__class__
        return (_derived.get(cls) or _derive(cls)).codec.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a message from bare Avro binary.

        Raises:
            DecodeError: The data is no such message, or is followed by something else.
        """
        message: Self = (_derived.get(cls) or _derive(cls)).codec.decode(data)
        return message

    def as_received(self) -> Self:
        """Return what a receiver over a broker would get: the message itself if nothing in it can change.

        Raises:
            EncodeError: As :meth:`encode`.
        """
        cls = self.__class__
        message: Self = (_derived.get(cls) or _derive(cls)).codec.copy(self)
        return message


_METHODS: Final = {name for name in vars(UserMessage) if not name.startswith("_")} | {"_given"}


def _check_names(message_class: type[AvroMessageMixin]) -> None:
    """Raise unless the methods of messages are what they are: a field of such a name would take their place."""
    for base in message_class.__mro__:
        if not issubclass(UserMessage, base) and base is not AvroMessageMixin:
            taken = sorted(_METHODS & set(vars(base).get("__annotations__", ())))
            if taken:
                raise TypeError(
                    f"field {taken[0]!r} of message {message_class.__qualname__} is called like a method of all "
                    "messages: choose another name"
                )


def _derive(message_class: type[AvroMessageMixin]) -> _Derived:
    tree = read_record(message_class)
    given = message_class._given  # pyright: ignore[reportPrivateUsage] (of this module)
    if given is None:
        record = tree.avro
        schema = json.dumps(record)
    else:
        given.check_fields(message_class.__qualname__, frozenset(member.name for member in tree.members))
        record, schema = given.record, given.schema
    canonical_form = canonical_form_of(record)
    derived = _Derived(schema, fingerprint_of(canonical_form), compile_codec(tree, record))
    _derived[message_class] = derived
    return derived
