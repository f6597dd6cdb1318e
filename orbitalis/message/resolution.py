"""Messages of one schema read as those of another one, by Avro's schema resolution.

    resolve            whether and how one schema is read by another one
    unfamiliar_bytes   what a comparison would have to read that was not done lately
    resolving_reader   what reads the payloads of a schema as messages of a class

Schemas are JSON texts, as everywhere. A stranger may have written them: each comparison is bounded, and remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from orbitalis.message.generated_message import GeneratedMessage
from orbitalis.message.payload import schema_of
from orbitalis.message.registry import UserMessage
from orbitalis.message.schema import canonical_form, is_schema
from orbitalis_avro.resolution.refusal import Refusal
from orbitalis_wire import limits

if TYPE_CHECKING:
    from orbitalis_avro.resolution.matches import Resolution

__all__ = [
    "PayloadReader",
    "resolve",
    "resolving_reader",
    "unfamiliar_bytes",
]

PayloadReader: TypeAlias = Callable[[bytes], object]
"""Returns the message of Avro binary; raises :class:`~orbitalis_avro.errors.DecodeError`."""

K = TypeVar("K")
V = TypeVar("V")
_KEPT: Final = 128
"""Comparisons and readers that are remembered, and as many old ones."""
_KEPT_BYTES: Final = 16 * limits.SCHEMA_BYTES
"""Characters of the writers' schemas in these."""


class _Lately(dict[tuple[str, K], V]):
    """What was worked out last, by a writer's schema and something of the reader.

    Look it up with `[]`. When this is full, what is in it becomes `old`; what was old before is dropped.
    """

    def __init__(self, work_out: Callable[[str, K], V]) -> None:
        super().__init__()
        self.old: dict[tuple[str, K], V] = {}
        self._work_out = work_out
        self._bytes = 0

    def __missing__(self, key: tuple[str, K]) -> V:
        # Other threads may do the same at the same time.
        old = self.old
        found = old[key] if key in old else self._work_out(*key)
        if len(self) >= _KEPT or self._bytes + len(key[0]) > _KEPT_BYTES:
            self.old = dict(self)
            self.clear()
            self._bytes = 0
        self[key] = found
        self._bytes += len(key[0])
        return found


def resolve(writer: str, reader: str) -> Resolution | Refusal:
    """Return how payloads that are written with one schema are read by another one, or what is in the way.

    :func:`~orbitalis.message.schema_difference.refusal_text` tells a refusal to people. Schemas that are the same need
    no resolution, and may do things that this refuses, such as referring to themselves.
    """
    return _comparisons[canonical_form(writer), reader]


def unfamiliar_bytes(writer: str, reader: str) -> int:
    """Return the characters of a writer's schema that :func:`resolve` would have to read: 0 if that was done lately.

    A quota charges them before.
    """
    key = canonical_form(writer), reader
    return 0 if key in _comparisons or key in _comparisons.old else len(key[0])


def resolving_reader(writer: str, message_class: type[Any]) -> PayloadReader:
    """Return what reads payloads written with a schema as messages of a class: a user's or a generated one.

    It is made once, and the last ones are remembered. Payloads are Avro binary, `avro` in the envelope.

    Raises:
        TypeError: The class is no message class.
        ValueError: The schema does not resolve to that of the class.
    """
    return _readers[canonical_form(writer), message_class]


def _make_reader(writer: str, message_class: type[Any]) -> PayloadReader:
    schema = schema_of(message_class)
    if writer == canonical_form(schema):
        return _exact_reader(message_class)
    resolution = resolve(writer, schema)
    if isinstance(resolution, Refusal):
        from orbitalis.message.schema_difference import refusal_text

        raise ValueError(f"{message_class.__qualname__} does not read this schema: {refusal_text(resolution)}")
    if issubclass(message_class, GeneratedMessage):
        return message_class.resolving_reader(resolution)
    # Importing them takes long, and most messages are read as they are written.
    import json

    from orbitalis.message.codec import compile_reader
    from orbitalis.message.derivation import read_record

    return compile_reader(read_record(message_class), json.loads(schema), resolution)


def _exact_reader(message_class: type[Any]) -> PayloadReader:
    if issubclass(message_class, UserMessage):
        return message_class.decode
    from orbitalis_wire.codecs import CODEC_BY_CLASS

    decode: PayloadReader = CODEC_BY_CLASS[message_class].payload_decoders["avro"]
    return decode


def _compare(writer: str, reader: str) -> Resolution | Refusal:
    import json

    from orbitalis_avro.reading import read_schema
    from orbitalis_avro.resolution.comparison import compare

    if not is_schema(writer):
        return Refusal(verb="is none that can be compared", writer="", reader=None)
    if not is_schema(reader):
        return Refusal(verb="is", writer="a schema", reader="none that can be compared")
    schemas: list[object] = [json.loads(writer), json.loads(reader)]
    kinds = [*map(_kind, schemas)]
    if not {*kinds} <= {"record", "error"}:
        return Refusal(verb="is", writer=kinds[0], reader=kinds[1])
    return compare(read_schema(schemas[0]), read_schema(schemas[1]), deepest=limits.NESTING_DEPTH)


def _kind(schema: object) -> str:
    """Return what a whole schema is; every payload is a record."""
    if isinstance(schema, dict):
        return _kind(cast("dict[str, object]", schema)["type"])
    return schema if isinstance(schema, str) else "union"


_comparisons: Final = _Lately[str, "Resolution | Refusal"](_compare)
"""By the canonical form of the writer's schema and the text of the reader's."""
_readers: Final = _Lately["type[Any]", PayloadReader](_make_reader)
"""By the canonical form of the writer's schema and the class."""
