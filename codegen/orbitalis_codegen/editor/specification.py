"""The JSON Schema of a specification: the objects of `check.shapes`, with what their keys hold.

It says what can be told of each object by itself. How parts fit together, and what schema files say, tells the
generator alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.shape import Shape
from orbitalis_codegen.editor import words
from orbitalis_codegen.editor.words import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    OBJECT,
    SAYS_SOMETHING,
    TEXT,
    choice,
    defined,
    explained,
    list_of,
    text_like,
)
from orbitalis_codegen.model import ROLES
from orbitalis_codegen.read.node import JsonValue

__all__ = ["specification_schema"]

_VERSION: Final = r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)"
_AVRO: Final = r"application/vnd\.apache\.avro(?:\+json)?;version=1\.(?:8|9|10|11|12)\.[0-9]+"


def _closed(*keys: str) -> dict[str, JsonValue]:
    """An object of texts, which has no other keys than these."""
    properties: dict[str, JsonValue] = dict.fromkeys(keys, TEXT)
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {"^x-": ANYTHING},
        "additionalProperties": False,
    }


_DOCS: Final = defined("externalDocs")
_DOCUMENTED: Final[Mapping[str, JsonValue]] = {
    **dict.fromkeys(("title", "summary", "description"), TEXT),
    "tags": list_of(defined(shapes.TAG.name)),
    "externalDocs": _DOCS,
}
_REFERENCE: Final = defined("reference")
_ROLE_LIST: Final = list_of(choice(ROLES), uniqueItems=True)
_NAMED: Final[Mapping[str, JsonValue]] = {
    "title": explained(TEXT, "How it is called in texts; without one, its name with spaces."),
    "description": SAYS_SOMETHING,
}
_PAYLOAD_FORMATS: Final = ("avro", "utf-8", "bytes")
_LAYOUTS: Final = ("uint32", "int64", "float32", "float64")

_CONTAINERS: Final[Mapping[str, Shape]] = {
    shapes.SERVERS.name: shapes.SERVER,
    shapes.CHANNELS.name: shapes.CHANNEL,
    shapes.PARAMETERS.name: shapes.PARAMETER,
    shapes.OPERATIONS.name: shapes.OPERATION,
    shapes.MESSAGES.name: shapes.MESSAGE,
    shapes.AREAS.name: shapes.AREA,
    shapes.TIMINGS.name: shapes.TIMING,
    shapes.LIMITS.name: shapes.LIMIT,
    shapes.STATE_CHARTS.name: shapes.STATE_CHART,
    shapes.STATES.name: shapes.STATE,
    shapes.TRIGGERS.name: shapes.TRIGGER,
}
"""What stands in objects whose keys the document chooses."""
_KEYS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_CONTAINERS, "[A-Za-z][A-Za-z0-9_]*"),
    shapes.MESSAGES.name: "[A-Z][A-Za-z0-9_]*",
    shapes.SERVERS.name: ".*",
    shapes.AREAS.name: ".*",
}
"""What such keys are like: most of them name something in generated code."""

_VALUES: Final[Mapping[str, Mapping[str, JsonValue]]] = {
    shapes.DOCUMENT.name: {
        "asyncapi": text_like(r"3\.[01]\.[0-9]+"),
        **dict.fromkeys(("id", "defaultContentType"), TEXT),
        "info": defined(shapes.INFO.name),
        "servers": defined(shapes.SERVERS.name),
        "channels": defined(shapes.CHANNELS.name),
        "operations": defined(shapes.OPERATIONS.name),
        "components": defined(shapes.COMPONENTS.name),
        "x-orbitalis": explained(defined(shapes.SETTINGS.name), "What Orbitalis asks for beyond AsyncAPI."),
    },
    shapes.INFO.name: {
        **_DOCUMENTED,
        "version": explained(text_like(_VERSION), "Of the protocol: three numbers, such as 1.1.0."),
        "termsOfService": TEXT,
        "contact": _closed("name", "url", "email"),
        "license": {**_closed("name", "url"), "required": ["name"]},
    },
    shapes.SERVER.name: {
        **_DOCUMENTED,
        **dict.fromkeys(("host", "protocol", "protocolVersion", "pathname"), TEXT),
        "security": list_of(ANYTHING),
        "bindings": OBJECT,
    },
    shapes.CHANNEL.name: {
        **_DOCUMENTED,
        "address": explained(TEXT, "The topic; a level that varies is a parameter: .../{name}/..."),
        "parameters": defined(shapes.PARAMETERS.name),
        "messages": {"type": "object", "patternProperties": {"^x-": ANYTHING}, "additionalProperties": _REFERENCE},
        "servers": list_of(_REFERENCE),
        "bindings": OBJECT,
    },
    shapes.PARAMETER.name: {
        **dict.fromkeys(("description", "location"), TEXT),
        "examples": list_of(TEXT),
        "x-unknown": explained(
            text_like("[^/+#]+"),
            "What stands in its level of a topic that is announced before the parameter is known, such as `-`.",
        ),
    },
    shapes.OPERATION.name: {
        **_DOCUMENTED,
        "action": choice(("send", "receive")),
        "channel": _REFERENCE,
        "tags": explained(list_of(defined("role"), minItems=1), "Whose operation it is."),
        "bindings": defined(shapes.OPERATION_BINDINGS.name),
        "security": list_of(ANYTHING),
        "messages": list_of(_REFERENCE),
        "reply": defined(shapes.REPLY.name),
    },
    shapes.OPERATION_BINDINGS.name: {"mqtt": defined(shapes.MQTT_OPERATION_BINDING.name)},
    shapes.MQTT_OPERATION_BINDING.name: {
        "qos": explained(choice((0, 1, 2)), "Quality of service."),
        "retain": explained(BOOLEAN, "Whether the broker keeps the last event of a topic for those who come later."),
    },
    shapes.REPLY.name: {"channel": _REFERENCE, "messages": list_of(_REFERENCE)},
    shapes.MESSAGE.name: {
        **_DOCUMENTED,
        **dict.fromkeys(("name", "contentType"), TEXT),
        "payload": defined(shapes.SCHEMA.name),
        "bindings": OBJECT,
        "examples": list_of(OBJECT),
        "deprecated": BOOLEAN,
        "x-payload": explained(
            defined(shapes.X_PAYLOAD.name),
            "How a payload that users send goes out. Messages of the protocol go without: they are Avro, and may grow.",
        ),
    },
    shapes.SCHEMA.name: {
        "schemaFormat": text_like(_AVRO),
        "schema": explained(_REFERENCE, "A schema file, such as $ref: ./schemas/Name.avsc"),
    },
    shapes.X_PAYLOAD.name: {
        "format": explained(choice(_PAYLOAD_FORMATS), "How it goes out: in Avro, as a text, or as a number."),
        "layout": explained(choice(_LAYOUTS), "What `bytes` are, big-endian."),
    },
    shapes.TAG.name: {**dict.fromkeys(("name", "description"), TEXT), "externalDocs": _DOCS},
    shapes.COMPONENTS.name: {
        **dict.fromkeys(shapes.COMPONENTS.known, OBJECT),
        "messages": defined(shapes.MESSAGES.name),
        "securitySchemes": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "object", "required": ["type"]}, _REFERENCE]},
        },
        "parameters": defined(shapes.PARAMETERS.name),
        "operationBindings": {
            "type": "object",
            "patternProperties": {"^x-": ANYTHING},
            "additionalProperties": defined(shapes.OPERATION_BINDINGS.name),
        },
    },
    shapes.SETTINGS.name: {
        "envelope": explained(defined(shapes.SCHEMA.name), "The schema of what every message travels in."),
        "areas": explained(defined(shapes.AREAS.name), "What requirements are about, by the two letters of their ids."),
        "timings": explained(defined(shapes.TIMINGS.name), "Default durations, in seconds."),
        "limits": explained(defined(shapes.LIMITS.name), "Bounds on what others may send or use up."),
        "states": explained(defined(shapes.STATE_CHARTS.name), "State charts of slots and orbiters."),
    },
    shapes.AREA.name: {"description": SAYS_SOMETHING},
    shapes.TIMING.name: {
        "seconds": {**NUMBER, "exclusiveMinimum": 0},
        "description": SAYS_SOMETHING,
    },
    shapes.LIMIT.name: {
        "maximum": {"type": "integer", "minimum": 1},
        "description": SAYS_SOMETHING,
    },
    shapes.STATE_CHART.name: {
        "description": SAYS_SOMETHING,
        "roles": explained(_ROLE_LIST, "Who has such a chart."),
        "initial": TEXT,
        "states": defined(shapes.STATES.name),
        "triggers": explained(defined(shapes.TRIGGERS.name), "What can happen."),
        "transitions": list_of(defined(shapes.TRANSITION.name)),
    },
    shapes.STATE.name: _NAMED,
    shapes.TRIGGER.name: _NAMED,
    shapes.TRANSITION.name: {
        "from": explained(list_of(TEXT, uniqueItems=True), "The states in which it happens."),
        "trigger": TEXT,
        "to": explained(TEXT, "The state that follows."),
        "roles": explained(_ROLE_LIST, "Where it happens; without them, at every role of the chart."),
        "description": SAYS_SOMETHING,
    },
}
"""By the name of a shape what each of its keys holds; a key that is not named here holds anything."""

_RULES: Final[Mapping[str, Mapping[str, JsonValue]]] = {
    shapes.X_PAYLOAD.name: {
        "allOf": [
            {"if": {"properties": {"format": {"const": "bytes"}}}, "then": {"required": ["layout"]}},
            {"if": {"properties": {"format": {"const": "utf-8"}}}, "then": {"not": {"required": ["layout"]}}},
        ]
    },
    shapes.MESSAGE.name: {
        "dependencies": {"payload": ["name"], "name": ["payload"], "x-payload": ["payload"]},
    },
}
"""What keys of one object have to do with each other."""
_UNREFERENCED: Final = (
    shapes.DOCUMENT,
    shapes.INFO,
    shapes.COMPONENTS,
    shapes.SETTINGS,
    shapes.MQTT_OPERATION_BINDING,
    shapes.X_PAYLOAD,
    shapes.TRANSITION,
)
"""Objects in whose place no reference may stand; nor may one in that of a container."""


def specification_schema() -> dict[str, JsonValue]:
    """The schema for editors of a specification, such as `asyncapi.yaml`."""
    found = {shape.name: shape for shape in vars(shapes).values() if isinstance(shape, Shape)}
    definitions: dict[str, JsonValue] = {
        "reference": {"type": "object", "required": ["$ref"], "properties": {"$ref": TEXT}, "maxProperties": 1},
        "externalDocs": {"type": "object", "anyOf": [{"required": ["url"]}, {"required": ["$ref"]}]},
        "role": {"allOf": [defined(shapes.TAG.name), {"properties": {"name": choice(ROLES)}}]},
    }
    for name, shape in found.items():
        may_refer = shape not in _UNREFERENCED and not shape.any_key
        definitions[name.replace(" ", "_")] = _or_reference(_object(shape)) if may_refer else _object(shape)
    return {
        "$schema": words.DIALECT,
        "title": "Specification of Orbitalis",
        **defined(shapes.DOCUMENT.name),
        "definitions": definitions,
    }


def _or_reference(schema: JsonValue) -> dict[str, JsonValue]:
    return {"type": "object", "if": {"required": ["$ref"]}, "then": _REFERENCE, "else": schema}


def _object(shape: Shape) -> dict[str, JsonValue]:
    values = _VALUES.get(shape.name, {})
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {key: values.get(key, ANYTHING) for key in shape.known},
        "patternProperties": {"^x-": ANYTHING},
        "additionalProperties": False,
        **_RULES.get(shape.name, {}),
    }
    if shape.required:
        schema["required"] = list(shape.required)
    if shape.any_key:
        entry = defined(_CONTAINERS[shape.name].name)
        schema["properties"] = dict.fromkeys(shape.known, entry)
        schema["additionalProperties"] = entry
        schema["propertyNames"] = {"pattern": f"^(?:x-.*|{_KEYS[shape.name]})$"}
    return schema
