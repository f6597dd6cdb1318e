"""The forms that a schema of Avro can take, with their attributes, and the names that Avro gives to types."""

from __future__ import annotations

from typing import Final

from orbitalis_avro.types import Primitive
from orbitalis_codegen.check.shape import AVRO, Shape

__all__ = [
    "ARRAY",
    "COMPLEX_TYPES",
    "ENUM",
    "FIELD",
    "FIXED",
    "LOGICAL_TYPES",
    "MAP",
    "PRIMITIVE",
    "PRIMITIVES",
    "RECORD",
]

PRIMITIVES: Final = {
    "null": Primitive(name="null"),
    "boolean": Primitive(name="boolean"),
    "int": Primitive(name="int"),
    "long": Primitive(name="long"),
    "float": Primitive(name="float"),
    "double": Primitive(name="double"),
    "bytes": Primitive(name="bytes"),
    "string": Primitive(name="string"),
}
COMPLEX_TYPES: Final = ("record", "enum", "fixed", "array", "map")
LOGICAL_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "big-decimal": ("bytes",),
    "date": ("int",),
    "decimal": ("bytes", "fixed"),
    "duration": ("fixed",),
    "local-timestamp-micros": ("long",),
    "local-timestamp-millis": ("long",),
    "local-timestamp-nanos": ("long",),
    "time-micros": ("long",),
    "time-millis": ("int",),
    "timestamp-micros": ("long",),
    "timestamp-millis": ("long",),
    "timestamp-nanos": ("long",),
    "uuid": ("string", "fixed"),
}
"""All of Avro 1.12, with the types that each stands on."""

_NAMED = ("namespace", "aliases", "doc", "logicalType")

RECORD = Shape(name="record", language=AVRO, required=("type", "name", "fields"), optional=_NAMED)
ENUM = Shape(name="enum", language=AVRO, required=("type", "name", "symbols"), optional=(*_NAMED, "default"))
FIXED = Shape(name="fixed", language=AVRO, required=("type", "name", "size"), optional=(*_NAMED, "precision", "scale"))
ARRAY = Shape(name="array", language=AVRO, required=("type", "items"), optional=("logicalType",))
MAP = Shape(name="map", language=AVRO, required=("type", "values"), optional=("logicalType",))
PRIMITIVE = Shape(
    name="primitive type", language=AVRO, required=("type",), optional=("logicalType", "precision", "scale")
)
FIELD = Shape(
    name="field", language=AVRO, required=("name", "type"), optional=("doc", "default", "order", "aliases", "since")
)
