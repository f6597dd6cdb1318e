"""Inputs and outputs of operations: :class:`Input` and :class:`Output`. Also says when two schemas are the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache, partial
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, Self, TypeVar, cast, overload

from orbitalis.message.payload import UndecodedPayload, is_known, schema_of
from orbitalis.message.schema_text import exact_of, form_of, name_of
from orbitalis_avro.canonical_form import fingerprint_of
from orbitalis_avro.records import record
from orbitalis_wire import limits, messages
from orbitalis_wire.schemas import SCHEMAS

__all__ = [
    "Input",
    "Output",
    "SchemaSpec",
    "canonical_form",
    "is_familiar",
    "is_schema",
    "schema_fingerprint",
    "with_spellings",
]

if TYPE_CHECKING:
    # Only type checkers need the default, and it takes long to import what gives it.
    import typing_extensions

    P = typing_extensions.TypeVar("P", default=Any)
else:
    P = TypeVar("P")
M = TypeVar("M")
Q = TypeVar("Q")
T = TypeVar("T")
T_spec = TypeVar("T_spec", bound="SchemaSpec")

_set: Final = object.__setattr__


_CACHED: Final = 128
"""Schemas whose canonical form is kept, and as many old ones: strangers may name ever new ones, at most 32 MiB."""
_GENERATED: Final = {one.schema: one.canonical_form for one in SCHEMAS}
"""Canonical forms of the messages of the protocol: they are always at hand."""


class _Forms(dict[str, "str | None"]):
    """Canonical forms of the schemas that were asked for last, and `None` for what stands for itself.

    Look one up with `[]`: what is missing is worked out, and what is there costs no call. When this is full, the forms
    become the `old` ones. An old one comes back when it is asked for; when this is full again, the rest is dropped.
    """

    def __init__(self) -> None:
        super().__init__(_GENERATED)
        self.old: dict[str, str | None] = {}

    def __missing__(self, schema: str) -> str | None:
        if len(schema) > limits.SCHEMA_BYTES:
            return None
        # Other threads may do the same at the same time.
        old = self.old
        form = old[schema] if schema in old else form_of(schema)
        if len(self) >= _CACHED:
            self.old = dict(self)
            self.clear()
            self.update(_GENERATED)
        self[schema] = form
        return form


_forms: Final = _Forms()


def canonical_form(schema: str) -> str:
    """Return the canonical form of a schema given as JSON text: Avro's parsing canonical form, with logical types.

    Text that is no schema stands for itself, and so does one that is deeper than `limits.NESTING_DEPTH` allows, or is
    larger than `limits.SCHEMA_BYTES` here or there: it is the same as an equal text and as nothing else.
    """
    return _forms[schema] or schema


def is_familiar(schema: str) -> bool:
    """Return whether :meth:`canonical_form` takes no time, since this text was asked for lately or is too long."""
    return schema in _forms or schema in _forms.old or len(schema) > limits.SCHEMA_BYTES


def is_schema(text: str) -> bool:
    """Return whether a text is a schema that can be compared with others."""
    return _forms[text] is not None


@lru_cache(maxsize=2 * _CACHED)
def schema_fingerprint(schema: str) -> str:
    """Return the fingerprint of a schema, as the envelope has it; text that is no schema has one, too."""
    return fingerprint_of(canonical_form(schema))


@lru_cache(maxsize=_CACHED)
def _fingerprints(schemas: tuple[str, ...]) -> frozenset[str]:
    return frozenset(schema_fingerprint(schema) for schema in schemas if _forms[schema] is not None)


class _MakesInput(Protocol[M]):
    def __call__(self, *, exact: bool = False) -> Input[M]: ...


class _MakesOutput(Protocol[M]):
    def __call__(self, *, exact: bool = False) -> Output[M]: ...


class _Constructor(Generic[M]):
    """A class method that both kinds have: what it makes accepts the messages of one class."""

    def __init__(self, message_class: type[M]) -> None:
        self._message_class = message_class

    @overload
    def __get__(self, instance: object, owner: type[Input]) -> _MakesInput[M]: ...
    @overload
    def __get__(self, instance: object, owner: type[Output]) -> _MakesOutput[M]: ...
    def __get__(self, instance: object, owner: type[Any]) -> Callable[..., Any]:
        made: Any = _with_fields(owner)
        if self._message_class is NoneType:
            return partial(made, support_empty_schema=True)
        return partial(made, schemas=(schema_of(self._message_class),))


class SchemaSpec(Generic[P]):
    """A set of accepted schemas, the base of :class:`Input` and :class:`Output`.

    Both are generic in the payload, for type checkers. `Input[StringMessage]` accepts a StringMessage, and
    `Input[None]` an empty event. The payloads of `Input[Any]` (or `Input`) are known only at run time.

    Peers that can resolve schemas are also connected if one side can read the schema of the other side. With
    `exact=True`, only equal schemas match. If `exact` is a collection, this applies only to the schemas in it.

    Raises:
        TypeError: An argument is one text instead of several.
        ValueError: `exact` contains a text that is not one of the schemas.
    """

    __slots__ = ()

    schemas: Sequence[str]
    support_empty_schema: bool
    support_undefined_schema: bool
    exact: frozenset[str]
    """The schemas that match only an equal schema."""

    if TYPE_CHECKING:  # the generated record, the other base of Input and Output, has it

        def __init__(
            self,
            *,
            schemas: Sequence[str] = (),
            support_empty_schema: bool = False,
            support_undefined_schema: bool = False,
            exact: bool | Collection[str] = False,
        ) -> None: ...

    empty = _Constructor(NoneType)
    """Accept only empty events."""
    int32 = _Constructor(messages.Int32Message)
    """Accept `Int32Message`."""
    int64 = _Constructor(messages.Int64Message)
    """Accept `Int64Message`."""
    float32 = _Constructor(messages.Float32Message)
    """Accept `Float32Message`."""
    float64 = _Constructor(messages.Float64Message)
    """Accept `Float64Message`."""
    string = _Constructor(messages.StringMessage)
    """Accept `StringMessage`."""
    bytes = _Constructor(messages.BytesMessage)
    """Accept `BytesMessage`."""

    @classmethod
    def undefined(cls) -> Self:
        """Accept any payload."""
        return _with_fields(cls)(support_undefined_schema=True)

    @classmethod
    def from_schema(cls, schema: str, *, exact: bool = False) -> Self:
        """Accept payloads of one Avro schema, given as JSON text."""
        return _with_fields(cls)(schemas=(schema,), exact=exact)

    @classmethod
    def from_message(cls, message_class: type[M], *, exact: bool = False) -> SchemaSpec[M]:
        """Accept the messages of one class, generated or written by a user.

        Raises:
            TypeError: The class is not a message class.
        """
        return _Neither(schemas=(schema_of(message_class),), exact=exact)

    @classmethod
    def from_wire(cls, record: messages.Input | messages.Output | Self) -> Self:
        """Take over what a message said."""
        if type(record) is cls:
            return record
        return cls(
            schemas=record.schemas,
            support_empty_schema=record.support_empty_schema,
            support_undefined_schema=record.support_undefined_schema,
        )

    @property
    def has_some_explicit_schemas(self) -> bool:
        """Whether it has any schema."""
        return bool(self.schemas)

    @property
    def expects_something(self) -> bool:
        """Whether this accepts anything at all. An empty event counts."""
        return self.support_undefined_schema or self.support_empty_schema or bool(self.schemas)

    def is_compatible_with_schema(self, target_schema: str) -> bool:
        """Return whether a payload that was written with `target_schema` (JSON text) is accepted."""
        return self.support_undefined_schema or self._has(target_schema)

    def accepts_class(self, message_class: type[object]) -> bool:
        """Return whether messages of a class are accepted, generated or written by a user."""
        if self.support_undefined_schema:
            return True
        schema = schema_of(message_class)
        return schema in self.schemas or self._has(schema)

    def accepts_payload(self, payload: object | None) -> bool:
        """Return whether the payload of an event, as :attr:`Event.payload` gives it, is accepted."""
        if self.support_undefined_schema:
            return True
        if payload is None:
            return self.support_empty_schema
        if type(payload) is UndecodedPayload:
            return not is_known(payload) and payload.schema_fingerprint in _fingerprints(tuple(self.schemas))
        schema = schema_of(type(payload))
        return schema in self.schemas or self._has(schema)

    def _has(self, schema: str) -> bool:
        """Return whether a schema is named, perhaps in other words."""
        return (_forms[schema] or schema) in [_forms[mine] or mine for mine in self.schemas]

    def accepts(self, other: SchemaSpec) -> bool:
        """Return whether this accepts everything that `other` accepts.

        A set that accepts nothing is accepted only by a set that accepts nothing.
        """
        mine, theirs = self.schemas, other.schemas
        if self.support_undefined_schema:
            return other.support_undefined_schema or other.support_empty_schema or bool(theirs)
        if other.support_undefined_schema or (other.support_empty_schema and not self.support_empty_schema):
            return False
        if not theirs:
            return other.support_empty_schema or not (mine or self.support_empty_schema)
        if mine == theirs:
            return True
        forms = {_forms[schema] or schema for schema in mine}
        return not [schema for schema in theirs if (_forms[schema] or schema) not in forms]

    def is_compatible(self, other: SchemaSpec) -> bool:
        """Return whether both accept the same payloads."""
        return self.accepts(other) and other.accepts(self)

    def _joined(self, other: SchemaSpec) -> Self:
        """Return a set that accepts everything that one of the two accepts."""
        loose = {schema for one in (self, other) for schema in one.schemas if schema not in one.exact}
        return type(self)(
            schemas=(*self.schemas, *(schema for schema in other.schemas if schema not in self.schemas)),
            support_empty_schema=self.support_empty_schema or other.support_empty_schema,
            support_undefined_schema=self.support_undefined_schema or other.support_undefined_schema,
            exact=(self.exact | other.exact) - loose,
        )

    def exactly(self) -> Self:
        """Return the same set, in which each schema matches only an equal schema."""
        return type(self)(
            schemas=tuple(self.schemas),
            support_empty_schema=self.support_empty_schema,
            support_undefined_schema=self.support_undefined_schema,
            exact=True,
        )

    def __str__(self) -> str:
        """Return a text such as `StringMessage or empty events`."""
        if self.support_undefined_schema:
            return "anything"
        found = [name_of(schema) for schema in self.schemas]
        return " or ".join([*found, *(["empty events"] if self.support_empty_schema else [])]) or "nothing"

    def spelled_like(self, others: Sequence[SchemaSpec]) -> Self:
        """Return the same set with every schema in the words of the first of `others` that has it.

        Older peers compare schemas as JSON, including documentation, so an answer to them repeats their text.
        """
        if len(self.schemas) == 1 and others and others[0].schemas == self.schemas:
            return self
        theirs: dict[str, str] = {}
        for other in others:
            for schema in other.schemas:
                form = _forms[schema] or schema
                if form not in theirs:
                    theirs[form] = schema
        schemas = tuple(
            [theirs[form] if (form := _forms[schema] or schema) in theirs else schema for schema in self.schemas]
        )
        if schemas == self.schemas:
            return self
        return type(self)(
            schemas=schemas,
            support_empty_schema=self.support_empty_schema,
            support_undefined_schema=self.support_undefined_schema,
            exact=frozenset([theirs.get(_forms[schema] or schema, schema) for schema in self.exact]),
        )

    def __repr__(self) -> str:
        """Show the call that makes an equal one."""
        shown = [f"{name}={getattr(self, name)!r}" for name in messages.Input.__record_fields__]
        if self.exact:
            shown.append(f"exact={True if self.exact.issuperset(self.schemas) else sorted(self.exact)!r}")
        return f"{type(self).__qualname__}({', '.join(shown)})"


@record
class Input(SchemaSpec[P], messages.Input):
    """The inputs that an operation accepts, as a set of schemas."""

    __slots__ = ("exact",)

    exact: frozenset[str]

    def __init__(
        self,
        *,
        schemas: Sequence[str] = (),
        support_empty_schema: bool = False,
        support_undefined_schema: bool = False,
        exact: bool | Collection[str] = False,
    ) -> None:
        """Accept payloads of these schemas, as :class:`SchemaSpec` says."""
        super().__init__(
            schemas=schemas,
            support_empty_schema=support_empty_schema,
            support_undefined_schema=support_undefined_schema,
        )
        _set(self, "exact", exact_of(schemas, exact))

    @property
    def has_input(self) -> bool:
        """Whether the operation takes any input. An empty event counts."""
        return self.expects_something

    @classmethod
    def no_input(cls) -> Input[Any]:
        """Accept nothing: the operation has no input."""
        return Input()

    @classmethod
    def from_message(cls, message_class: type[M], *, exact: bool = False) -> Input[M]:
        """Accept the messages of one class, as :meth:`SchemaSpec.from_message` does."""
        return Input(schemas=(schema_of(message_class),), exact=exact)

    def __or__(self, other: Input[Q]) -> Input[P | Q]:
        """Accept everything that one of the two accepts."""
        return Input.from_wire(self._joined(other))


@record
class Output(SchemaSpec[P], messages.Output):
    """The outputs that an operation may send, as a set of schemas."""

    __slots__ = ("exact",)

    exact: frozenset[str]

    def __init__(
        self,
        *,
        schemas: Sequence[str] = (),
        support_empty_schema: bool = False,
        support_undefined_schema: bool = False,
        exact: bool | Collection[str] = False,
    ) -> None:
        """Accept payloads of these schemas, as :class:`SchemaSpec` says."""
        super().__init__(
            schemas=schemas,
            support_empty_schema=support_empty_schema,
            support_undefined_schema=support_undefined_schema,
        )
        _set(self, "exact", exact_of(schemas, exact))

    @property
    def has_output(self) -> bool:
        """Whether the operation has any output. An empty event counts."""
        return self.expects_something

    @classmethod
    def no_output(cls) -> Output[Any]:
        """Send nothing: the operation has no output."""
        return Output()

    @classmethod
    def from_message(cls, message_class: type[M], *, exact: bool = False) -> Output[M]:
        """Send the messages of one class, as :meth:`SchemaSpec.from_message` does."""
        return Output(schemas=(schema_of(message_class),), exact=exact)

    def __or__(self, other: Output[Q]) -> Output[P | Q]:
        """Send everything that one of the two sends."""
        return Output.from_wire(self._joined(other))


def with_spellings(alternatives: Sequence[T_spec], spellings: Iterable[str]) -> tuple[T_spec, ...]:
    """Return alternative inputs or outputs, and after them those that are the same in the words of `spellings`."""
    found = list(alternatives)
    words = [_Neither(schemas=(spelling,)) for spelling in spellings]
    for one in alternatives if words else ():
        if (other := one.spelled_like(words)) not in found:
            found.append(other)
    return tuple(found)


@record
class _Neither(SchemaSpec[P], messages.Input):
    """A set of schemas that is said to be neither of an input nor of an output."""

    __slots__ = ("exact",)

    exact: frozenset[str]

    def __init__(
        self,
        *,
        schemas: Sequence[str] = (),
        support_empty_schema: bool = False,
        support_undefined_schema: bool = False,
        exact: bool | Collection[str] = False,
    ) -> None:
        super().__init__(
            schemas=schemas,
            support_empty_schema=support_empty_schema,
            support_undefined_schema=support_undefined_schema,
        )
        _set(self, "exact", exact_of(schemas, exact))


def _with_fields(owner: type[T]) -> type[T]:
    """Return the class to make a set of schemas of: `SchemaSpec` itself has no fields."""
    return cast("type[T]", _Neither) if owner is SchemaSpec else owner
