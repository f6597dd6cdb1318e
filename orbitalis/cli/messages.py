"""Messages made of JSON, and JSON made of messages, by schemas of which there is no class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import new_class
from typing import Any, ClassVar, Self, cast

from orbitalis.cli.avro_json import JsonCodec
from orbitalis.cli.showing import as_json
from orbitalis.message.payload import PROTOCOL_MESSAGES, class_of_schema, kind_of
from orbitalis.message.registry import UserMessage
from orbitalis.message.schema import is_schema, schema_fingerprint
from orbitalis.message.schema_difference import shortened
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.schemas import SCHEMA_BY_MESSAGE_TYPE

__all__ = ["JsonMessage", "class_for", "json_of", "message_of"]


@dataclass(frozen=True, slots=True)
class _Form:
    """How the messages of a class are written and read."""

    schema: str
    codec: JsonCodec
    fingerprint: str


@dataclass(frozen=True)
class JsonMessage(UserMessage):
    """A message of a schema that somebody else has: what JSON has for it. :func:`class_for` makes the classes."""

    value: object
    _form: ClassVar[_Form | None] = None

    def __init_subclass__(cls, *, form: _Form, **arguments: object) -> None:
        """Take the schema, by which the class is found when such a message comes."""
        cls._form = form
        super().__init_subclass__(**arguments)

    @classmethod
    def message_type(cls) -> str:
        """Return the record name; nothing for this class itself, which is none of a message."""
        return "" if cls._form is None else cls._form.codec.name

    @classmethod
    def avro_schema(cls) -> str:
        """Return the Avro schema as JSON text."""
        return cls._known().schema

    @classmethod
    def schema_fingerprint(cls) -> str:
        """Return the fingerprint of the schema."""
        return cls._known().fingerprint

    def encode(self) -> bytes:
        """Return the message as bare Avro binary; raises :class:`~orbitalis_avro.errors.EncodeError`."""
        return self._known().codec.encode(self.value)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a message from bare Avro binary; raises :class:`~orbitalis_avro.errors.DecodeError`."""
        return cls(cls._known().codec.decode(data))

    @classmethod
    def _known(cls) -> _Form:
        if cls._form is None:
            raise TypeError("JsonMessage itself has no schema: class_for() makes classes that have one")
        return cls._form


@cache
def class_for(schema: str) -> type[Any]:
    """Return the class of messages with a schema, given as JSON text; from now on such messages can be received.

    Raises:
        ValueError: It is no schema.
    """
    if not is_schema(schema):
        raise ValueError(f"{shortened(schema)} is no schema of Avro that can be read")
    codec, fingerprint = JsonCodec(schema), schema_fingerprint(schema)
    if codec.name in SCHEMA_BY_MESSAGE_TYPE:
        known = class_of_schema(codec.name, fingerprint, schema)
        if known is not None and known not in PROTOCOL_MESSAGES:
            return known
        raise ValueError(f"{codec.name} is the name of a message of the protocol, which has another schema")
    form = _Form(schema, codec, fingerprint)
    return new_class(codec.name, (JsonMessage,), {"form": form})


def message_of(schema: str, value: object) -> object:
    """Return the message of a schema that JSON stands for; plain values stand for themselves.

    Raises:
        EncodeError: It does not fit the schema; the error names the field.
        ValueError: It is no schema.
    """
    message_class = class_for(schema)
    codec = JsonCodec(schema)
    if issubclass(message_class, JsonMessage):
        codec.encode(value)
        message: object = message_class(value)
        return message
    from orbitalis_wire.codecs import CODEC_BY_CLASS

    is_object = isinstance(value, dict)
    content = cast("dict[str, object]", value) if is_object else {"value": value}
    try:
        data = codec.encode(content)
    except EncodeError as error:
        raise EncodeError(codec.name, error.path if is_object else "", error.reason) from None
    found: object = CODEC_BY_CLASS[message_class].decode_payload("avro", data, schema_fingerprint(schema))
    return found


def json_of(payload: object | None) -> Any:
    """Return what JSON has for the payload of an event; for one that cannot be read, what it is called."""
    if isinstance(payload, JsonMessage):
        return payload.value
    content: object = as_json(payload)
    if isinstance(content, dict):
        named = cast("dict[str, object]", content)
        return named["value"] if named.keys() == {"value"} else named
    return content if payload is None else kind_of(payload)
