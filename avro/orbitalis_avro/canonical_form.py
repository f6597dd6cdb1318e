"""When two Avro schemas are the same: their canonical form, and its fingerprint.

The form is Avro's parsing canonical form, but it keeps logical types. Without them, `timestamp-millis` and
`timestamp-micros` would be the same, and a value would arrive wrong by a factor of 1,000.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

__all__ = ["Json", "canonical_form_of", "fingerprint_of", "logical_type_of"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "string", "bytes"})
_LOGICAL_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"date", "time-millis"}),
    "long": frozenset(
        {
            "time-micros",
            "timestamp-millis",
            "timestamp-micros",
            "timestamp-nanos",
            "local-timestamp-millis",
            "local-timestamp-micros",
            "local-timestamp-nanos",
        }
    ),
    "double": frozenset({"dataclasses-avroschema-timedelta"}),
    "string": frozenset({"uuid"}),
    "bytes": frozenset({"decimal", "big-decimal"}),
    "fixed": frozenset({"decimal", "duration", "uuid"}),
}
"""By the type that they stand on. Avro demands that others are ignored."""
_SIZES: Final = {"duration": 12, "uuid": 16}
"""In bytes, of the fixed types that logical types stand on."""
_ESCAPED: Final = re.compile(r'["\\\x00-\x1f]')
"""Characters that the form, where names stand as they are, could not tell from its own."""
_SYMBOL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EMPTY_FINGERPRINT: Final = 0xC15D213AA4D7A795
_MISSING: Final = object()


def canonical_form_of(schema: Json) -> str:
    """Return the canonical form of an Avro schema.

    It is the parsing canonical form, in which these attributes follow those that it has: `logicalType`, if Avro knows
    it and it may stand on the type, and for a decimal `precision` and `scale`.

    Raises:
        ValueError: It is no schema, or is nested too deep.
    """
    try:
        return _Writer().whole(schema)
    except RecursionError as error:
        raise ValueError("expected an Avro schema, got one that is nested too deep") from error


def fingerprint_of(form: str) -> str:
    """Return the CRC-64-AVRO of a canonical form: 16 hexadecimal digits, least significant byte first.

    Raises:
        ValueError: The form has characters that no text can hold.
    """
    table = _fingerprint_table()
    result = _EMPTY_FINGERPRINT
    for byte in form.encode():
        result = (result >> 8) ^ table[(result ^ byte) & 0xFF]
    return result.to_bytes(8, "little").hex()


@lru_cache(maxsize=1)
def _fingerprint_table() -> Sequence[int]:
    table: list[int] = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_EMPTY_FINGERPRINT if value & 1 else 0)
        table.append(value)
    return table


def logical_type_of(kind: str, schema: Mapping[str, Json]) -> tuple[str, int, int] | None:
    """Return the logical type of a schema of a kind, such as `long`, if it is one that counts; else `None`.

    That is its name, and for a decimal its precision and its scale.
    """
    name = schema.get("logicalType")
    if not isinstance(name, str) or name not in _LOGICAL_TYPES.get(kind, ()):
        return None
    if kind == "fixed" and schema.get("size") != _SIZES.get(name, schema.get("size")):
        return None
    if name != "decimal":
        return name, 0, 0
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    # What fastavro takes for no number, Avro takes for no decimal.
    if type(precision) is not int or type(scale) is not int or precision < 1:
        return None
    return name, precision, scale


class _Writer:
    """Writes one schema.

    It judges as `fastavro.parse_schema` does. In addition, it refuses what that does not look at: names, sizes, fields
    and symbols of another JSON type, and names that would have to be escaped.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        """Full names that may be referred to."""
        self._taken: set[str] = set()
        """Full names that cannot be given again."""

    def whole(self, schema: Json) -> str:
        if isinstance(schema, list):
            forms: list[str] = []
            for branch in schema:
                # fastavro reads each as a schema of its own.
                self._taken = set()
                forms.append(self.whole(branch))
            return f"[{','.join(forms)}]"
        return self._schema(schema, "", _MISSING)

    def _schema(self, schema: Json, namespace: str, default: object) -> str:
        if isinstance(schema, str):
            return self._name(schema, namespace, default)
        if isinstance(schema, list):
            return self._union(schema, namespace, default)
        kind = schema.get("type") if isinstance(schema, dict) else None
        if isinstance(schema, dict) and isinstance(kind, str):
            return self._complex(kind, schema, namespace, default)
        raise ValueError(f"expected an Avro schema, got {_short(schema)}")

    def _name(self, name: str, namespace: str, default: object) -> str:
        if name in _PRIMITIVES:
            if default is not _MISSING and not _fits_loosely(name, default):
                raise ValueError(f"expected a default of type {name}, got {_short(default)}")
            return f'"{name}"'
        full_name = f"{namespace}.{name}" if namespace and "." not in name else name
        if full_name not in self._known:
            raise ValueError(f"expected an Avro schema, got {_short(full_name)}, which is not defined before it")
        return f'"{full_name}"'

    def _union(self, branches: Sequence[Json], namespace: str, default: object) -> str:
        forms = [self._schema(branch, namespace, _MISSING) for branch in branches]
        if default is not _MISSING and not any(
            not isinstance(branch, str) or _fits_loosely(branch, default) for branch in branches
        ):
            raise ValueError(f"expected a default of one of the types of a union, got {_short(default)}")
        return f"[{','.join(forms)}]"

    def _complex(self, kind: str, schema: dict[str, Json], namespace: str, default: object) -> str:
        _check_decimal(kind, schema)
        match kind:
            case "array":
                _check_default(kind, list, default)
                return f'{{"type":"array","items":{self._inner(schema, "items", namespace)}}}'
            case "map":
                _check_default(kind, dict, default)
                return f'{{"type":"map","values":{self._inner(schema, "values", namespace)}}}'
            case "enum":
                name, _ = self._define(schema, namespace)
                symbols = _symbols(schema)
                _check_default(kind, str, default)
                return f'{{"name":"{name}","type":"enum","symbols":[{",".join(symbols)}]}}'
            case "fixed":
                name, _ = self._define(schema, namespace)
                size = schema.get("size")
                if type(size) is not int or size < 0:
                    raise ValueError(f"expected a number of bytes as size of {name}, got {_short(size)}")
                _check_default(kind, str, default)
                return f'{{"name":"{name}","type":"fixed","size":{size}{_logical_type(kind, schema)}}}'
            case "record" | "error":
                return self._record(schema, namespace, default)
            case _ if kind in _PRIMITIVES:
                if default is not _MISSING and not _fits(kind, default):
                    raise ValueError(f"expected a default of type {kind}, got {_short(default)}")
                logical = _logical_type(kind, schema)
                return f'{{"type":"{kind}"{logical}}}' if logical else f'"{kind}"'
            case _:
                raise ValueError(f"expected an Avro schema, got the type {_short(kind)}")

    def _inner(self, schema: dict[str, Json], key: str, namespace: str) -> str:
        if key not in schema:
            raise ValueError(f"expected {key!r} in {_short(schema)}")
        return self._schema(schema[key], namespace, _MISSING)

    def _record(self, schema: dict[str, Json], namespace: str, default: object) -> str:
        name, inner = self._define(schema, namespace)
        _check_default("record", dict, default)
        fields = schema.get("fields", [])
        if not isinstance(fields, list):
            raise ValueError(f"expected a list of fields of {name}, got {_short(fields)}")
        return f'{{"name":"{name}","type":"record","fields":[{",".join(self._field(one, inner) for one in fields)}]}}'

    def _field(self, field: Json, namespace: str) -> str:
        if not isinstance(field, dict) or "type" not in field or not isinstance(field.get("aliases", []), list):
            raise ValueError(f"expected a field with a type, and a list of aliases if any, got {_short(field)}")
        name = _checked_name(field)
        return f'{{"name":"{name}","type":{self._schema(field["type"], namespace, field.get("default", _MISSING))}}}'

    def _define(self, schema: dict[str, Json], around: str) -> tuple[str, str]:
        """Return the full name of a type, and the namespace of what is in it."""
        name = _checked_name(schema)
        namespace = schema.get("namespace", around) or ""
        if not isinstance(namespace, str) or _ESCAPED.search(namespace):
            raise ValueError(f"expected a namespace, got {_short(namespace)}")
        if "." in name:
            full_name, namespace = name, name.rpartition(".")[0]
        else:
            full_name = f"{namespace}.{name}" if namespace else name
        if full_name in self._taken:
            raise ValueError(f"expected each name once, got {_short(full_name)} again")
        self._taken.add(full_name)
        self._known.add(full_name)
        return full_name, namespace


def _logical_type(kind: str, schema: Mapping[str, Json]) -> str:
    """Return the attributes of the logical type, if it is one that counts."""
    match logical_type_of(kind, schema):
        case None:
            return ""
        case "decimal", precision, scale:
            return f',"logicalType":"decimal","precision":{precision},"scale":{scale}'
        case name, _, _:
            return f',"logicalType":"{name}"'


def _check_decimal(kind: str, schema: Mapping[str, Json]) -> None:
    if schema.get("logicalType") != "decimal":
        return
    precision, scale = schema.get("precision"), schema.get("scale")
    wrong = any(one and (not isinstance(one, int) or one < 0) for one in (precision, scale))
    if not wrong and isinstance(precision, int) and precision:
        wrong = isinstance(scale, int) and precision < scale
        size = schema.get("size")
        if kind == "fixed" and type(size) is int:
            wrong = wrong or precision > _digits(size)
    if wrong:
        raise ValueError(f"expected digits that fit as precision and scale, got {_short(precision)}, {_short(scale)}")


def _digits(size: int) -> int:
    """Return how many decimal digits fit into so many bytes."""
    try:
        return math.floor(math.log10(2) * (8 * size - 1))
    except OverflowError:
        return 0


def _symbols(schema: Mapping[str, Json]) -> list[str]:
    symbols = schema.get("symbols")
    if not isinstance(symbols, list):
        raise ValueError(f"expected a list of symbols, got {_short(symbols)}")
    found = [one for one in symbols if isinstance(one, str) and _SYMBOL.fullmatch(one)]
    if len(set(found)) < len(symbols) or ("default" in schema and schema["default"] not in symbols):
        raise ValueError(f"expected names as symbols, each once, and one of them as default, got {_short(symbols)}")
    return [f'"{one}"' for one in found]


def _checked_name(schema: Mapping[str, Json]) -> str:
    name = schema.get("name")
    if not isinstance(name, str) or _ESCAPED.search(name):
        raise ValueError(f"expected a name, got {_short(name)}")
    return name


def _check_default(kind: str, expected: type, default: object) -> None:
    if default is not _MISSING and not isinstance(default, expected):
        raise ValueError(f"expected a default of type {kind}, got {_short(default)}")


def _fits(kind: str, default: object) -> bool:
    match kind:
        case "null":
            return default is None
        case "boolean":
            return isinstance(default, bool)
        case "string" | "bytes":
            return isinstance(default, str)
        case "float" | "double":
            return isinstance(default, float)
        case "int" | "long":
            return isinstance(default, int)
        case _:
            return True


def _fits_loosely(kind: str, default: object) -> bool:
    """Return whether a default fits a type that is given by its name alone, where any number is a floating one."""
    if kind not in ("float", "double") or not isinstance(default, int | str):
        return _fits(kind, default)
    try:
        float(default)
    except (OverflowError, ValueError):
        return False
    return True


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
