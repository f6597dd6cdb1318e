"""Messages that users define, as dataclasses whose Avro schema follows from the annotations.

Importing this module takes 200 ms, which programs without messages of their own need not spend.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeAlias, Union, cast, get_origin, get_type_hints

from dataclasses_avroschema import AvroModel
from dataclasses_avroschema.dacite_config import generate_dacite_config
from dataclasses_avroschema.parser import Parser
from dataclasses_avroschema.serialization import deserialize_from_context

# Here and below: fastavro and dataclasses-avroschema do not say what is in the containers that they take and give.
from fastavro import schemaless_reader, schemaless_writer  # pyright: ignore[reportUnknownVariableType]
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form
from fastavro.types import Schema
from fastavro.validation import ValidationError, validate

from orbitalis.message.building import Build, builder_of
from orbitalis.message.registry import UserMessage
from orbitalis_avro.errors import DecodeError, EncodeError

__all__ = ["AvroMessageMixin"]

_AS_WRITTEN: Final = frozenset({bool, int, float, str, bytes, NoneType})
"""Types of values that fastavro takes as they are."""
_LARGE_BYTES: Final = 16_384
"""Length from which on a message is read in a way that lets other threads run, which takes a little longer."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class _Derived:
    """What is derived from a class once, when it is first needed."""

    schema: str
    parsed: Schema
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Given:
    """A schema that a class brings along."""

    schema: str
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
            parse_schema(record, named_schemas={})
            name, fields = record["name"], record["fields"]
        except Exception as error:  # fastavro raises all kinds of errors
            raise ValueError(
                f"message {owner} needs the Avro schema of a record, which {origin} is not: "
                f"{type(error).__name__}: {error}"
            ) from error
        return _Given(schema, name.rpartition(".")[2], frozenset(field["name"] for field in fields))

    def check_fields(self, owner: str, names: frozenset[str]) -> None:
        """Raise :class:`TypeError` unless a class has these fields."""
        if names != self.fields:
            missing, unknown = sorted(self.fields - names), sorted(names - self.fields)
            raise TypeError(
                f"message {owner} does not have the fields of the schema that it brings along: "
                f"missing {missing}, not in the schema {unknown}"
            )


class AvroMessageMixin(AvroModel, UserMessage):
    """Base of users' messages: a dataclass that derives from it can be published, and is received as what it is.

        @dataclass(frozen=True)
        class StatusMessage(AvroMessageMixin):
            lamp_identifier: str
            status: str

    The record is named like the class, or as `schema_name` of an inner class `Meta` says. A message that contains
    another one of its own class is not supported.

    Whoever has an Avro schema already brings it along, as the path of a file or as JSON text. The annotations say what
    its fields are in Python, and the schema says all about the wire, the record's name included:

        @dataclass(frozen=True)
        class StatusMessage(AvroMessageMixin, schema=Path(__file__).with_name("StatusMessage.avsc")):
            ...
    """

    _derived: ClassVar[dict[type, _Derived]] = {}
    _builders: ClassVar[dict[type, Build]] = {}
    _field_names: ClassVar[dict[type, Sequence[str]]] = {}
    _union_fields: ClassVar[dict[type, frozenset[str]]] = {}
    """By class: fields of which a record says what it is."""
    _given: ClassVar[_Given | None] = None

    if TYPE_CHECKING:  # the subclasses are dataclasses
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, *, schema: str | Path | None = None, **arguments: object) -> None:
        """Take the schema that the class brings along.

        Raises:
            ValueError: It is no Avro schema of a record.
            OSError: Its file cannot be read.
        """
        if schema is not None:
            cls._given = _Given.read(cls.__qualname__, schema)
        super().__init_subclass__(**arguments)

    @classmethod
    def message_type(cls) -> str:
        """Return the record name, which is what the envelope carries."""
        if cls._given is not None:
            return cls._given.name
        name = getattr(getattr(cls, "Meta", cls), "schema_name", None)
        return name if isinstance(name, str) else cls.__name__

    @classmethod
    def avro_schema(cls, case_type: str | None = None, **arguments: object) -> str:
        """Return the Avro schema as JSON text; the arguments are those of dataclasses-avroschema.

        Raises:
            TypeError: The class contains itself, or an array of items that take no bytes, or does not have the fields
                of the schema that it brings along.
        """
        if case_type is None and not arguments:
            return cls._derive().schema
        return super().avro_schema(case_type, **arguments)  # pyright: ignore[reportUnknownMemberType]

    @classmethod
    def schema_fingerprint(cls) -> str:
        """Return the CRC-64-AVRO of the canonical form: 16 hexadecimal digits, least significant byte first."""
        return cls._derive().fingerprint

    def encode(self) -> bytes:
        """Return the message as bare Avro binary.

        Raises:
            EncodeError: A field holds what its type does not admit.
        """
        schema = self._derive().parsed
        stream = io.BytesIO()
        try:
            values = self.asdict()
            # The writer alone lets 1.7 pass as an integer.
            validate(values, schema)
            schemaless_writer(stream, schema, values)
        except ValidationError as error:
            first = cast(Any, error.errors[0])  # pyright: ignore[reportUnknownMemberType]
            path: str = first.field.removeprefix(f"{self.message_type()}.")
            reason = f"expected {json.dumps(first.schema)}, got {first.datum!r}"
            raise EncodeError(type(self).__name__, path, reason) from error
        except Exception as error:  # whatever the libraries raise means that the values do not fit
            raise EncodeError(type(self).__name__, "", f"{type(error).__name__}: {error}") from error
        return stream.getvalue()

    def asdict(self) -> dict[str, Any]:
        """Return the values of the fields in the way in which fastavro takes them."""
        # As dataclasses-avroschema does, which evaluates all annotations anew for each record that is in another one.
        cls = type(self)
        names = self._field_names.get(cls)
        if names is None:
            names = self._field_names[cls] = tuple(field.name for field in dataclasses.fields(self))
        values: dict[str, Any] = {}
        for name in names:
            value = getattr(self, name)
            if type(value) in _AS_WRITTEN:
                values[name] = value
            elif isinstance(value, AvroModel) and name in self._fields_with_unions():
                values[name] = value.get_fullname(), value.asdict()
            else:
                values[name] = _written(value)
        return values

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a message from bare Avro binary.

        Raises:
            DecodeError: The data is no such message, or is followed by something else.
        """
        schema = cls._derive().parsed
        stream = io.BytesIO(data) if len(data) < _LARGE_BYTES else _InterruptibleStream(data)
        try:
            values = schemaless_reader(stream, schema, None, return_record_name=True, return_record_name_override=True)
            message = cls.parse_obj(deserialize_from_context(data=values, context=cls._get_serialization_context()))
        except Exception as error:  # a stranger's bytes make the libraries raise all kinds of errors
            raise DecodeError(cls.__name__, "", f"{type(error).__name__}: {error}") from error
        if stream.tell() != len(data):
            raise DecodeError(cls.__name__, "", f"{len(data) - stream.tell()} bytes follow its end")
        return message

    @classmethod
    def parse_obj(cls, data: Mapping[str, Any]) -> Self:
        """Make a message of the values of its fields."""
        if hasattr(getattr(cls, "Meta", None), "dacite_config"):
            return super().parse_obj(dict(data))  # pyright: ignore[reportUnknownMemberType]
        build = cls._builders.get(cls)
        if build is None:
            build = cls._builders[cls] = builder_of(cls, generate_dacite_config(cls))
        message: Self = build(data)
        return message

    @classmethod
    def _generate_parser(cls) -> Parser:
        # Where annotations are postponed they are text still, which dataclasses-avroschema does not read.
        try:
            annotations = get_type_hints(cls, include_extras=True)
        except NameError as error:
            raise TypeError(
                f"the annotations of message {cls.__qualname__} cannot be resolved: {error}; "
                "define what they name at the top level of a module, and import it there at run time"
            ) from error
        for field in dataclasses.fields(cls):
            field.type = annotations[field.name]
        return super()._generate_parser()

    @classmethod
    def _fields_with_unions(cls) -> frozenset[str]:
        found = cls._union_fields.get(cls)
        if found is None:
            hints = get_type_hints(cls)
            found = frozenset(name for name, hint in hints.items() if get_origin(hint) in (Union, UnionType))
            cls._union_fields[cls] = found
        return found

    @classmethod
    def _derive(cls) -> _Derived:
        derived = cls._derived.get(cls)
        if derived is None:
            if cls._given is None:
                schema = super().avro_schema()  # pyright: ignore[reportUnknownMemberType]
            else:
                names = frozenset(field.name for field in dataclasses.fields(cls))
                cls._given.check_fields(cls.__qualname__, names)
                schema = cls._given.schema
            _SafetyCheck(cls).smallest(json.loads(schema))
            parsed = parse_schema(json.loads(schema), named_schemas={})
            derived = _Derived(schema, parsed, fingerprint(to_parsing_canonical_form(parsed), "CRC-64-AVRO"))
            cls._derived[cls] = derived
        return derived


def _written(value: Any) -> Any:
    """Return a value in the way in which fastavro takes it."""
    if isinstance(value, dict):
        pairs = cast("Mapping[Any, Any]", value)
        return {key: one if type(one) in _AS_WRITTEN else _written(one) for key, one in pairs.items()}
    if isinstance(value, list):
        items = cast("Iterable[Any]", value)
        return [one if type(one) in _AS_WRITTEN else _written(one) for one in items]
    if isinstance(value, tuple):
        return tuple(map(_written, cast("Iterable[Any]", value)))
    if isinstance(value, Enum):
        return value.value
    return value.asdict() if isinstance(value, AvroModel) else value


class _InterruptibleStream(io.BytesIO):
    """Lets other threads run while fastavro reads, which would not let go of the interpreter before the end."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read in Python: where a function begins, the interpreter changes threads when it is time."""
        return super().read(size)


class _SafetyCheck:
    """Refuses schemas with which a few bytes from a stranger would crash the decoder or fill the memory."""

    def __init__(self, message_class: type) -> None:
        self._message_class = message_class
        self._sizes: dict[str, int | None] = {}
        """Smallest size of the records seen, by name; `None` while inside one."""

    def smallest(self, schema: Json) -> int:
        """Return the least number of bytes that a value takes; exact only where it is 0."""
        match schema:
            case "null":
                return 0
            case str(name):
                size = self._sizes.get(name.rpartition(".")[2], 1)
                if size is None:
                    raise TypeError(
                        f"{self._message_class.__qualname__} cannot be a message: {name} contains itself, "
                        "and a stranger could nest it deep enough to crash the decoder"
                    )
                return size
            case list(branches):
                for branch in branches:
                    self.smallest(branch)
                return 1
            case {"type": "record", "name": str(name), "fields": list(fields)}:
                self._sizes[name] = None
                self._sizes[name] = sum(self.smallest(field) for field in fields)
                return self._sizes[name] or 0
            case {"type": "array", "items": items}:
                if self.smallest(items) == 0:
                    raise TypeError(
                        f"{self._message_class.__qualname__} cannot be a message: items of an array take no bytes, "
                        "and a stranger could claim any number of them"
                    )
                return 1
            case {"type": "map", "values": values}:
                self.smallest(values)
                return 1
            case {"type": "fixed", "size": int(size)}:
                return size
            case {"type": inner}:
                return self.smallest(inner)
            case _:
                return 1
