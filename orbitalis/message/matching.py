"""Whether one side reads what the other side writes, and what does: schemas that are the same, or that resolve.

match            which schemas of one side are read by others of the other side, by Avro's schema resolution
exact_schemas    which schemas of one side match the same schema alone
ForeignSchema    a schema with which the other side writes, and what reads that
read_foreign     a payload that such a schema has written, as a message of this side
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from orbitalis.message.payload import AVRO, UndecodedPayload, class_of_schema, encode_payload, message_type_of
from orbitalis.message.resolution import PayloadReader, resolve, resolving_reader, unfamiliar_bytes
from orbitalis.message.schema import SchemaSpec, canonical_form, is_schema, schema_fingerprint
from orbitalis_avro.errors import DecodeError
from orbitalis_avro.resolution.refusal import Refusal

__all__ = [
    "ForeignSchema",
    "NotCompared",
    "SchemaPair",
    "class_that_reads",
    "exact_schemas",
    "foreign_schemas",
    "is_matched_exactly",
    "match",
    "read_foreign",
    "reader_of",
]


@dataclass(frozen=True, slots=True)
class SchemaPair:
    """A schema that is written, and the one by which it is read."""

    writer: str
    reader: str
    is_exact: bool
    """Whether both are the same, so that nothing has to be resolved."""


class NotCompared(Exception):
    """Two schemas were not compared, since that would take too much."""


def match(
    writes: SchemaSpec,
    reads: SchemaSpec,
    exact: Collection[str],
    admits: Callable[[int], bool] = lambda characters: True,
) -> tuple[SchemaPair, ...] | None:
    """Return by which schema each schema that is written is read, or `None` if there is something that nothing reads.

    The same schema is preferred, then the first that can read it. `exact` has the fingerprints of schemas, of either
    side, that match the same schema alone. Empty events, anything and nothing are as :meth:`SchemaSpec.accepts` says.
    Before two schemas are compared, `admits` is given the length of what has to be read for that.

    Raises:
        NotCompared: `admits` has said no.
    """
    if reads.accepts(writes):
        return ()
    if (
        reads.support_undefined_schema
        or writes.support_undefined_schema
        or (writes.support_empty_schema and not reads.support_empty_schema)
        or not writes.schemas
    ):
        return None
    same = {canonical_form(schema): schema for schema in reversed(reads.schemas)}
    loose = [schema for schema in reads.schemas if not is_matched_exactly(schema, reads, exact)]
    pairs: list[SchemaPair] = []
    for schema in writes.schemas:
        reader = same.get(canonical_form(schema))
        is_exact = reader is not None
        if reader is None and not is_matched_exactly(schema, writes, exact):
            reader = next((one for one in loose if _resolves(schema, one, admits)), None)
        if reader is None:
            return None
        pairs.append(SchemaPair(schema, reader, is_exact))
    return tuple(pairs)


def _resolves(writer: str, reader: str, admits: Callable[[int], bool]) -> bool:
    size = unfamiliar_bytes(writer, reader)
    if size and not admits(size):
        raise NotCompared
    return not isinstance(resolve(writer, reader), Refusal)


def is_matched_exactly(schema: str, spec: SchemaSpec, exact: Collection[str]) -> bool:
    """Return whether a schema of a set matches the same schema alone; `exact` has fingerprints of such schemas."""
    return schema in spec.exact or (bool(exact) and schema_fingerprint(schema) in exact)


def exact_schemas(specs: Iterable[SchemaSpec], *, are_read: bool) -> tuple[str, ...]:
    """Return the fingerprints of those schemas of this side that match the same schema alone, in order.

    Of what is read here, these are also the schemas for which this program has no message class: nothing can be made
    of what resolves to them.
    """
    found = {
        schema_fingerprint(schema): None
        for spec in specs
        for schema in spec.schemas
        if is_schema(schema) and (schema in spec.exact or (are_read and class_that_reads(schema) is None))
    }
    return tuple(found)


def class_that_reads(schema: str) -> type[object] | None:
    """Return the message class of this program that has a schema; `None` if there is none."""
    import json  # which those do not need that have the messages of the protocol alone

    record: object = json.loads(schema) if is_schema(schema) else None
    if not isinstance(record, dict):
        return None
    name = str(cast("dict[str, object]", record).get("name"))
    return class_of_schema(name.rpartition(".")[2], schema_fingerprint(schema), schema)


class ForeignSchema:
    """A schema with which the other side of a connection writes, and none of this side; with what reads that."""

    __slots__ = ("_message_class", "_read", "schema")

    def __init__(self, schema: str, message_class: type[object]) -> None:
        """Read payloads of `schema`, given as JSON text, as messages of a class."""
        self.schema = schema
        """The schema, as JSON text."""
        self._message_class = message_class
        self._read: PayloadReader | None = None

    def read(self, data: bytes) -> object:
        """Return the message of a payload in Avro binary.

        Raises:
            DecodeError: It is none, or has a value that the message class cannot have.
        """
        if self._read is None:
            # It takes a while, and some connections are never used. It is kept here, where others cannot crowd it out.
            self._read = resolving_reader(self.schema, self._message_class)
        return self._read(data)


def foreign_schemas(pairs: Sequence[SchemaPair]) -> Mapping[str, ForeignSchema] | None:
    """Return what reads the schemas of pairs that are not the same, by their fingerprints; `None` if all are."""
    found: dict[str, ForeignSchema] = {}
    for pair in pairs:
        message_class = None if pair.is_exact else class_that_reads(pair.reader)
        if message_class is not None:
            found[schema_fingerprint(pair.writer)] = ForeignSchema(pair.writer, message_class)
    return found or None


def reader_of(foreign: Mapping[str, ForeignSchema], payload: UndecodedPayload) -> ForeignSchema | None:
    """Return what reads a payload, as its fingerprint says; `None` for one without, or of no such schema."""
    return None if payload.schema_fingerprint is None else foreign.get(payload.schema_fingerprint)


def read_foreign(foreign: Mapping[str, ForeignSchema], payload: object | None) -> object | None:
    """Return what came with a schema of the other side's as a message of this side; `None` if it came with another.

    Raises:
        DecodeError: It is malformed, or has a value that the message class cannot have.
    """
    if payload is None:
        return None
    if not isinstance(payload, UndecodedPayload):
        # It came within this process, or another subscriber to the topic takes it as it is.
        encoded = encode_payload(payload)
        assert encoded.payload_format_type is not None
        assert encoded.serialized_payload is not None
        payload = UndecodedPayload(
            message_type=message_type_of(payload),
            payload_format_type=encoded.payload_format_type,
            serialized_payload=encoded.serialized_payload,
            schema_fingerprint=encoded.schema_fingerprint,
        )
    reader = reader_of(foreign, payload)
    return None if reader is None else reader.read(_in_avro(payload))


def _in_avro(payload: UndecodedPayload) -> bytes:
    """Return a payload in Avro binary; messages of the protocol may come in a form of their own."""
    if payload.payload_format_type == AVRO:
        return payload.serialized_payload
    from orbitalis_wire.codecs import CODEC_BY_MESSAGE_TYPE

    codec = CODEC_BY_MESSAGE_TYPE.get(payload.message_type)
    if codec is None:
        raise DecodeError(
            "EventEnvelope", "payload_format_type", f"expected {AVRO!r}, got {payload.payload_format_type[:100]!r}"
        )
    return codec.encode(codec.decode_payload(payload.payload_format_type, payload.serialized_payload))
