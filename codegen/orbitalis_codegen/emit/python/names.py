"""Names of a specification as names of Python: never a keyword, never a clash with what the emitted modules use."""

from __future__ import annotations

import keyword
from collections.abc import Collection

from orbitalis_avro import binary, checks, errors, numbers, rare, records
from orbitalis_codegen.emit.naming import snake_case, unique, unique_names

__all__ = ["class_name", "constant_name", "field_name", "snake_case", "symbol_name", "unique", "unique_names"]

_CLASSES_IN_USE = frozenset(
    {
        *(name for one in (binary, checks, errors, numbers, rare, records) for name in one.__all__),
        "Exception", "False", "None", "True", "UnicodeDecodeError",
        "Any", "Callable", "ClassVar", "Final", "Generic", "Literal", "Mapping", "MappingProxyType", "NamedTuple",
        "Self", "Sequence", "StrEnum", "TypeVar", "T", "Struct", "UTC", "UUID", "Decimal",
        "CODECS", "CODEC_BY_CLASS", "CODEC_BY_MESSAGE_TYPE", "MessageCodec", "NESTING_DEPTH",
        "ENVELOPE_FINGERPRINT", "Encoding", "CHANNELS", "OPERATIONS", "Channel", "Operation",
        "MessageSchema", "SCHEMAS", "SCHEMA_BY_CLASS", "SCHEMA_BY_MESSAGE_TYPE",
    }
)  # fmt: skip
"""What emitted modules import, define or take from the builtins under a name that a class could have."""
_FIELDS_IN_USE = frozenset(
    {
        *(name for name in dir(records.Record) if not name.startswith("_")),
        "ABSENT", "ADDRESS", "ClassVar", "Decimal", "Duration", "Mapping", "Self", "Sequence", "TEXT", "UTC", "UUID",
        "avro_schema", "bool", "build", "bytes", "classmethod", "dataclass", "date", "datetime", "field", "filter",
        "float", "int", "list", "not_several", "object", "parse", "property", "self", "staticmethod", "str", "time",
        "timedelta", "tuple", "type",
    }
)  # fmt: skip
"""What the body of a class refers to or defines under a name that a field could have."""


def constant_name(name: str) -> str:
    """Turn the key of a channel, timing or limit into the name of a constant."""
    constant = snake_case(name).upper().lstrip("_")
    return constant if constant[:1].isalpha() else f"N_{constant}"


def class_name(name: str) -> str:
    """Name a class; a capital at the front keeps it apart from functions and fields."""
    bare = name.lstrip("_")
    bare = bare[0].upper() + bare[1:] if bare[:1].isalpha() else f"Type{bare}"
    return f"{bare}_" if bare in _CLASSES_IN_USE else bare


def field_name(name: str, also_in_use: Collection[str] = ()) -> str:
    """Name a field: `from` becomes `from_`, and a leading underscore, which would hide it, goes to the end."""
    bare = name.lstrip("_")
    if not bare[:1].isalpha():
        bare = f"field_{bare}"
    taken = keyword.iskeyword(bare) or bare in _FIELDS_IN_USE or bare in also_in_use
    return f"{bare}_" if taken or bare != name else name


def symbol_name(symbol: str) -> str:
    """Name a member of an enumeration; capitals keep it apart from the methods that it inherits."""
    bare = symbol.upper().strip("_")
    return bare if bare[:1].isalpha() else f"SYMBOL_{bare}"
