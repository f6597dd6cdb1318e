"""Messages that users define: dataclasses whose Avro schema follows from the annotations.

Importing this module takes long, so programs without their own messages do not import it.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from orbitalis.annotations import own_annotations
from orbitalis.message.codec import Codec, compile_codec
from orbitalis.message.derivation import check_field_types, read_record
from orbitalis.message.registry import UserMessage
from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of

__all__ = ["AvroMessageMixin"]


@dataclass(frozen=True, slots=True)
class _Derived:
    """Schema and codec of a class, derived once, when they are first needed."""

    schema: str
    fingerprint: str
    codec: Codec


@dataclass(frozen=True, slots=True)
class _Given:
    """A schema that the author of a class has given."""

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
    """The base of users' messages. A dataclass that derives from it can be published, and arrives as the same class.

        @dataclass(frozen=True)
        class StatusMessage(AvroMessageMixin):
            lamp_identifier: str
            status: str

    The record has the name of the class, or the `schema_name` of an inner class `Meta`. A table in
    `docs/reference/messages.md` lists the types of fields and their Avro types. A value arrives unchanged, or encoding
    raises an error.

    If you have an Avro schema already, give it as the path of a file or as JSON text. The annotations then say the
    types of the fields in Python, and the schema says everything about the wire, including the name of the record:

        @dataclass(frozen=True)
        class StatusMessage(AvroMessageMixin, schema=Path(__file__).with_name("StatusMessage.avsc")):
            ...
    """

    _given: ClassVar[_Given | None] = None

    if TYPE_CHECKING:  # the subclasses are dataclasses
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, *, schema: str | Path | None = None, **arguments: object) -> None:
        """Read the given schema, and check the annotations that can be resolved already.

        Raises:
            TypeError: A field cannot be sent, or has the name of a method of messages.
            ValueError: The given schema is not an Avro schema of a record.
            OSError: The file of the schema cannot be read.
        """
        _check_names(cls)
        if schema is not None:
            cls._given = _Given.read(cls.__qualname__, schema)
        check_field_types(cls)
        super().__init_subclass__(**arguments)

    @classmethod
    def message_type(cls) -> str:
        """Return the name of the record, as in the envelope."""
        if cls._given is not None:
            return cls._given.name
        name = getattr(getattr(cls, "Meta", cls), "schema_name", None)
        return name if isinstance(name, str) else cls.__name__

    @classmethod
    def avro_schema(cls) -> str:
        """Return the Avro schema as JSON text.

        Raises:
            TypeError: A field cannot be sent, or the fields of the class are not those of the given schema.
        """
        return (_derived.get(cls) or _derive(cls)).schema

    @classmethod
    def schema_fingerprint(cls) -> str:
        """Return the CRC-64-AVRO of the canonical form: 16 hexadecimal digits, least significant byte first."""
        return (_derived.get(cls) or _derive(cls)).fingerprint

    def encode(self) -> bytes:
        """Return the message as bare Avro binary.

        Raises:
            EncodeError: The value of a field does not fit its type, or would arrive as another value.
        """
        cls = self.__class__
        return (_derived.get(cls) or _derive(cls)).codec.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a message from bare Avro binary.

        Raises:
            DecodeError: The data is not such a message, or more data follows.
        """
        message: Self = (_derived.get(cls) or _derive(cls)).codec.decode(data)
        return message

    def as_received(self) -> Self:
        """Return a copy, as a receiver over a broker would get it. If no value can change, return the message itself.

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
            taken = sorted(_METHODS & own_annotations(base).keys())
            if taken:
                raise TypeError(
                    f"field {taken[0]!r} of message {message_class.__qualname__} has the name of a method of all "
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
