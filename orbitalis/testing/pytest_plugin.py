"""The pytest plugin: the fixture `harness`, and the virtual clock for the tests that use it.

pytest loads this in every run of every project that has Orbitalis installed, so it imports next to nothing, and it
touches no test that does not use the fixture. It needs no other plugin; where pytest-asyncio is installed, tests with
the fixture run here nevertheless, in any of its modes, and so do the asynchronous fixtures of these tests.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from types import MethodType
from typing import TYPE_CHECKING, Any, cast

from orbitalis.installation import damage

if TYPE_CHECKING:
    import asyncio

    import pytest

    from orbitalis.testing.harness import Harness

__all__ = ["pytest_configure"]

_RUNNER = "_orbitalis_runner"
_SENT = "sent on the bus (orbitalis)"


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures and hooks, and say what is wrong with the installation."""
    if (wrong := damage()) is not None:
        import pytest

        config.issue_config_time_warning(pytest.PytestConfigWarning(wrong), stacklevel=2)
    config.pluginmanager.register(_make_plugin(), "orbitalis-harness")


def _make_plugin() -> object:
    """Make what has to be declared with the help of pytest, which is not there where only this package is."""
    import pytest

    test_function = pytest.StashKey[Callable[..., Any]]()
    test_failed = pytest.StashKey[bool]()
    test_harness = pytest.StashKey["Harness"]()

    class HarnessPlugin:
        """The fixtures, and the hooks that run tests and fixtures on the virtual clock."""

        @pytest.fixture(name=_RUNNER)
        def runner(self) -> Iterator[asyncio.Runner]:
            """Run coroutines of one test on a virtual clock of its own."""
            import asyncio

            from orbitalis.testing.virtual_clock import VirtualClockEventLoop

            with asyncio.Runner(loop_factory=VirtualClockEventLoop) as runner:
                yield runner

        @pytest.fixture
        def harness(self, request: pytest.FixtureRequest, _orbitalis_runner: asyncio.Runner) -> Iterator[Harness]:
            """Test plugins and cores of Orbitalis: a bus, a virtual clock, a record of all that is sent."""
            from orbitalis.testing.harness import Harness, LeftoverError

            harness = Harness()
            request.node.stash[test_harness] = harness
            _orbitalis_runner.run(harness.__aenter__())
            yield harness
            left = ""
            try:
                _orbitalis_runner.run(harness.close())
            except LeftoverError as error:
                left = str(error)
            if left and not request.node.stash.get(test_failed, False):
                pytest.fail(left, pytrace=False)

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_fixture_setup(
            self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
        ) -> Generator[None, object, object]:
            """Run the asynchronous fixtures of a test with a harness on its clock."""
            function = _asynchronous(fixturedef.func)
            if function is None or request.scope != "function" or not _uses_harness(request.node):
                return (yield)
            original = fixturedef.func
            runner = request.getfixturevalue(_RUNNER)
            fixturedef.func = _synchronous(_bound(function, request.instance), runner)  # type: ignore[misc]
            try:
                return (yield)
            finally:
                fixturedef.func = original  # type: ignore[misc]

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
            """Keep a test as it was written: pytest-asyncio is about to replace it."""
            if isinstance(item, pytest.Function) and _uses_harness(item) and inspect.iscoroutinefunction(item.obj):
                item.stash[test_function] = item.obj
            try:
                return (yield)
            except BaseException:
                item.stash[test_failed] = True
                raise

        @pytest.hookimpl(tryfirst=True)
        def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
            """Run a test with a harness on its clock."""
            __tracebackhide__ = True
            function = pyfuncitem.stash.get(test_function, None)
            if function is None:
                return None
            runner = cast("asyncio.Runner", pyfuncitem.funcargs[_RUNNER])
            runner.run(_named(pyfuncitem.name, _call(function, pyfuncitem.funcargs)))
            return True

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
            """Show what was sent, if a test fails."""
            report = yield
            harness = item.stash.get(test_harness, None)
            if harness is not None and report.failed:
                report.sections.append((_SENT, str(harness.recording)))
            return report

    return HarnessPlugin()


def _uses_harness(node: Any) -> bool:
    """Return whether a test uses our fixture, and not another one of that name."""
    return _RUNNER in getattr(node, "fixturenames", ())


def _asynchronous(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the coroutine function or asynchronous generator that a fixture is, or was before pytest-asyncio."""
    if getattr(function, "_force_asyncio_fixture", False):
        function = inspect.unwrap(function)
    return function if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) else None


def _bound(function: Callable[..., Any], instance: object) -> Callable[..., Any]:
    """Return a method of a test class as one of the instance that the test has."""
    if isinstance(function, MethodType) and isinstance(instance, type(function.__self__)):
        return MethodType(function.__func__, instance)
    return function


def _synchronous(function: Callable[..., Any], runner: asyncio.Runner) -> Callable[..., Any]:
    """Return a fixture that does the same as an asynchronous one."""

    def value(**arguments: Any) -> Any:
        return runner.run(_call(function, arguments))

    def values(**arguments: Any) -> Iterator[Any]:
        generator = _call(function, arguments)
        yield runner.run(_next(generator))
        try:
            runner.run(_next(generator))
        except StopAsyncIteration:
            return
        raise RuntimeError(f"{function!r} yields more than once")

    return value if inspect.iscoroutinefunction(function) else values


def _call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call a function with those of the arguments that it has: older versions of pytest-asyncio add some."""
    from orbitalis.annotations import signature_of

    names = signature_of(function).parameters
    return function(**{name: value for name, value in arguments.items() if name in names})


async def _named(name: str, coroutine: Coroutine[Any, Any, object]) -> None:
    """Give the task of a test its name, for messages that list tasks."""
    import asyncio

    __tracebackhide__ = True
    task = asyncio.current_task()
    if task is not None:
        task.set_name(name)
    await coroutine


async def _next(generator: Any) -> Any:
    return await anext(generator)
