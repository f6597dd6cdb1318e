"""Names of a specification as names of TypeScript: never a reserved word, never a clash with what modules use."""

from __future__ import annotations

from orbitalis_codegen.emit.naming import snake_case, unique_names

__all__ = ["camel_case", "constant_name", "function_name", "property_name", "type_name", "unique_names"]

_TYPES_IN_USE = frozenset(
    {
        "Array", "BigInt", "Boolean", "Date", "Error", "Map", "Number", "Object", "Omit", "Partial", "Pick", "Promise",
        "ReadonlyArray", "ReadonlyMap", "Readonly", "Record", "Required", "String", "Symbol", "Uint8Array",
        "Codec", "Decimal", "Decoded", "Duration", "Encoding", "EventCodec", "Given", "MessageCodec", "MessageType",
        "MessageTypes", "RecordCodec", "SchemaVersion",
        "BY_MESSAGE_TYPE", "CODECS", "ENVELOPE", "ENVELOPE_FINGERPRINT", "ENVELOPE_VERSIONS", "NESTING_DEPTH",
        "SCHEMAS",
    }
)  # fmt: skip
"""What emitted modules import, define or take from the language under a name that a type could have."""
_RESERVED = frozenset(
    {
        "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else",
        "enum", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in",
        "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return",
        "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
        "arguments", "eval", "undefined",
    }
)  # fmt: skip
"""What no variable can be called."""
_VARIABLES_IN_USE = frozenset(
    {
        "array", "bigDecimal", "bigLong", "boolean", "bytes", "codecOf", "date", "decimal", "decodeEvent", "double",
        "duration", "encodeEvent", "enumeration", "field", "fields", "fixed", "fixedUuid", "float", "int", "lazy",
        "localTimestampMicros", "localTimestampMillis", "long", "map", "nullType", "nullable", "record", "string",
        "timeMicros", "timeMillis", "timedelta", "timestampMicros", "timestampMillis", "union", "uuid",
    }
)  # fmt: skip
"""What emitted modules import under a name that a variable could have."""
_PROPERTIES_IN_USE = frozenset({"constructor", "toString", "valueOf", "hasOwnProperty", "then"})
"""What every object has, or what a promise would take for its own."""


def camel_case(name: str) -> str:
    """Turn `offer_topic`, `OfferMessage` or `HTTPServer2` into `offerTopic`, `offerMessage`, `httpServer2`."""
    first, *others = [part for part in snake_case(name).split("_") if part] or ["field"]
    return first + "".join(part[0].upper() + part[1:] for part in others)


def constant_name(name: str) -> str:
    """Turn a key into the name of a constant."""
    constant = snake_case(name).upper().strip("_")
    return constant if constant[:1].isalpha() else f"N_{constant}"


def function_name(name: str) -> str:
    """Name a variable after a type or a key."""
    camel = camel_case(name)
    camel = camel if camel[:1].isalpha() else f"n{camel}"
    return f"{camel}_" if camel in _RESERVED or camel in _VARIABLES_IN_USE else camel


def property_name(name: str) -> str:
    """Name a property after a field: a reserved word may be one, and what every object has may not."""
    camel = camel_case(name)
    camel = camel if camel[:1].isalpha() else f"field{camel}"
    return f"{camel}_" if camel in _PROPERTIES_IN_USE else camel


def type_name(name: str) -> str:
    """Name a type; a capital at the front keeps it apart from variables."""
    bare = name.lstrip("_")
    bare = bare[0].upper() + bare[1:] if bare[:1].isalpha() else f"Type{bare}"
    return f"{bare}_" if bare in _TYPES_IN_USE else bare
