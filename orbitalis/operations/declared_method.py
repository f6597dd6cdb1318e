"""Declarations of a class, such as decorated methods: how they are found in its bases, and read when it is made."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Self, TypeGuard, TypeVar, cast, get_args, get_origin

from orbitalis.annotations import own_annotations, signature_of
from orbitalis.bus.event_handler import EventHandler
from orbitalis.message.payload_types import PayloadTypes
from orbitalis.operations.annotations import Names, Parameters, has_type_variable, substitute
from orbitalis.operations.handlers import ConnectionFunctionHandler, FunctionHandler, MethodHandler, OnResult

__all__ = ["Declaration", "DeclaredMethod", "declarations_of", "read_declarations"]

T = TypeVar("T", bound="Declaration")


class Declaration:
    """What a class says about one operation, by an attribute.

    It is read when the class is made. If it names something that is not there yet, it is read again when it is needed.
    """

    is_static = False
    """Whether it is a function without a parameter `self`."""

    name: str
    """Name of the operation."""
    attribute: str
    """Name of the attribute."""
    is_read: bool
    """Whether it has been read."""

    def __init__(self, attribute: str, name: str | None = None) -> None:
        """Declare something about an operation; its name is that of the attribute unless `name` is given."""
        self.is_read = False
        self._given_name = name
        self._set_names(attribute)
        self._arguments: dict[object, object] = {}
        """By type variable: what it stands for."""
        # What it says, once it is read.
        self._payloads: PayloadTypes | None = None
        self._results: PayloadTypes | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute."""
        self._set_names(name)

    def _set_names(self, attribute: str) -> None:
        self.attribute = attribute
        self.name = self._given_name or attribute

    def __repr__(self) -> str:
        """Show where it stands."""
        return f"<{type(self).__name__} {self._place}>"

    @property
    def _place(self) -> str:
        """Where it stands, for errors."""
        raise NotImplementedError

    # Reading

    def read(self) -> None:
        """Read what is declared if that can be done now.

        Annotations with a type variable are read in the class that says what it stands for.

        Raises:
            TypeError: What is declared is wrong.
        """
        if not self.is_read:
            try:
                self.is_read = self._read()
            except TypeError as error:
                raise self.wrong(str(error)) from None
            except NameError:
                return

    def need(self) -> None:
        """Read what is declared unless it is read.

        Raises:
            TypeError: What is declared is wrong, or cannot be read.
        """
        self.read()
        if self.is_read:
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

    def _read(self) -> bool:
        """Read what is declared; return `False` if a type variable is open.

        Raises:
            TypeError: What is declared is wrong; the text continues a sentence that begins with the place.
            NameError: It names something that is not there, or not yet.
        """
        raise NotImplementedError

    def wrong(self, text: str) -> TypeError:
        """Return an error about what is declared; `text` continues a sentence that begins with the place."""
        return TypeError(f"{self._place} {text}")

    # Inheriting

    def overridden(self, function: Callable[..., Any]) -> Self:
        """Return the same declaration for a function that overrides the attribute without a decorator.

        Raises:
            TypeError: A function cannot take its place.
        """
        raise NotImplementedError

    def specialised(self, arguments: dict[object, object]) -> Self:
        """Return the same declaration with type variables replaced."""
        other = copy.copy(self)
        other._arguments = {
            **{variable: substitute(one, arguments) for variable, one in self._arguments.items()},
            **{variable: one for variable, one in arguments.items() if variable not in self._arguments},
        }
        return other


class DeclaredMethod(Declaration):
    """A decorated method as its class has it. On an instance it is the method."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        """Declare a function that is about to become a method.

        Args:
            function: The function, or a static method of it.
            name: Name of the operation; by default that of the method.

        Raises:
            TypeError: `function` is no function.
        """
        given: object = function.__func__ if isinstance(function, staticmethod) else function
        if not isinstance(given, FunctionType):
            advice = ""
            if isinstance(given, str):
                advice = f": the name is given as name={given!r}"
            elif isinstance(given, Declaration):
                advice = ": it is decorated already, so leave out one of the decorators"
            raise TypeError(f"expected a method to decorate, got {function!r}{advice}")
        Declaration.__init__(self, given.__name__, name)
        self.__doc__ = given.__doc__
        self.__name__ = given.__name__
        self.__qualname__ = given.__qualname__
        self.__module__ = given.__module__
        self.function: FunctionType = given
        """The function that was decorated."""
        self.__isabstractmethod__: bool = getattr(given, "__isabstractmethod__", False)
        self._names = Names(given)
        self._overrides: DeclaredMethod | None = None
        # What the annotations say, once they are read.
        self._takes_events = False
        self._takes_payload = True
        self._connection_parameter: str | None = None

    @property
    def _place(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def read(self) -> None:
        """Read the annotations if that can be done now, as :meth:`Declaration.read` says."""
        super().read()
        if self.is_read:
            self._names.forget()

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

    def _read_overridden(self, overridden: DeclaredMethod) -> bool:
        """Take over the types of the method that this one overrides; return `False` if a type variable is open."""
        if not overridden.is_read and not overridden._read():
            return False
        if self._takes_payload != overridden._takes_payload:
            raise TypeError(f"takes {'a' if self._takes_payload else 'no'} payload, unlike what it overrides")
        self._payloads, self._results = overridden._payloads, overridden._results
        return True

    def _check_async(self) -> None:
        if inspect.isasyncgenfunction(self.function):
            raise TypeError("yields: return one result, and send others with `await self.send(…)`")
        if not inspect.iscoroutinefunction(self.function):
            raise TypeError("is not asynchronous: write 'async def'")

    def overridden(self, function: Callable[..., Any]) -> Self:
        """Return the same declaration for a function that overrides the method without a decorator."""
        other = copy.copy(self)
        DeclaredMethod.__init__(other, function, self._given_name)
        other._arguments = self._arguments
        other._overrides = self
        return other

    # Calling

    if not TYPE_CHECKING:  # Type checkers would take what a class declares for a function, as a sink can be one.

        def __call__(self, *arguments: Any, **named: Any) -> Any:
            """Call the method, as `TextPlugin.lowercase(plugin, "HELLO")`; `inspect` and `help` need that."""
            return self.function(*arguments, **named)

    @property
    def __signature__(self) -> inspect.Signature:
        """What `inspect.signature` returns, and `help` shows."""
        return signature_of(self.function)

    def bound_to(self, instance: object) -> Callable[..., Any]:
        """Return the method of an instance."""
        return MethodType(self.function, instance)

    def handler(self, instance: object, on_result: OnResult | None = None) -> EventHandler:
        """Return what calls the method of an instance for each input or output.

        `on_result` is called with the result of a method that takes payloads.

        Raises:
            TypeError: The annotations are wrong, or cannot be read.
        """
        self.need()
        method, results = self._called(instance)
        if not self._takes_events:
            assert results is not None
            return MethodHandler(
                method,
                payloads=self._payloads if self._takes_payload else None,
                connection_parameter=self._connection_parameter,
                results=results,
                on_result=on_result,
            )
        if self._connection_parameter is not None:
            return ConnectionFunctionHandler(method, self._connection_parameter)
        return FunctionHandler(method)

    def _called(self, instance: object) -> tuple[Callable[..., Any], PayloadTypes | None]:
        """Return what a handler calls, and what that may return."""
        return self.bound_to(instance), self._results


def read_declarations(owner: type, is_one: Callable[[object], TypeGuard[T]]) -> None:
    """Read the declarations of one kind in a new class.

    A method that overrides a decorated one without a decorator keeps the declaration: it is put into the class, as are
    inherited methods whose type variables the class specifies.

    Raises:
        TypeError: What is declared is wrong, two declarations are about the same operation, one hides what every
            orbiter has, such as `stop`, or is of the other kind.
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
    by_operation: dict[str, Declaration] = {}
    for one in vars(owner).values():
        if is_one(one):
            _check_attribute(owner, one)
            other = by_operation.setdefault(one.name, one)
            if other is not one:
                raise one.wrong(
                    f"is about operation '{one.name}', as '{other.attribute}' of the same class is: give one "
                    "of them another name"
                )
            one.read()
        elif isinstance(one, Declaration):
            raise one.wrong("has no effect here: operations belong into a plugin class, and sinks into a core class")


def _check_attribute(owner: type, declared: Declaration) -> None:
    """Raise if a declaration hides what the runtime has by this name: it would be called in the place of that."""
    name = declared.attribute
    for base in owner.__mro__:
        if base.__module__.startswith("orbitalis.") and (name in vars(base) or name in own_annotations(base)):
            raise declared.wrong(
                f"hides `{base.__name__}.{name}`, which an orbiter needs itself: call the attribute something else; "
                f"the operation can have this name by name={name!r}"
            )


def declarations_of(owner: type, is_one: Callable[[object], TypeGuard[T]]) -> Iterable[T]:
    """Return the declarations of one kind in a class and its bases, those of bases first."""
    found: dict[str, T] = {}
    for base in reversed(owner.__mro__):
        for name, one in vars(base).items():
            # The last one is the most derived one, and has to come last.
            found.pop(name, None)
            if is_one(one):
                found[name] = one
    return found.values()


def _type_arguments(owner: type) -> dict[object, object]:
    """Return by type variable what it stands for in the bases of a class."""
    arguments: dict[object, object] = {}
    for base in getattr(owner, "__orig_bases__", ()):
        variables = getattr(get_origin(base), "__parameters__", ())
        arguments.update(zip(variables, get_args(base), strict=False))
    return arguments
