"""Methods that a decorator has declared to be something: found through a class and its bases, read when it is made."""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType
from typing import Any, Self, TypeGuard, TypeVar, cast, get_args, get_origin

from orbitalis.message.payload_types import PayloadTypes
from orbitalis.orbiter.annotations import Names, Parameters, has_type_variable, substitute

__all__ = ["DeclaredMethod", "declarations_of", "read_declarations"]

T = TypeVar("T", bound="DeclaredMethod")


class DeclaredMethod(ABC):
    """What stands in a class in place of a decorated method; an instance has the method as ever.

    The annotations are read when the class is made. Where one names what is not there yet, that is tried again when
    they are needed.
    """

    is_static = False
    """Whether the function has no parameter `self`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Declare a function that is about to become a method.

        Raises:
            TypeError: It is no function.
        """
        given = function.__func__ if isinstance(function, staticmethod) else function
        if not isinstance(given, FunctionType):
            raise TypeError(f"expected a method to decorate, got {function!r}")
        self.__doc__ = given.__doc__
        self.__name__ = given.__name__
        self.__qualname__ = given.__qualname__
        self.__module__ = given.__module__
        self.function: FunctionType = given
        """What was decorated."""
        self.__isabstractmethod__: bool = getattr(given, "__isabstractmethod__", False)
        self._names = Names(given)
        self._attribute: str = given.__name__
        self._arguments: dict[object, object] = {}
        self._overrides: DeclaredMethod | None = None
        self._is_read = False

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute."""
        self._attribute = name

    def __repr__(self) -> str:
        """Show whose it is."""
        return f"<{type(self).__name__} {self.function.__module__}.{self.function.__qualname__}>"

    @property
    def attribute(self) -> str:
        """Name of the method."""
        return self._attribute

    @property
    @abstractmethod
    def operation_name(self) -> str:
        """The operation that it is about."""

    # Reading

    def read(self) -> None:
        """Read the annotations, unless that is done; those of a generic class are read where it is specialised.

        Raises:
            TypeError: They are not what they have to be.
        """
        if not self._is_read:
            try:
                self._is_read = self._read()
            except TypeError as error:
                raise self.wrong(str(error)) from None
            except NameError:
                return
        if self._is_read:
            self._names.forget()

    def need(self) -> None:
        """Read what has not been read yet.

        Raises:
            TypeError: The annotations are not what they have to be, or cannot be read.
        """
        self.read()
        if self._is_read:
            return
        try:
            unread = self._read()
        except NameError as error:
            raise self.wrong(
                f"has annotations that cannot be read: {error}; define or import that at run time, not for type "
                "checkers only, and before the class is used"
            ) from None
        assert not unread
        raise self.wrong("has annotations with an open type variable: derive a class that says what it stands for")

    @abstractmethod
    def _read(self) -> bool:
        """Read the annotations; return whether they had no open type variable.

        Raises:
            TypeError: They are not what they have to be; the message goes on after the name of the method.
            NameError: They name what is not there (yet).
        """

    def _parameters(self) -> Parameters:
        return Parameters.of(self.function, self._names, has_self=not self.is_static)

    def _payload_types(self, parameters: Parameters, name: str) -> PayloadTypes | None:
        """Read the annotation of a parameter or of `return`; `None` if it has an open type variable."""
        annotation = substitute(parameters.annotation(name, self._names), self._arguments)
        if has_type_variable(annotation):
            return None
        where = "returns" if name == "return" else f"parameter '{name}':"
        try:
            return PayloadTypes.of_annotation(annotation)
        except TypeError as error:
            raise TypeError(f"{where} {error}") from None

    def _check_async(self) -> None:
        if inspect.isasyncgenfunction(self.function):
            raise TypeError("yields: return one result, and send others with send_result_to_all")
        if not inspect.iscoroutinefunction(self.function):
            raise TypeError("is not asynchronous: write 'async def'")

    def wrong(self, text: str) -> TypeError:
        """Return the error for what is wrong with the method."""
        return TypeError(f"{self.function.__module__}.{self.function.__qualname__} {text}")

    # Inheriting

    def overridden(self, function: Callable[..., Any]) -> Self:
        """Return the same declaration for a function that overrides the method without a decorator."""
        other = copy.copy(self)
        DeclaredMethod.__init__(other, function)
        other._arguments = self._arguments
        other._overrides = self
        return other

    def specialised(self, arguments: dict[object, object]) -> Self:
        """Return the same declaration with type variables replaced."""
        other = copy.copy(self)
        other._arguments = {
            **{variable: substitute(one, arguments) for variable, one in self._arguments.items()},
            **{variable: one for variable, one in arguments.items() if variable not in self._arguments},
        }
        return other

    @property
    def is_read(self) -> bool:
        """Whether the annotations have been read."""
        return self._is_read

    def bound_to(self, instance: object) -> Callable[..., Any]:
        """Return the method of an instance."""
        return MethodType(self.function, instance)


def read_declarations(owner: type, is_one: Callable[[object], TypeGuard[T]]) -> None:
    """Read the declarations of one kind in a new class, and put those in place that it inherits and changes.

    A method that overrides a declared one keeps the declaration unless it has one of its own.

    Raises:
        TypeError: One of them is not what it has to be, or two of them are about the same operation.
    """
    arguments = _type_arguments(owner)
    for name in dict.fromkeys(name for base in owner.__mro__ for name in vars(base)):
        found = [vars(base)[name] for base in owner.__mro__ if name in vars(base)]
        declared = next((one for one in found if is_one(one)), None)
        if declared is None:
            continue
        if found[0] is declared:
            if declared.is_read or name in vars(owner) or not arguments:
                continue
            here = declared.specialised(arguments)
        elif isinstance(found[0], FunctionType) or (declared.is_static and isinstance(found[0], staticmethod)):
            here = declared.specialised(arguments).overridden(cast("Callable[..., Any]", found[0]))
        else:
            continue
        setattr(owner, name, here)
        here.__set_name__(owner, name)
    by_operation: dict[str, DeclaredMethod] = {}
    for one in vars(owner).values():
        if is_one(one):
            other = by_operation.setdefault(one.operation_name, one)
            if other is not one:
                raise one.wrong(
                    f"is about operation '{one.operation_name}', as '{other.attribute}' of the same class is: give one "
                    "of them another name"
                )
            one.read()


def declarations_of(owner: type, is_one: Callable[[object], TypeGuard[T]]) -> Iterable[T]:
    """Return the declarations of one kind in a class and its bases, those of bases first."""
    found: dict[str, T] = {}
    for base in reversed(owner.__mro__):
        for name, one in vars(base).items():
            # The last one is the most derived; it is to come last.
            found.pop(name, None)
            if is_one(one):
                found[name] = one
    return found.values()


def _type_arguments(owner: type) -> dict[object, object]:
    """Return what a class says that type variables of its bases stand for."""
    arguments: dict[object, object] = {}
    for base in getattr(owner, "__orig_bases__", ()):
        variables = getattr(get_origin(base), "__parameters__", ())
        arguments.update(zip(variables, get_args(base), strict=False))
    return arguments
