"""Reads annotations into the tree of :mod:`~orbitalis.message.derivation.field_types`."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Generator, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, replace
from decimal import Decimal
from enum import Enum, Flag
from re import compile as compile_pattern
from types import UnionType
from typing import Any, Final, Literal, TypeGuard, Union, cast

from orbitalis.message.derivation.defaults import UnfitDefaultError, default_in_schema
from orbitalis.message.derivation.field_types import (
    EnumField,
    FieldType,
    FixedField,
    Json,
    ListField,
    LiteralField,
    MapField,
    RecordField,
    RecordMember,
    ScalarField,
    TupleField,
    UnionField,
)
from orbitalis.message.derivation.marks import KINDS, decimal_field, fixed_size, kind_of, scalar_field, unwrap
from orbitalis.message.derivation.record_fields import check_is_complete, fields_in_order, hints_of, schema_metadata
from orbitalis.message.derivation.record_meta import RecordMeta, enum_meta, reference_meta
from orbitalis.message.derivation.refusals import Refusal, refusal, shown
from orbitalis.message.derivation.singular import singular
from orbitalis.message.derivation.unions import (
    add_branch,
    check_told_apart,
    depth_of,
    null_field,
    takes_no_bytes,
    takes_none,
    union_field,
)

__all__ = ["Place", "Reader"]

_LISTS: Final = (list, Sequence, MutableSequence)


_MAPS: Final = (dict, Mapping, MutableMapping)


_UNIONS: Final = (Union, UnionType)

_DEEPEST: Final = 8
"""Python has a bound for loops in loops, and a codec takes two for each level."""


_NAME: Final = compile_pattern(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a type stands."""

    field: str
    """Name of the field, by which types without a name of their own are named."""
    inner_name: str | None
    """What the field's metadata says instead."""
    namespace: str
    """Of the records around."""
    literals_are_enums: bool

    def inside(self, field: str | None = None) -> Place:
        """Return the place of a type in this one."""
        return replace(self, field=self.field if field is None else field, inner_name=None)

    @property
    def name(self) -> str:
        """Name of a type that has none of its own."""
        return self.inner_name or singular(self.field)

    def full_name(self, name: str, namespace: str | None = None) -> str:
        """Return the name of a type with its namespace: its own, or that around it."""
        around = self.namespace if namespace is None else namespace
        return f"{around}.{name}" if around and "." not in name else name


class Reader:
    """Reads one message class: what has a name is written out once, and referred to from then on."""

    def __init__(self, root: type, *, make_defaults: bool = True) -> None:
        self._root = root
        self._make_defaults = make_defaults
        """Whether default factories are called."""
        self._aliases = RecordMeta.of(root).alias_nested_items
        self._seen: dict[type, RecordField | EnumField] = {}
        self._fixed: dict[str, FixedField] = {}
        self._names: set[str] = set()
        """Full names that are taken."""
        self._open: list[object] = []
        """The records, and the aliases of types, that are being read."""

    def record(self, record_class: type, name: str, around: str = "") -> RecordField:
        """Read a dataclass, as a record of this name in the namespace `around`."""
        if "__dataclass_fields__" not in vars(record_class):
            check_is_complete(record_class)
        meta = RecordMeta.of(record_class)
        namespace = around if meta.namespace is None else meta.namespace
        place = Place("", None, namespace, meta.convert_literal_to_enum)
        full_name = place.full_name(name)
        self._claim(full_name)
        hints = hints_of(record_class)
        members: list[RecordMember] = []
        fields: list[Json] = []
        with self.inside(record_class):
            for one in fields_in_order(record_class, meta):
                member_type, written = self.field(record_class, one.name, hints[one.name], one, place)
                members.append(RecordMember(one.name, member_type, one.init))
                fields.append(written)
        schema: dict[str, Json] = {"type": "record", "name": name, "fields": fields}
        doc = meta.documentation(record_class)
        if doc is not None:
            schema["doc"] = doc
        if meta.namespace is not None:
            schema["namespace"] = meta.namespace
        if meta.aliases is not None:
            schema["aliases"] = list(meta.aliases)
        return RecordField(record_class, tuple(members), full_name, schema)

    def field(
        self, owner: type, name: str, annotation: object, source: dataclasses.Field[Any], place: Place
    ) -> tuple[FieldType, Json]:
        """Read one field of a class: its type, and what the schema says about it.

        Raises:
            TypeError: It cannot be sent, or its default cannot.
        """
        try:
            return self._field(name, annotation, source, place)
        except Refusal as error:
            raise TypeError(f"field {name!r} of message {owner.__qualname__}: {error}") from error

    def _field(
        self, name: str, annotation: object, source: dataclasses.Field[Any], place: Place
    ) -> tuple[FieldType, Json]:
        metadata = schema_metadata(source.metadata)
        inner_name = source.metadata.get("inner_name")
        if not isinstance(inner_name, str | None):
            raise Refusal(f"the inner_name of its metadata has to be a text, not {inner_name!r}")
        place = replace(place, field=name, inner_name=inner_name)
        made = source.default_factory is not MISSING
        found = self.read(annotation, place, source.default, made)
        if depth_of(found) > _DEEPEST:
            raise Refusal(
                f"lists, tuples and dicts nest more than {_DEEPEST} levels deep in it: "
                "put the inner ones into a dataclass of their own"
            )
        if source.default is None and takes_none(found):
            found = union_field([null_field(), found])
        written: dict[str, Json] = {**metadata, "name": name, "type": found.avro}
        if source.metadata.get("exclude_default", False) or (made and not self._make_defaults):
            return found, written
        default = source.default
        if source.default_factory is not MISSING:
            try:
                default = source.default_factory()
            except Exception as error:
                raise Refusal(f"its default_factory fails with {type(error).__name__}: {error}") from error
        if default is not MISSING:
            written["default"] = _default_of_field(found, default, made)
        return found, written

    def read(self, annotation: Any, place: Place, default: object = MISSING, made: bool = False) -> FieldType:
        """Read an annotation.

        Args:
            annotation: Texts in it are resolved already.
            place: Where it stands.
            default: That of the field, if the annotation is the field's own. It decides the first branch of a union.
            made: Whether the field has a default factory.
        """
        plain, marks, aliases = unwrap(annotation)
        with self.inside(*aliases):
            return self._read(plain, marks, place, default, made)

    def _read(self, plain: Any, marks: Sequence[object], place: Place, default: object, made: bool) -> FieldType:
        origin = typing.get_origin(plain)
        arguments = typing.get_args(plain)
        if origin in _UNIONS:
            return self._union(arguments, place, default, made)
        if origin is Literal:
            return self._literal(arguments, place, default, made)
        if origin in _LISTS and len(arguments) == 1:
            items = self._items(arguments[0], place, default)
            return ListField(items, {"type": "array", "items": items.avro, "name": place.name})
        if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
            items = self._items(arguments[0], place, default)
            return TupleField(items, {"type": "array", "items": items.avro, "name": place.name})
        if origin in _MAPS and len(arguments) == 2 and unwrap(arguments[0])[0] is str:
            values = self.read(arguments[1], place.inside())
            return MapField(values, {"type": "map", "values": values.avro, "name": place.name})
        if not isinstance(plain, type) or origin is not None:
            raise refusal(plain)
        if plain is Decimal:
            return decimal_field(marks)
        if size := fixed_size(plain, marks):
            return self._fixed_field(size[0], size[1], place)
        if (plain, None) in KINDS:
            return scalar_field(plain, marks)
        if _is_enum(plain):
            return self._enum(plain, place)
        if dataclasses.is_dataclass(plain):
            return self._nested(plain, place)
        raise refusal(plain)

    def _items(self, annotation: Any, place: Place, default: object) -> FieldType:
        items: FieldType
        if typing.get_origin(annotation) in _UNIONS and default is None:
            # A list that has None as default adds null to the union of its items. It always has.
            items = self._union(typing.get_args(annotation), place.inside(), None, made=False)
        else:
            items = self.read(annotation, place.inside())
        if takes_no_bytes(items):
            raise Refusal(
                f"{self._root.__qualname__} cannot be a message: items of an array take no bytes, "
                "and a stranger could claim any number of them"
            )
        return items

    def _union(self, annotations: Iterable[Any], place: Place, default: object, made: bool) -> UnionField:
        inner = place.inside(singular(place.field))
        branches: list[FieldType] = []
        brought: FieldType | None = None
        """What the default puts in front, of whatever type it is."""
        if default is None and not made:
            branches.append(null_field())
        elif default is not MISSING and not made and _is_readable(type(default)):
            brought = self.read(type(default), inner)
            branches.append(brought)
        declared: list[tuple[Any, FieldType]] = []
        for annotation in annotations:
            plain, marks, _ = unwrap(annotation)
            if brought is not None and plain is type(default) and kind_of(marks) is None:
                branches[0] = branch = brought
            else:
                branch = self.read(annotation, inner)
                add_branch(branches, branch, brought)
            declared.append((annotation, branch))
        check_told_apart(declared)
        if branches and default is not MISSING and default is not None and not made:
            if not any(_admits(branch, default) for _, branch in declared):
                expected = " | ".join(shown(annotation) for annotation, _ in declared)
                raise Refusal(f"its default {default!r} is no {expected}")
            if brought is None:
                branches.sort(key=lambda branch: not _admits(branch, default))
        return union_field(branches)

    def _literal(self, values: tuple[Any, ...], place: Place, default: object, made: bool) -> LiteralField:
        types: list[type] = list(dict.fromkeys(map(type, values)))
        carrier: FieldType
        if types == [str] and place.literals_are_enums:
            carrier = self._enum_of_literal(values, place)
        elif len(types) > 1:
            carrier = self._union(types, place.inside(), default, made)
        else:
            carrier = self.read(types[0], place.inside())
            if default is None and takes_none(carrier):
                carrier = union_field([null_field(), carrier])
        if default is None and isinstance(carrier, UnionField) and None not in values:
            values = (None, *values)
        return LiteralField(values, cast("ScalarField | EnumField | UnionField", carrier), carrier.avro)

    def _enum_of_literal(self, values: tuple[str, ...], place: Place) -> EnumField:
        _check_symbols(values, f"Literal{list(values)}")
        full_name = place.full_name(place.field)
        self._claim(full_name)
        avro: Json = {"type": "enum", "name": place.field, "symbols": list(values)}
        return EnumField(str, {one: one for one in values}, full_name, avro)

    def _enum(self, enum_class: type[Enum], place: Place) -> EnumField:
        members = [one for one in enum_class if one.name != "Meta"]
        if all(isinstance(one.value, str) for one in members):
            symbols = {str.__str__(one.value): one for one in members}
        else:
            symbols = {one.name: one for one in members}
        if not symbols:
            raise Refusal(f"{enum_class.__qualname__} cannot be sent: it has no members")
        _check_symbols(symbols, enum_class.__qualname__)
        name, namespace, more = enum_meta(enum_class, tuple(symbols))
        known = self._seen.get(enum_class)
        if isinstance(known, EnumField):
            return replace(known, avro=self._reference(known.name, name, namespace, place))
        full_name = place.full_name(name, namespace)
        self._claim(full_name)
        avro: Json = {"type": "enum", "name": name, "symbols": list(symbols), **more}
        found = self._seen[enum_class] = EnumField(enum_class, symbols, full_name, avro)
        return found

    def _nested(self, record_class: type, place: Place) -> RecordField:
        if record_class in self._open:
            raise Refusal(
                f"{self._root.__qualname__} cannot be a message: {record_class.__qualname__} contains itself, "
                "and a stranger could nest it deep enough to crash the decoder"
            )
        meta = reference_meta(record_class)
        alias = self._aliases.get(place.field)
        name = alias or meta.schema_name or record_class.__name__
        known = self._seen.get(record_class)
        if isinstance(known, RecordField) and alias is None:
            return replace(known, avro=self._reference(known.name, name, meta.namespace, place))
        found = self._seen[record_class] = self.record(record_class, name, place.namespace)
        return found

    def _fixed_field(self, size: int, more: dict[str, Json], place: Place) -> FixedField:
        namespace = more.get("namespace")
        full_name = place.full_name(place.name, namespace if isinstance(namespace, str) else None)
        avro: Json = {"type": "fixed", "name": place.name, "size": size, **more}
        known = self._fixed.get(full_name)
        if known is not None and known.avro == avro:
            return replace(known, avro=self._reference(full_name, place.name, None, place))
        self._claim(full_name)
        found = self._fixed[full_name] = FixedField(size, full_name, avro)
        return found

    def _reference(self, full_name: str, name: str, namespace: str | None, place: Place) -> str:
        """Return how a type is referred to: in as few words as it always was, if that says which one it is."""
        short = name if namespace is None else f"{namespace}.{name}"
        if place.full_name(short) == full_name:
            return short
        if place.full_name(full_name) == full_name:
            return full_name
        raise Refusal(
            f"{full_name} has no namespace, and is used inside of the namespace {place.namespace}, where Avro cannot "
            "refer to it: give it a namespace in an inner class Meta"
        )

    def _claim(self, full_name: str) -> None:
        if full_name in self._names:
            raise Refusal(
                f"two types in {self._root.__qualname__} are called {full_name}: give one of them a schema_name in an "
                "inner class Meta, or an inner_name in the metadata of its field"
            )
        self._names.add(full_name)

    @contextmanager
    def inside(self, *read: object) -> Generator[None]:
        """Read within these; raises :class:`Refusal` if one of them is being read already, since it contains itself."""
        for one in read:
            if one in self._open:
                raise Refusal(f"{self._root.__qualname__} cannot be a message: {shown(one)} contains itself")
        self._open.extend(read)
        try:
            yield
        finally:
            del self._open[len(self._open) - len(read) :]


def _check_symbols(symbols: Iterable[str], owner: str) -> None:
    for one in symbols:
        if not _NAME.fullmatch(one):
            raise Refusal(
                f"{owner} cannot be sent: {one!r} is no symbol of an Avro enum, which is made of letters A to Z, "
                "digits and underscores and begins with no digit: choose another text"
            )


def _is_readable(python_type: type) -> bool:
    """Return whether a type says by itself what it is in Avro."""
    return (python_type, None) in KINDS or _is_enum(python_type) or dataclasses.is_dataclass(python_type)


def _is_enum(python_type: type) -> TypeGuard[type[Enum]]:
    return issubclass(python_type, Enum) and not issubclass(python_type, Flag)


def _admits(field_type: FieldType, value: object) -> bool:
    try:
        default_in_schema(field_type, value)
    except UnfitDefaultError:
        return False
    return True


def _default_of_field(field_type: FieldType, value: object, made: bool) -> Json:
    """Return what the schema says for a default."""
    if value is None and isinstance(field_type, ListField | TupleField):
        return []
    if value is None and isinstance(field_type, MapField):
        return {}
    try:
        written = default_in_schema(field_type, value)
    except UnfitDefaultError as error:
        raise Refusal(f"its default {value!r} does not fit: expected {error}") from error
    if isinstance(field_type, UnionField) and value is not None and not _admits(field_type.branches[0], value):
        raise Refusal(f"its default {value!r} has to be of the first type of the union: write that type first")
    return written
