"""Operations that run in another process, because they keep a CPU busy."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

from orbitalis.annotations import signature_of
from orbitalis.operations.process_pool import ProcessPool
from orbitalis.operations.typed_operation import C_co, I_contra, O_co, OperationMethod, S_co

__all__ = ["CpuBoundOperation"]


class _HasProcessPool(Protocol):
    process_pool: ProcessPool


class CpuBoundOperation(OperationMethod[S_co, I_contra, O_co, C_co]):
    """An operation whose function runs in another process. On an instance it is a coroutine function."""

    is_static = True

    def bound_to(self, instance: object) -> Callable[..., Awaitable[Any]]:
        """Return what calls the function in another process."""
        pool = cast(_HasProcessPool, instance).process_pool
        module, path = self.function.__module__, self.function.__qualname__

        async def call(*arguments: object) -> Any:
            return await pool.run(_call, module, path, arguments)

        return call

    def _check_function(self) -> None:
        if inspect.iscoroutinefunction(self.function) or inspect.isgeneratorfunction(self.function):
            raise TypeError("is cpu_bound, so it runs where there is no event loop: write 'def', and return the result")
        if "<locals>" in self.function.__qualname__:
            raise TypeError("is cpu_bound, and another process cannot find it: define the class at the top of a module")
        if next(iter(signature_of(self.function).parameters), None) == "self":
            raise TypeError("is cpu_bound, and the plugin is in another process: take no self, and add @staticmethod")

    def _parameters(self) -> Any:
        parameters = super()._parameters()
        if parameters.connection is not None:
            raise TypeError("is cpu_bound, and the connection is in another process: take the payload alone")
        return parameters


def _call(module: str, path: str, arguments: tuple[object, ...]) -> object:
    """Call the function of an operation, in a process of the pool."""
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        function: Callable[..., object] = found.function
    except (ImportError, AttributeError) as error:
        raise RuntimeError(
            f"the CPU-bound operation {path} cannot be found in another process: {error}; "
            f"define it in a module that can be imported ('{module}' is where it was)"
        ) from None
    try:
        return function(*arguments)
    except Exception as error:
        import pickle

        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            # The error would not arrive; its text does.
            raise RuntimeError(f"{type(error).__qualname__}: {error}") from None
        raise
