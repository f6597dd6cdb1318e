"""Sets of schemas by short names, so that cases need not spell out Avro."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_conformance.errors import CaseError
from orbitalis_conformance.plain import is_list, is_mapping
from orbitalis_conformance.values import class_of, codec_of

__all__ = ["SCHEMAS", "fingerprint_of_schema", "schema_set", "shortened", "with_sets"]


def _record(name: str, *fields: tuple[Any, ...]) -> str:
    """Return the schema of a record, given its fields as name, type and maybe a default."""
    made = [dict(zip(("name", "type", "default"), field, strict=False)) for field in fields]
    return json.dumps({"type": "record", "name": name, "fields": made})


SCHEMAS: Final[Mapping[str, str]] = {
    "string": codec_of(class_of("StringMessage")).schema,
    "int32": codec_of(class_of("Int32Message")).schema,
    "int64": codec_of(class_of("Int64Message")).schema,
    "float32": codec_of(class_of("Float32Message")).schema,
    "float64": codec_of(class_of("Float64Message")).schema,
    "bytes": codec_of(class_of("BytesMessage")).schema,
    # Records that users would have; `meter…` are versions of one.
    "meter": _record("Meter", ("value", "int")),
    "meter_with_unit": _record("Meter", ("value", "int"), ("unit", "string", "kWh")),
    "meter_long": _record("Meter", ("value", "long")),
    "meter_other_field": _record("Meter", ("reading", "int")),
    "meter_needs_unit": _record("Meter", ("value", "int"), ("unit", "string")),
    "meter_millis": _record("Meter", ("value", {"type": "long", "logicalType": "timestamp-millis"})),
    "meter_micros": _record("Meter", ("value", {"type": "long", "logicalType": "timestamp-micros"})),
    "meter_float": _record("Meter", ("value", "float")),
    "span": _record("Span", ("value", {"type": "double", "logicalType": "dataclasses-avroschema-timedelta"})),
    "span_without_logical_type": _record("Span", ("value", "double")),
    "gauge": _record("Gauge", ("value", "int")),
    "gauge_that_was_meter": json.dumps(
        {"type": "record", "name": "Gauge", "aliases": ["Meter"], "fields": [{"name": "value", "type": "int"}]}
    ),
    "meter_with_unknown_logical_type": _record("Meter", ("value", {"type": "int", "logicalType": "furlongs"})),
    "node": _record("Node", ("value", "int"), ("next", ["null", "Node"], None)),
    "node_long": _record("Node", ("value", "long"), ("next", ["null", "Node"], None)),
    "no_schema": "this is no schema",
}
"""Schemas by the names that cases have for them."""

_KINDS: Final = {
    "none": {},
    "empty": {"support_empty_schema": True},
    "anything": {"support_undefined_schema": True},
}
_ONE: Final = ("input", "output")
_SEVERAL: Final = ("inputs", "outputs")


def schema_set(given: Any) -> dict[str, Any]:
    """Return a set of schemas, given by a name, several names joined by `or`, or in full."""
    if not isinstance(given, str):
        found: dict[str, Any] = dict(given)
        return found
    made: dict[str, Any] = {"schemas": [], "support_empty_schema": False, "support_undefined_schema": False}
    for name in given.split(" or "):
        reordered = name.removesuffix(" spelled otherwise")
        if name in _KINDS:
            made.update(_KINDS[name])
        elif reordered in SCHEMAS:
            schema = SCHEMAS[reordered]
            made["schemas"].append(schema if reordered == name else _spelled_otherwise(schema))
        else:
            raise CaseError(f"there is no set of schemas {name!r}; there are {', '.join([*_KINDS, *SCHEMAS])}")
    return made


def _spelled_otherwise(schema: str) -> str:
    """Return the text of a schema with the same canonical form."""
    content = json.loads(schema)
    return json.dumps({"doc": "Spelled otherwise.", **content}, indent=1)


def with_sets(content: Any) -> Any:
    """Return a part of a case in which short names stand, with the sets in their place."""
    if is_list(content):
        return [with_sets(one) for one in content]
    if not is_mapping(content):
        return content
    made: dict[str, Any] = {}
    for key, value in content.items():
        if key in _ONE and isinstance(value, str):
            made[key] = schema_set(value)
        elif key in _SEVERAL and is_list(value):
            made[key] = [schema_set(one) for one in value]
        else:
            made[key] = with_sets(value)
    return made


def shortened(text: str) -> str:
    """Return a text with the short names of schemas in their place."""
    for name, schema in SCHEMAS.items():
        text = text.replace(schema, f"<{name}>")
    return text


def fingerprint_of_schema(name: str) -> str:
    """Return the fingerprint of a schema, given its short name."""
    if name not in SCHEMAS:
        raise CaseError(f"there is no schema {name!r}")
    return fingerprint_of(canonical_form_of(json.loads(SCHEMAS[name])))
