"""Mistakes of users in making and using orbiters, told where they are made."""

from __future__ import annotations

import sys
import warnings
from abc import ABCMeta
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from orbitalis.annotations import own_annotations
from orbitalis.arguments import did_you_mean, nearest
from orbitalis.errors import NoConnectionError

__all__ = ["OrbiterClass", "check_operation", "needs_async_with", "refuse_while_main_is_imported"]

_IS_MADE: Final = "_closer"
"""The attribute that an orbiter gets last."""


class OrbiterClass(ABCMeta):
    """The class of orbiter classes: it sees that an orbiter is made as a whole.

    Raises:
        TypeError: An `__init__` or `__post_init__` does not call that of its base, or a default that a class gives to
            an attribute counts for nothing.
    """

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **arguments: Any) -> None:
        """Warn of methods that look like a hook that is misspelt: nobody would call them."""
        super().__init__(name, bases, namespace, **arguments)
        for attribute in () if cls.__module__.startswith("orbitalis.") else namespace:
            if attribute.startswith("_on_") and not any(hasattr(base, attribute) for base in bases):
                known = [one for base in bases for one in dir(base) if one.startswith("_on_")]
                if meant := nearest(attribute, known, likeness=0.8):
                    warnings.warn(f"{cls.__qualname__}.{attribute} is no hook{meant}", RuntimeWarning, stacklevel=2)

    if not TYPE_CHECKING:  # which would believe that orbiters are made with any arguments

        def __call__(cls, *args, **kwargs):
            try:
                orbiter = super().__call__(*args, **kwargs)
            except AttributeError as error:
                if error.name in cls.__dataclass_fields__ and _IS_MADE not in vars(error.obj):
                    error.add_note(f"{cls.__qualname__} has attributes once super().__init__() was called: do so first")
                raise
            except TypeError as error:
                if args and str(error).startswith(f"{cls.__qualname__}.__init__() takes"):
                    error.add_note(f"write what is given by its name, as in {cls.__name__}(identifier={args[0]!r})")
                raise
            _check_whole(cls, orbiter)
            _check_defaults(cls, orbiter, kwargs)
            return orbiter


def _check_whole(orbiter_class: Any, orbiter: object) -> None:
    made = vars(orbiter)
    if _IS_MADE in made:
        return
    name = "__post_init__" if "identifier" in made else "__init__"
    owner = next(base for base in orbiter_class.__mro__ if name in vars(base))
    raise TypeError(
        f"{owner.__qualname__}.{name} does not call that of its base: write super().{name}() as its first line"
    )


def _check_defaults(orbiter_class: Any, orbiter: object, given: dict[str, object]) -> None:
    """Raise for an attribute that a class assigns, and that its `__init__` knows nothing of."""
    made = vars(orbiter)
    bases: tuple[type[object], ...] = orbiter_class.__mro__
    for base in bases:
        if base.__module__.startswith("orbitalis."):
            continue
        own: dict[str, Any] = dict(vars(base))
        declared = own_annotations(base) if "__dataclass_fields__" in own else {}
        known: dict[str, object] = orbiter_class.__dataclass_fields__
        for name in known.keys() & own.keys() - declared.keys() - given.keys():
            value: object = own[name]
            if not hasattr(value, "__get__") and made.get(name, value) != value:
                raise TypeError(
                    f"{base.__qualname__}.{name} = {value!r} has no effect: put @dataclass above the class and "
                    f"annotate it, as in `{name}: {type(value).__name__} = {value!r}`, or give {name}={value!r} when "
                    f"you make a {orbiter_class.__name__}"
                )


def check_operation(orbiter: object, name: object, known: Iterable[str]) -> None:
    """Raise for an operation that an orbiter knows nothing of.

    Raises:
        NoConnectionError: The name is none of those that are known.
        TypeError: The name is no text.
    """
    if not isinstance(name, str):
        raise TypeError(f"operation_name must be a text, got {name!r}: an operation of a class has it as its .name")
    known = set(known)
    if name not in known:
        raise NoConnectionError(f"{orbiter} has no operation '{name}'{did_you_mean(name, known)}")


def refuse_while_main_is_imported() -> None:
    """End this process if it is one for CPU-bound operations that has yet to import the program.

    An orbiter that starts meanwhile is that of the program, once more. Such a process has nothing else to do, so all
    that it says is one sentence on standard error.

    Raises:
        SystemExit: It is such a process.
    """
    # Where this module is not imported, no process is one of multiprocessing.
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(
            "this process is there for CPU-bound operations and imports the program to find them, which starts the "
            'program anew: put what it starts under the line `if __name__ == "__main__":`'
        )


def needs_async_with(orbiter: object, *exception: object) -> NoReturn:
    """Refuse `with`, which cannot wait for a start."""
    raise TypeError(f"{orbiter} is started by `async with`, not by `with`")
