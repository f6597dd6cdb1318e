"""Scopes: who runs within something, and who does so no more."""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import Generator

from orbitalis.orbiter.scope import Scope, outside


def test_code_within_a_scope_and_what_it_calls_is_in_it() -> None:
    owner, other = object(), object()
    assert Scope.around(owner) is None
    with Scope(owner, "part") as scope:
        assert Scope.around(owner) is scope
        assert scope.part == "part"
        assert Scope.around(other) is None
        with Scope(owner) as inner, Scope(other):
            assert Scope.around(owner) is inner
            assert Scope.around(other) is not None
        assert Scope.around(owner) is scope
    assert Scope.around(owner) is None


async def test_a_task_that_is_started_within_a_scope_is_in_it_as_long_as_that_lasts() -> None:
    owner = object()
    ended = asyncio.Event()
    seen: list[bool] = []

    async def look() -> None:
        seen.append(Scope.around(owner) is not None)
        await ended.wait()
        seen.append(Scope.around(owner) is not None)

    with Scope(owner):
        task = asyncio.create_task(look())
        await asyncio.sleep(0)
    ended.set()
    await task
    assert seen == [True, False]


async def test_outside_is_the_same_context_without_scopes() -> None:
    owner = object()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("kept")

    async def look() -> tuple[bool, str]:
        return Scope.around(owner) is not None, variable.get()

    with Scope(owner):
        assert await asyncio.create_task(look(), context=outside()) == (False, "kept")
        assert await asyncio.create_task(look()) == (True, "kept")
        assert Scope.around(owner) is not None


def test_scopes_that_are_over_are_not_kept() -> None:
    from orbitalis.orbiter import scope as module

    def go_deeper(depth: int) -> int:
        with Scope(object()):
            context = contextvars.copy_context()
        return context.run(go_deeper, depth - 1) if depth else context.run(lambda: len(module._around.get()))

    assert go_deeper(50) <= 2


def test_a_scope_ends_in_a_coroutine_that_is_closed_in_another_context() -> None:
    owner = object()

    @types.coroutine
    def forever() -> Generator[None, None, None]:
        yield

    async def wait() -> None:
        with Scope(owner):
            await forever()

    waiting = wait()
    contextvars.copy_context().run(waiting.send, None)
    contextvars.copy_context().run(waiting.close)
    assert Scope.around(owner) is None
