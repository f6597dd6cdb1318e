"""What the inner class `Meta` of a message or an enum, and the docstring, say about the schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeGuard, TypeVar, cast

from orbitalis.annotations import signature_of
from orbitalis.message.derivation.field_types import Json

__all__ = ["RecordMeta", "as_json", "enum_meta", "reference_meta"]

T = TypeVar("T")

_NOT_SUPPORTED: Final = ("dacite_config",)


@dataclass(frozen=True, slots=True)
class RecordMeta:
    """The attributes of `Meta`, which are those of dataclasses-avroschema."""

    schema_name: str | None = None
    schema_doc: bool | str = True
    namespace: str | None = None
    aliases: Sequence[str] | None = None
    alias_nested_items: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names for the records in fields of these names, wherever in the message the fields are."""
    field_order: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    """Fields that are not sent."""
    convert_literal_to_enum: bool = False

    @staticmethod
    def of(record_class: type) -> RecordMeta:
        """Return what a class says: in `Meta`, or in its own attributes if it has none.

        Raises:
            TypeError: An attribute of `Meta` has a value of another type, or is not supported.
        """
        meta = getattr(record_class, "Meta", None)
        source: object = record_class if meta is None else meta

        def read(name: str, fits: Callable[[object], TypeGuard[T]], default: T, expected: str) -> T:
            value = getattr(source, name, default)
            if fits(value):
                return value
            # An attribute of the message itself may be anything: the default of a field, for example.
            if meta is not None and value is not None:
                raise TypeError(f"Meta.{name} of {record_class.__qualname__} has to be {expected}, not {value!r}")
            return default

        for name in _NOT_SUPPORTED:
            if meta is not None and hasattr(meta, name):
                raise TypeError(f"Meta.{name} of {record_class.__qualname__} is not supported: leave it out")
        return RecordMeta(
            schema_name=read("schema_name", _is_text_or_none, None, "a text") or None,
            schema_doc=read("schema_doc", _is_doc, True, "a text or a bool"),
            namespace=read("namespace", _is_text_or_none, None, "a text"),
            aliases=read("aliases", _is_texts_or_none, None, "a list of texts"),
            alias_nested_items=read("alias_nested_items", _is_names, {}, "a dict of texts"),
            field_order=read("field_order", _is_texts_or_none, None, "a list of field names"),
            exclude=read("exclude", _is_texts, (), "a list of field names"),
            convert_literal_to_enum=read("convert_literal_to_enum", _is_bool, False, "a bool"),
        )

    def documentation(self, record_class: type) -> str | None:
        """Return what is to be said about the record: `schema_doc`, or the docstring if somebody has written one."""
        if not self.schema_doc:
            return None
        doc = self.schema_doc if isinstance(self.schema_doc, str) else record_class.__doc__
        if doc is None or (doc is not self.schema_doc and doc == _docstring_of_dataclass(record_class)):
            return None
        return doc.strip()


def reference_meta(record_class: type) -> RecordMeta:
    """Return what `Meta` says for a reference to a record: without one, the attributes of the class do not count."""
    return RecordMeta.of(record_class) if getattr(record_class, "Meta", None) is not None else RecordMeta()


def enum_meta(enum_class: type[Enum], symbols: Sequence[str]) -> tuple[str, str | None, dict[str, Json]]:
    """Return name and namespace of an enum, and what else stands in its schema after the symbols.

    Raises:
        TypeError: An attribute of `Meta` cannot be written in a schema.
    """
    # An inner class is a member until Python 3.13.
    member = enum_class.__members__.get("Meta")
    meta: object = getattr(enum_class, "Meta", None) if member is None else member.value
    more: dict[str, Any] = {}
    for name in ("aliases", "doc", "namespace"):
        value: object = getattr(meta, name, None)
        if name == "doc" and enum_class.__doc__ is not None:
            value = enum_class.__doc__.strip()
        if value:
            more[name] = value
    if hasattr(meta, "default"):
        default: Any = cast(Any, meta).default
        if default not in symbols:
            raise TypeError(f"Meta.default of {enum_class.__qualname__} has to be one of {list(symbols)}")
        more["default"] = default
    name = getattr(meta, "schema_name", None) or enum_class.__name__
    namespace = more.get("namespace")
    if not isinstance(name, str) or not isinstance(namespace, str | None):
        raise TypeError(f"schema_name and namespace in Meta of {enum_class.__qualname__} have to be texts")
    try:
        return name, namespace, {key: as_json(value) for key, value in more.items()}
    except TypeError as error:
        raise TypeError(
            f"what Meta of {enum_class.__qualname__} says cannot be written in a schema: {error}"
        ) from error


def _docstring_of_dataclass(record_class: type) -> str | None:
    """Return the docstring that a dataclass gets when nobody has written one."""
    try:
        return record_class.__name__ + str(signature_of(record_class)).replace(" -> None", "")
    except (TypeError, ValueError):
        return None


def as_json(value: object) -> Json:
    """Return a value as JSON has it: a tuple as a list.

    Raises:
        TypeError: JSON cannot say it.
    """
    try:
        written: Json = json.loads(json.dumps(value))
    except (ValueError, RecursionError) as error:
        raise TypeError(str(error)) from error
    return written


def _is_bool(value: object) -> TypeGuard[bool]:
    return isinstance(value, bool)


def _is_doc(value: object) -> TypeGuard[bool | str]:
    return isinstance(value, bool | str)


def _is_text_or_none(value: object) -> TypeGuard[str | None]:
    return isinstance(value, str | None)


def _is_texts(value: object) -> TypeGuard[Sequence[str]]:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in cast("Sequence[object]", value))


def _is_texts_or_none(value: object) -> TypeGuard[Sequence[str] | None]:
    return value is None or _is_texts(value)


def _is_names(value: object) -> TypeGuard[Mapping[str, str]]:
    return isinstance(value, dict) and all(
        isinstance(one, str) for pair in cast("dict[object, object]", value).items() for one in pair
    )
