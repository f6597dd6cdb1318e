"""Canned answers of the fake of a contract, and the inputs that it got."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any, Generic, TypeVar, cast

__all__ = ["Canned", "Noted"]

I = TypeVar("I")  # noqa: E741 - as Input
O = TypeVar("O")  # noqa: E741 - as Output


class Canned(Generic[I, O]):
    """The answers of one operation of a fake. A test sets them, and looks at the inputs."""

    def __init__(self) -> None:
        """Have no answer yet."""
        self.inputs: list[I] = []
        """The inputs so far, the first one first. An empty event is `None`."""
        self._answers: list[Callable[[I], object]] = []

    def returns(self, *answers: O) -> None:
        """Answer with these, one after the other, and then always with the last one.

        Raises:
            ValueError: No answer is given.
        """
        if not answers:
            raise ValueError("give at least one answer")
        self._answers = [partial(_give, answer) for answer in answers]

    def raises(self, error: Exception) -> None:
        """Raise an error each time. If the contract declares it, the caller gets the same error."""

        def fail(_: I) -> None:
            raise error

        self._answers = [fail]

    def calls(self, function: Callable[[I], O | Awaitable[O]]) -> None:
        """Answer with the result of a function of the input. The function may be `async`."""
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
    """The inputs of one operation of a fake that has no output."""

    def __init__(self) -> None:
        """Answer with nothing."""
        super().__init__()
        self.returns(None)


def _give(answer: object, message: object) -> object:
    return answer
