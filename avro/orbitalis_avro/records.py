"""What the classes of records and topics have in common. They are frozen dataclasses with slots, cheap to import.

`@dataclass` compiles the methods of each class whenever it is imported. Here, each class has its own `__init__`, which
is compiled once, and shares the rest.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, fields
from typing import Any, ClassVar, Final, TypeVar, dataclass_transform

__all__ = ["ABSENT", "TEXT", "Record", "not_several", "record"]

R = TypeVar("R", bound="Record")

ABSENT: Final[Any] = object()
"""Default of a parameter whose value is made anew for each instance."""

TEXT: Final[type[object]] = str
"""The class of texts, for type checkers that are sure not to find one."""


class Record:
    """Base of all records: frozen, and equal to another one of the same class with equal fields."""

    __slots__: tuple[str, ...] = ()

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    __record_fields__: ClassVar[tuple[str, ...]]
    """The names of the fields."""

    def __eq__(self, other: object) -> bool:
        """Compare the fields."""
        if type(other) is not type(self):
            return NotImplemented
        return _values(self, self.__record_fields__) == _values(other, self.__record_fields__)

    def __hash__(self) -> int:
        """Hash the fields."""
        return hash(_values(self, self.__record_fields__))

    def __repr__(self) -> str:
        """Show the call that makes an equal one."""
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__record_fields__)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: object) -> None:
        """Set what is no field: only a class that is no record, but derives from one, can have such a thing."""
        if name in self.__record_fields__ or _is_record(type(self)):
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Delete what is no field."""
        if name in self.__record_fields__ or _is_record(type(self)):
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super().__delattr__(name)

    def __getstate__(self) -> object:
        """Return what is copied or pickled."""
        return _values(self, _fields_of(type(self)))

    def __setstate__(self, state: tuple[object, ...]) -> None:
        """Take over what was copied or pickled."""
        for name, value in zip(_fields_of(type(self)), state, strict=True):
            object.__setattr__(self, name, value)


@dataclass_transform(kw_only_default=True, frozen_default=True)
def record(class_: type[R]) -> type[R]:
    """Make a frozen dataclass of a class that has slots and an `__init__`; it may derive from another record."""
    # `frozen=True` compiles methods that Record has already. Only a class that derives from a frozen one needs it.
    is_derived = any(map(_is_record, class_.__mro__[1:]))
    dataclass(init=False, repr=False, eq=False, kw_only=True, frozen=is_derived)(class_)
    # Without this, no frozen dataclass could derive from the class.
    vars(class_)["__dataclass_params__"].frozen = True
    class_.__record_fields__ = _fields_of(class_)
    given: dict[str, object] = getattr(vars(class_).get("__init__"), "__kwdefaults__", None) or {}
    defaults = {name: value for name, value in given.items() if value is not ABSENT}
    for field in fields(class_):
        field.default = defaults.get(field.name, MISSING)
    return class_


def not_several(name: str, value: object) -> TypeError:
    """Return an error about a text where several belong, of which each letter would be one."""
    return TypeError(f"{name} must be a list, got {value!r}: write [{value!r}]")


def _fields_of(class_: type[Record]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(class_))


def _values(of: object, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple([getattr(of, name) for name in names])


def _is_record(class_: type[object]) -> bool:
    return "__record_fields__" in vars(class_)
