"""Canned answers: what the fake of a contract answers with, and what it was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any, Generic, TypeVar, cast

__all__ = ["Canned", "Noted"]

I = TypeVar("I")  # noqa: E741 - as Input
O = TypeVar("O")  # noqa: E741 - as Output


class Canned(Generic[I, O]):
    """What one operation of a fake answers with; a test says it, and looks at what came."""

    def __init__(self) -> None:
        """Have no answer yet."""
        self.inputs: list[I] = []
        """What the operation was called with, the first one first; `None` for an empty event."""
        self._answers: list[Callable[[I], object]] = []

    def returns(self, *answers: O) -> None:
        """Answer with these, one after the other, and with the last one from then on.

        Raises:
            ValueError: None is given.
        """
        if not answers:
            raise ValueError("give at least one answer")
        self._answers = [partial(_give, answer) for answer in answers]

    def raises(self, error: Exception) -> None:
        """Raise an error each time: one that the contract declares reaches the caller as it is."""

        def fail(_: I) -> None:
            raise error

        self._answers = [fail]

    def calls(self, function: Callable[[I], O | Awaitable[O]]) -> None:
        """Answer with what a function returns for the input; it may be `async`."""
        self._answers = [function]

    async def answer(self, message: I) -> O:
        """Note an input, and return the answer to it.

        Raises:
            LookupError: No answer was given.
        """
        self.inputs.append(message)
        if not self._answers:
            raise LookupError(f"no answer is given for {message!r}: call returns(…), raises(…) or calls(…) before")
        give = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        answer: Any = give(message)
        return cast("O", await answer if isawaitable(answer) else answer)


class Noted(Canned[I, None]):
    """What comes for one operation of a fake that gives nothing."""

    def __init__(self) -> None:
        """Answer with nothing."""
        super().__init__()
        self.returns(None)


def _give(answer: object, message: object) -> object:
    return answer
