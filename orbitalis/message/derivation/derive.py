"""What message classes use: their tree, their schema, and the check of their annotations."""

from __future__ import annotations

import dataclasses
import json
import types
from dataclasses import MISSING
from typing import Any, ClassVar, cast, get_origin

from orbitalis.annotations import own_annotations
from orbitalis.message.derivation.field_types import FieldType, Json, RecordField
from orbitalis.message.derivation.reader import Place, Reader
from orbitalis.message.derivation.record_fields import UnresolvedError, hints_of
from orbitalis.message.derivation.record_meta import RecordMeta
from orbitalis.message.derivation.refusals import Refusal
from orbitalis_avro.canonical_form import canonical_form_of

__all__ = ["check_field_types", "derive_schema", "read_annotation", "read_record", "schema_text"]


def read_record(record_class: type) -> RecordField:
    """Return the tree of a dataclass: what all its fields are, in Python and in Avro.

    Raises:
        TypeError: A field or its default cannot be sent, the class contains itself, or what its annotations name is
            not there.
    """
    name = RecordMeta.of(record_class).schema_name or record_class.__name__
    found = Reader(record_class).record(record_class, name)
    try:
        canonical_form_of(found.avro)
    except ValueError as error:
        raise TypeError(f"message {record_class.__qualname__} has no Avro schema: {error}") from error
    return found


def derive_schema(record_class: type) -> dict[str, Json]:
    """Return the Avro schema of a dataclass as JSON.

    Raises:
        TypeError: As :func:`read_record`.
    """
    return cast("dict[str, Json]", read_record(record_class).avro)


def schema_text(record_class: type) -> str:
    """Return the Avro schema of a dataclass as JSON text.

    Raises:
        TypeError: As :func:`read_record`.
    """
    return json.dumps(derive_schema(record_class))


def read_annotation(annotation: object, name: str = "value") -> FieldType:
    """Return what a single annotation is, in Python and in Avro, as that of a field of this name without default.

    Raises:
        TypeError: It cannot be sent.
    """
    try:
        return Reader(_Alone).read(annotation, Place(name, None, "", literals_are_enums=False))
    except Refusal as error:
        raise TypeError(str(error)) from error


def check_field_types(record_class: type) -> None:
    """Check the fields that a class adds to those of its bases, before it is a dataclass.

    What an annotation names may be defined later: that is left for :func:`read_record`, and so are values that default
    factories make.

    Raises:
        TypeError: A field or its default cannot be sent.
    """
    meta = RecordMeta.of(record_class)
    for name, annotation in own_annotations(record_class).items():
        try:
            # One by one: others may be resolved when this one cannot.
            alone = {"__annotations__": {name: annotation}, "__module__": record_class.__module__}
            hint = hints_of(type(record_class.__qualname__, (), alone), vars(record_class))[name]
            if _is_field(hint):
                place = Place(name, None, meta.namespace or "", meta.convert_literal_to_enum)
                reader = Reader(record_class, make_defaults=False)
                with reader.inside(record_class):
                    reader.field(record_class, name, hint, _field_of(record_class, name), place)
        except UnresolvedError:
            continue


class _Alone:
    """Stands for the class of a field where there is none."""


def _is_field(hint: Any) -> bool:
    return (
        hint is not dataclasses.KW_ONLY
        and get_origin(hint) is not ClassVar
        and hint is not ClassVar
        and not isinstance(hint, dataclasses.InitVar)
    )


def _field_of(record_class: type, name: str) -> dataclasses.Field[Any]:
    """Return the field that @dataclass is going to make."""
    given: Any = getattr(record_class, name, MISSING)
    # Where a dataclass gets slots, they are in the place of the defaults.
    default = MISSING if isinstance(given, types.MemberDescriptorType) else given
    made: Any = dataclasses.field(default=default)
    return cast("dataclasses.Field[Any]", given if type(given) is dataclasses.Field else made)
