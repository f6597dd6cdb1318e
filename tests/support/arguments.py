"""What arguments of commands may be: :func:`positive`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

__all__ = ["positive"]

N = TypeVar("N", int, float)


def positive(kind: Callable[[str], N]) -> Callable[[str], N]:
    """Return what reads a number greater than 0, for :meth:`argparse.ArgumentParser.add_argument`."""

    def read(text: str) -> N:
        try:
            number = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"expected a number, got {text!r}") from None
        if not number > 0:
            raise ArgumentTypeError(f"expected more than 0, got {text}")
        return number

    return read
