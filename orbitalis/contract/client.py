"""Clients of contracts: typed calls of a plugin's operations on a core, and typed sinks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Generic, Literal, Never, TypeAlias, TypeGuard, TypeVar, cast, overload

from orbitalis.arguments import Identifiers
from orbitalis.core import Core
from orbitalis.errors import BusError, NoConnectionError, RequestError
from orbitalis.message.event import Event
from orbitalis.message.generated_message import DeclaredError
from orbitalis.operations.typed_operation import TypedOperation, is_typed_operation, no_operation
from orbitalis_wire import timings

__all__ = ["Answers", "Call", "ContractClient", "Execution", "Outputs"]

I = TypeVar("I")  # noqa: E741 - as Input
O = TypeVar("O")  # noqa: E741 - as Output
R = TypeVar("R")
I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)

Waiting: TypeAlias = Coroutine[Any, Any, O]
"""The result of calling an `async def` function."""

_FAILURES: Final = (RequestError, DeclaredError, NoConnectionError, BusError)
"""Errors that only one plugin is responsible for."""


class Answers(dict[str, O]):
    """The answers of several plugins, by identifier. Plugins without an answer are in :attr:`failures`."""

    def __init__(self) -> None:
        """Have none yet."""
        super().__init__()
        self.failures: dict[str, Exception] = {}
        """By identifier of a plugin that did not answer with an output: the error that it answered with, or what else
        became of the call."""


class ContractClient:
    """Calls the operations of a contract for a core.

    A new client adds requirements to the core: for each operation of the contract for which it has none yet.
    """

    def __init__(
        self,
        core: Core,
        *,
        minimum: int = 0,
        maximum: int | None = None,
        mandatory: Identifiers = (),
        allowlist: Identifiers | None = None,
        blocklist: Identifiers | None = None,
        exact: bool = False,
    ) -> None:
        """Call operations for a core; the other arguments are those of :meth:`Core.with_requirement`.

        Raises:
            ValueError: The rules contradict each other.
            TypeError: A list is one identifier instead of a list of them.
        """
        self.core = core
        """Whose connections are used."""
        for one in self.operations():
            if one.name not in core.operation_requirements:
                core.with_requirement(
                    one,
                    minimum=minimum,
                    maximum=maximum,
                    mandatory=mandatory,
                    allowlist=allowlist,
                    blocklist=blocklist,
                    exact=exact,
                )

    @classmethod
    def operations(cls) -> list[TypedOperation[Any, Any, Any]]:
        """Return the operations of the contract, in its order."""
        found = {name: one for base in reversed(cls.__mro__) for name, one in vars(base).items()}
        return [one.operation for one in found.values() if _is_member(one)]


class _Member(Generic[I, O]):
    """What a client has for one operation."""

    operation: TypedOperation[Any, I, O]
    """The operation."""

    def __init__(self, operation: object) -> None:
        if not is_typed_operation(operation):
            raise no_operation(operation, "an operation of the plugin class of a contract")
        self.operation = operation


def _is_member(given: object) -> TypeGuard[_Member[Any, Any]]:
    return isinstance(given, _Member)


def _check_mode(plugin: str | None, any: bool, all: bool) -> None:
    if (plugin is not None) + any + all > 1:
        raise ValueError("give at most one of plugin='...', any=True and all=True")


class BoundCall(Generic[I_contra, O_co]):
    """An operation of a contract, to be called on a core."""

    def __init__(self, core: Core, operation: TypedOperation[Any, Any, Any]) -> None:
        """Call an operation on a core."""
        self._core = core
        self._operation = operation

    @overload
    async def __call__(
        self: BoundCall[None, O],
        message: None = None,
        /,
        *,
        plugin: str | None = None,
        any: bool = False,
        all: Literal[False] = False,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> O: ...
    @overload
    async def __call__(
        self,
        message: I_contra,
        /,
        *,
        plugin: str | None = None,
        any: bool = False,
        all: Literal[False] = False,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> O_co: ...
    @overload
    async def __call__(
        self: BoundCall[None, O],
        message: None = None,
        /,
        *,
        all: Literal[True],
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> Answers[O]: ...
    @overload
    async def __call__(
        self,
        message: I_contra,
        /,
        *,
        all: Literal[True],
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> Answers[O_co]: ...
    async def __call__(
        self,
        message: Any = None,
        /,
        *,
        plugin: str | None = None,
        any: bool = False,
        all: bool = False,
        timeout: float | None = timings.ANSWER_TIMEOUT,
    ) -> Any:
        """Send an input to one plugin, and return its answer.

        `plugin` names the plugin. Without it, a plugin is chosen at random; `any=True` says this explicitly. With
        `all=True`, every plugin is asked at the same time, and the answers are returned by plugin. `timeout` is in
        seconds, and `None` waits without limit.

        Raises:
            DeclaredError: The plugin has answered with one of the errors that the contract declares.
            ValueError: More than one of `plugin`, `any` and `all` is given, or the timeout is negative.
            NoConnectionError: No plugin is connected for the operation.
            RequestError: There is no answer, for one of the reasons that :meth:`Core.request` gives.
            TypeError: The operation does not take the message.
            BusError: The input could not be published.
        """
        _check_mode(plugin, any, all)
        if not all:
            return await self._ask(message, plugin, timeout)
        connections = self._core.retrieve_connections(operation_name=self._operation.name)
        plugins = list(dict.fromkeys(one.remote_identifier for one in connections))
        if not plugins:
            raise NoConnectionError(
                f"'{self._core.identifier}' has no connection for operation '{self._operation.name}'"
            )
        outcomes = await asyncio.gather(*(self._try(message, one, timeout) for one in plugins), return_exceptions=True)
        answers = Answers[Any]()
        for one, outcome in zip(plugins, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            answer, error = outcome
            if error is None:
                answers[one] = answer
            else:
                answers.failures[one] = error
        return answers

    async def _try(self, message: Any, plugin: str, timeout: float | None) -> tuple[Any, Exception | None]:
        """Return an answer, or what the plugin is to blame for: an answer may be an exception, too."""
        try:
            return await self._ask(message, plugin, timeout), None
        except _FAILURES as error:
            return None, error

    async def _ask(self, message: Any, plugin: str | None, timeout: float | None) -> Any:
        return await self._core.request(self._operation, message, plugin_identifier=plugin, timeout=timeout)


class Call(_Member[I, O]):
    """An operation with an output: `await lamps.turn_on(TurnOn(level=0.5))` returns the answer of a plugin.

    On the class, `LampsClient.turn_on` is the operation, for methods of a core that take one.
    """

    @overload
    def __init__(self: Call[None, R], operation: Callable[[Any], Waiting[R]]) -> None: ...
    @overload
    def __init__(self, operation: Callable[[Any, I], Waiting[O]]) -> None: ...
    def __init__(self, operation: object) -> None:
        """Call an operation, given as the plugin class of the contract has it.

        Raises:
            TypeError: It is none.
        """
        super().__init__(operation)

    @overload
    def __get__(self, client: None, owner: type[ContractClient]) -> TypedOperation[Any, I, O]: ...
    @overload
    def __get__(self, client: ContractClient, owner: type[ContractClient] | None = None) -> BoundCall[I, O]: ...
    def __get__(self, client: ContractClient | None, owner: type[ContractClient] | None = None) -> Any:
        """Return the operation of the class, and what calls it of a client."""
        return self.operation if client is None else BoundCall[I, O](client.core, self.operation)


class BoundExecution(Generic[I_contra]):
    """An operation of a contract without output, to be executed on a core."""

    def __init__(self, core: Core, operation: TypedOperation[Any, Any, Any]) -> None:
        """Execute an operation on a core."""
        self._core = core
        self._operation = operation

    @overload
    async def __call__(
        self: BoundExecution[None],
        message: None = None,
        /,
        *,
        plugin: str | None = None,
        any: bool = False,
        all: bool = False,
    ) -> list[str]: ...
    @overload
    async def __call__(
        self, message: I_contra, /, *, plugin: str | None = None, any: bool = False, all: bool = False
    ) -> list[str]: ...
    async def __call__(
        self, message: Any = None, /, *, plugin: str | None = None, any: bool = False, all: bool = False
    ) -> list[str]:
        """Send an input, and return the identifiers of the plugins that get it. It does not wait for them.

        `plugin` names the plugin. With `all=True`, every plugin gets the input. Otherwise a plugin is chosen at random;
        `any=True` says this explicitly.

        Raises:
            ValueError: More than one of `plugin`, `any` and `all` is given.
            NoConnectionError: No plugin is connected for the operation.
            TypeError: The operation does not take the message.
            BusError: The input could not be published.
        """
        _check_mode(plugin, any, all)
        is_any = plugin is None and not all
        return await self._core.execute(self._operation, message, any=is_any, all=all, plugin_identifier=plugin)


class Execution(_Member[I, None]):
    """An operation without output: `await lamps.blink(Blink(times=3))` ends when the input is published.

    On the class, `LampsClient.blink` is the operation, for methods of a core that take one.
    """

    @overload
    def __init__(self: Execution[None], operation: Callable[[Any], Waiting[None]]) -> None: ...
    @overload
    def __init__(self, operation: Callable[[Any, I], Waiting[None]]) -> None: ...
    def __init__(self, operation: object) -> None:
        """Execute an operation, given as the plugin class of the contract has it.

        Raises:
            TypeError: It is none.
        """
        super().__init__(operation)

    @overload
    def __get__(self, client: None, owner: type[ContractClient]) -> TypedOperation[Any, I, None]: ...
    @overload
    def __get__(self, client: ContractClient, owner: type[ContractClient] | None = None) -> BoundExecution[I]: ...
    def __get__(self, client: ContractClient | None, owner: type[ContractClient] | None = None) -> Any:
        """Return the operation of the class, and what executes it of a client."""
        return self.operation if client is None else BoundExecution[I](client.core, self.operation)


class BoundOutputs(Generic[O]):
    """An operation of a contract without input, whose outputs a core receives."""

    def __init__(self, core: Core, operation: TypedOperation[Any, Never, O]) -> None:
        """Take outputs of an operation on a core."""
        self._core = core
        self._operation = operation

    def __call__(self, sink: Callable[[O], Awaitable[object]], /) -> Callable[[O], Awaitable[object]]:
        """Make a function the sink of the operation, instead of any other sink, and return the function.

        As a decorator: `@lamps.temperature` over `async def show(temperature: Temperature) -> None`.
        """

        async def take(topic: str, event: Event[Any]) -> None:
            await sink(cast("O", self._operation.result(event.payload)))

        self._core.with_operation_sink(self._operation.name, take)
        return sink


class Outputs(_Member[Never, O]):
    """An operation without input: `lamps.temperature(show)` makes a function its sink.

    On the class, `LampsClient.temperature` is the operation: `@sink(LampsClient.temperature)` over a method of a core.
    """

    def __init__(self, operation: TypedOperation[Any, Never, O]) -> None:
        """Take the outputs of an operation, given as the plugin class of the contract has it.

        Raises:
            TypeError: It is none.
        """
        super().__init__(operation)

    @overload
    def __get__(self, client: None, owner: type[ContractClient]) -> TypedOperation[Any, Never, O]: ...
    @overload
    def __get__(self, client: ContractClient, owner: type[ContractClient] | None = None) -> BoundOutputs[O]: ...
    def __get__(self, client: ContractClient | None, owner: type[ContractClient] | None = None) -> Any:
        """Return the operation of the class, and what takes its outputs of a client."""
        return self.operation if client is None else BoundOutputs[O](client.core, self.operation)
