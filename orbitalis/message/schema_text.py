"""What the text of a schema says: its canonical form, its name, and which texts of several are meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from orbitalis_avro.canonical_form import canonical_form_of
from orbitalis_avro.records import not_several
from orbitalis_wire import limits

__all__ = ["exact_of", "form_of", "name_of"]

_NO_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^][{}"]++', re.DOTALL)
"""What is between the brackets of JSON, texts included."""
_LONGEST_DRAFT: Final = 8 * limits.SCHEMA_BYTES
"""Characters that a canonical form may have while it is made: names gain their namespace wherever they stand."""
_NO_SCHEMAS: Final[frozenset[str]] = frozenset()


def form_of(schema: str) -> str | None:
    """Return the canonical form of a schema; `None` if the text is none, or is too large or too deep."""
    # It takes long to import, and those who use the protocol's messages alone do not need it.
    import json

    if _depth(schema) > limits.NESTING_DEPTH:
        return None
    namespace = 0

    def measure(found: dict[str, Any]) -> dict[str, Any]:
        nonlocal namespace
        name = str(found.get("name"))
        namespace = max(namespace, len(str(found.get("namespace"))), len(name) if "." in name else 0)
        return found

    try:
        parsed = json.loads(schema, object_hook=measure)
        if namespace * schema.count('"') // 2 > _LONGEST_DRAFT:
            return None
        form = canonical_form_of(parsed)
        # JSON can hold names that no text can.
        form.encode()
    except ValueError:
        return None
    return form if len(form) <= limits.SCHEMA_BYTES else None


def name_of(schema: str) -> str:
    """Return the name of a schema, or what there is of it."""
    import json

    try:
        return str(json.loads(schema)["name"])
    except (KeyError, TypeError, ValueError):
        return schema[:80]


def exact_of(schemas: Sequence[str], exact: bool | Collection[str]) -> frozenset[str]:
    """Return which schemas match the same schema alone."""
    if isinstance(exact, bool):
        return frozenset(schemas) if exact else _NO_SCHEMAS
    if isinstance(exact, str):
        raise not_several("exact", exact)
    if not exact:
        return _NO_SCHEMAS
    strange = [schema for schema in exact if schema not in schemas]
    if strange:
        raise ValueError(f"exact names what is none of the schemas: {strange[0][:80]!r}; write exact=True for all")
    return frozenset(exact)


def _depth(text: str) -> int:
    """Count how deep brackets nest."""
    depth = deepest = 0
    for character in _NO_BRACKETS.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest
