"""The fields of a dataclass: which ones are sent, what they are annotated, and what else they say."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any, Final

from orbitalis.annotations import own_annotations
from orbitalis.message.derivation.field_types import Json
from orbitalis.message.derivation.record_meta import RecordMeta, as_json
from orbitalis.message.derivation.refusals import Refusal

__all__ = ["UnresolvedError", "check_is_complete", "fields_in_order", "hints_of", "schema_metadata"]

_NOT_IN_METADATA: Final = frozenset({"name", "type", "default"})


_FOR_THE_DERIVATION: Final = frozenset({"exclude_default", "inner_name"})


class UnresolvedError(TypeError):
    """An annotation names what is not defined, or not yet."""


def hints_of(record_class: type, inside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the annotations of a class, where they are texts as what they name, also `inside` another one.

    Raises:
        UnresolvedError: One of them names what is not there.
    """
    try:
        return typing.get_type_hints(record_class, None, None if inside is None else dict(inside), include_extras=True)
    except Exception as error:  # whatever the text of an annotation raises
        raise UnresolvedError(
            f"the annotations of message {record_class.__qualname__} cannot be resolved: {error}; "
            "define what they name at the top level of a module, and import it there at run time"
        ) from error


def schema_metadata(metadata: Mapping[Any, Any]) -> dict[str, Json]:
    """Return what the metadata of a field adds to the schema: all of it."""
    written: dict[str, Json] = {}
    for key, value in metadata.items():
        if key in _FOR_THE_DERIVATION:
            continue
        if not isinstance(key, str) or key in _NOT_IN_METADATA:
            raise Refusal(f"its metadata {key!r} cannot be written in a schema: leave it out")
        if key == "aliases" and type(value) not in (list, tuple):
            raise Refusal(f"the aliases of its metadata have to be a list, not {value!r}")
        try:
            written[key] = as_json(value)
        except TypeError as error:
            raise Refusal(f"its metadata {key!r}: {value!r} cannot be written in a schema: {error}") from error
    return written


def fields_in_order(record_class: Any, meta: RecordMeta) -> list[dataclasses.Field[Any]]:
    """Return the fields that are sent, as the record has them."""
    fields = {one.name: one for one in dataclasses.fields(record_class)}
    for name in meta.exclude:
        left_out = fields.pop(name, None)
        if left_out is not None and left_out.default is MISSING and left_out.default_factory is MISSING:
            raise TypeError(
                f"field {name!r} of message {record_class.__qualname__} needs a default: Meta.exclude says that it is "
                "not sent"
            )
    order = list(meta.field_order or ())
    if len(set(order)) < len(order) or not set(order) <= set(fields):
        raise TypeError(
            f"Meta.field_order of {record_class.__qualname__} has to name each of {list(fields)} at most once, "
            f"and nothing else, not {order}"
        )
    return [fields[name] for name in [*order, *(one for one in fields if one not in order)]]


def check_is_complete(record_class: type) -> None:
    """Raise unless a class without a decorator of its own is the dataclass that it is derived from."""
    own = own_annotations(record_class)
    given = typing.cast(Any, record_class)
    known = {one.name for one in dataclasses.fields(given)} if dataclasses.is_dataclass(given) else None
    if known is None or any(name not in known and "ClassVar" not in str(own[name]) for name in own):
        raise TypeError(f"message {record_class.__qualname__} is no dataclass: write @dataclass above it")
