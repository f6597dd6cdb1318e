"""Whether code runs within something: a piece of work, an iteration of a loop, a change of state."""

from __future__ import annotations

import contextlib
import contextvars
from contextvars import Context, ContextVar, Token
from types import TracebackType
from typing import Final, Self

__all__ = ["Scope", "outside"]

_around: Final[ContextVar[tuple[Scope, ...]]] = ContextVar("orbitalis_scopes", default=())


class Scope:
    """A stretch of code that is under way, with all tasks that it starts; entered once.

    What outlives it, such as a task or the context in which a subscription was made, is not in it any more.
    """

    __slots__ = ("_is_active", "_token", "owner", "part")

    def __init__(self, owner: object, part: object = None) -> None:
        """Make a scope that is found by its owner."""
        self.owner = owner
        self.part = part
        """Which one of its owner's this is."""
        self._is_active = False
        self._token: Token[tuple[Scope, ...]] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._is_active = True
        self._token = _around.set((*(scope for scope in _around.get() if scope._is_active), self))
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End."""
        self._is_active = False
        if self._token is None:
            return
        # A coroutine that its event loop has left behind is closed wherever it is collected, which is another context.
        with contextlib.suppress(ValueError):
            _around.reset(self._token)

    @staticmethod
    def around(owner: object) -> Scope | None:
        """Return the innermost scope of an owner that is around the caller."""
        for scope in reversed(_around.get()):
            if scope.owner is owner and scope._is_active:
                return scope
        return None


def outside() -> Context:
    """Return a copy of the context of the caller, for what is to run outside of all scopes."""
    context = contextvars.copy_context()
    context.run(_around.set, ())
    return context
