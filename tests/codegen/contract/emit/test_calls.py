"""What an emitted package does: a plugin provides, a client calls, a fake answers, all within one process."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orbitalis import Core, NoConnectionError, OperationFailedError, RequestTimeoutError
from orbitalis.testing import Harness
from tests.codegen.contract.contracts import contract, emitted_package, import_from, lamps, message, plain, record


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calls")


@pytest.fixture(scope="module")
def package(folder: Path) -> ModuleType:
    return emitted_package(lamps(), folder, "lamps_of_calls")


@pytest.fixture(scope="module")
def home(folder: Path, package: Any) -> Any:
    """Import what a user has written."""
    source = folder / "home_of_calls.py"
    source.write_text(Path(__file__).with_name("home.txt").read_text())
    return import_from(folder, "home_of_calls")


@pytest.fixture
def core(harness: Harness) -> Core:
    return Core(identifier="core", eventbus_client=harness.client())


async def started(harness: Harness, core: Core, *plugins: Any) -> None:
    await harness.start(*plugins, core)
    await harness.compliant(core)


def fake(harness: Harness, package: Any, name: str = "lamp") -> Any:
    return package.LampsFake(identifier=name, eventbus_client=harness.client())


def lamp(harness: Harness, home: Any) -> Any:
    return home.Lamp(identifier="lamp", eventbus_client=harness.client())


async def test_a_call_returns_what_the_method_returns(harness: Harness, core: Core, package: Any, home: Any) -> None:
    lamps = package.LampsClient(core, minimum=1)
    await started(harness, core, lamp(harness, home))

    assert await lamps.turn_on(package.TurnOn(level=1)) == package.Status(on=True, names=("WARM",))
    assert await lamps.turn_on(package.TurnOn(level=0.0), plugin="lamp", timeout=None) == package.Status(
        on=False, names=("WARM",)
    )
    assert await lamps.rename("x", any=True) == "X"
    assert await lamps.rename("status") == package.Status(on=True)


async def test_a_declared_error_reaches_the_caller(harness: Harness, core: Core, package: Any, home: Any) -> None:
    lamps = package.LampsClient(core, minimum=1)
    await started(harness, core, lamp(harness, home))

    with pytest.raises(package.BulbBroken, match="hours=5") as raised:
        await lamps.turn_on(package.TurnOn(level=2.0))
    assert raised.value == package.BulbBroken(hours=5)
    with pytest.raises(package.BulbBroken, match="hours=7"):
        await lamps.check()
    with pytest.raises(OperationFailedError, match="RuntimeError: unknown"):
        await lamps.state_()


async def test_an_operation_without_errors_in_the_way_returns_nothing(
    harness: Harness, core: Core, package: Any
) -> None:
    lamps, plugin = package.LampsClient(core, minimum=1), fake(harness, package)
    await started(harness, core, plugin)

    assert await lamps.check() is None
    assert plugin.when_check.inputs == [None]


async def test_all_plugins_answer_by_their_identifiers(harness: Harness, core: Core, package: Any) -> None:
    lamps = package.LampsClient(core, minimum=3)
    kitchen, hall, attic = (fake(harness, package, name) for name in ("kitchen", "hall", "attic"))
    kitchen.when_turn_on.returns(package.Status(on=True))
    hall.when_turn_on.raises(package.BulbBroken(hours=1))
    await started(harness, core, kitchen, hall, attic)

    answers = await lamps.turn_on(package.TurnOn(level=1.0), all=True)

    assert answers == {"kitchen": package.Status(on=True)}
    assert answers.failures["hall"] == package.BulbBroken(hours=1)
    assert isinstance(answers.failures["attic"], OperationFailedError)
    assert "no answer is given" in str(answers.failures["attic"])


async def test_an_answer_that_is_the_error_of_another_operation_is_an_answer(
    harness: Harness, core: Core, tmp_path: Path
) -> None:
    broken = message(record("Broken", {"why": "string"}))
    made = contract("Bulbs", {"use": {"outputs": [plain("long")], "errors": [broken]}, "look": {"outputs": [broken]}})
    package: Any = emitted_package(made, tmp_path, "bulbs_of_calls")
    bulbs, plugin = (
        package.BulbsClient(core, minimum=1),
        package.BulbsFake(identifier="bulb", eventbus_client=harness.client()),
    )
    plugin.when_look.returns(package.Broken(why="old"))
    await started(harness, core, plugin)

    assert await bulbs.look() == package.Broken(why="old")
    answers = await bulbs.look(all=True)
    assert (answers, answers.failures) == ({"bulb": package.Broken(why="old")}, {})
    plugin.when_use.raises(package.Broken(why="old"))
    answers = await bulbs.use(all=True)
    assert (answers, answers.failures) == ({}, {"bulb": package.Broken(why="old")})


async def test_a_call_times_out(harness: Harness, core: Core, package: Any) -> None:
    lamps, plugin = package.LampsClient(core, minimum=1), fake(harness, package)
    plugin.when_state_.calls(lambda _: harness.advance(5.0))
    await started(harness, core, plugin)

    with pytest.raises(RequestTimeoutError):
        await lamps.state_(timeout=1.0)


async def test_what_cannot_be_called_is_refused(harness: Harness, core: Core, package: Any) -> None:
    lamps = package.LampsClient(core)
    await harness.start(core)

    for call, given in ((lamps.turn_on, package.TurnOn(level=1.0)), (lamps.blink, 3)):
        for mode in ({}, {"all": True}, {"plugin": "lamp"}):
            with pytest.raises(NoConnectionError):
                await call(given, **mode)
        with pytest.raises(ValueError, match="at most one"):
            await call(given, plugin="lamp", all=True)
    with pytest.raises(TypeError, match=r"'turnOn': expected TurnOn, got a Status"):
        await lamps.turn_on(package.Status(on=True))


async def test_outputs_without_input_reach_a_sink(harness: Harness, core: Core, package: Any, home: Any) -> None:
    lamps = package.LampsClient(core, minimum=1)
    plugin, seen = lamp(harness, home), []

    @lamps.temperature
    async def show(temperature: float) -> None:
        seen.append(temperature)

    await started(harness, core, plugin)

    assert await lamps.blink(3) == ["lamp"]
    await harness.idle()
    assert await plugin.send_temperature(21.5) == 1
    await harness.idle()
    assert seen == [3.0, 21.5]


async def test_the_operations_of_a_client_class_serve_as_those_of_a_plugin_class(
    harness: Harness, package: Any, home: Any
) -> None:
    core, plugin = home.Home(identifier="home", eventbus_client=harness.client()), lamp(harness, home)
    core.with_requirement(package.LampsClient.temperature, minimum=1)
    core.with_requirement(package.LampsClient.turn_on, minimum=1)
    await started(harness, core, plugin)

    await plugin.send_temperature(3.0)
    await core.execute(package.LampsClient.turn_on, package.TurnOn(level=1.0), any=True)
    await harness.idle()
    assert core.seen == [3.0, package.Status(on=True, names=("WARM",))]


async def test_a_declared_error_that_a_sink_does_not_take_fails_the_sink(
    harness: Harness, package: Any, home: Any, caplog: pytest.LogCaptureFixture
) -> None:
    core = home.Home(identifier="home", eventbus_client=harness.client())
    package.LampsClient(core, minimum=1)
    await started(harness, core, lamp(harness, home))

    await core.execute(package.LampsClient.turn_on, package.TurnOn(level=2.0), any=True)
    await harness.idle()

    assert "BulbBroken" in caplog.text
    assert core.seen == []


async def test_requirements_that_the_core_has_already_stay(harness: Harness, core: Core, package: Any) -> None:
    core.with_requirement(package.LampsClient.turn_on, minimum=2)

    package.LampsClient(core, minimum=1, blocklist=["attic"])

    minimums = {name: one.constraint.minimum for name, one in core.operation_requirements.items()}
    assert minimums == {"turnOn": 2, "state": 1, "blink": 1, "check": 1, "rename": 1, "temperature": 1}
    assert core.operation_requirements["state"].constraint.blocklist == ["attic"]


async def test_a_fake_answers_as_it_is_told(harness: Harness, core: Core, package: Any) -> None:
    lamps, plugin = package.LampsClient(core, minimum=1), fake(harness, package)
    on, off = package.Status(on=True), package.Status(on=False)
    await started(harness, core, plugin)

    plugin.when_state_.returns(on, off)
    assert [await lamps.state_() for _ in range(3)] == [on, off, off]
    plugin.when_turn_on.calls(lambda message: package.Status(on=message.level > 0))
    assert await lamps.turn_on(package.TurnOn(level=0.0)) == off
    assert plugin.when_turn_on.inputs == [package.TurnOn(level=0.0)]
    await lamps.blink(package.Blink(times=2))
    await harness.idle()
    assert plugin.when_blink.inputs == [package.Blink(times=2)]
    with pytest.raises(ValueError, match="at least one answer"):
        plugin.when_state_.returns()


def test_a_plugin_without_one_of_the_methods_cannot_be_made(harness: Harness, home: Any) -> None:
    with pytest.raises(TypeError, match="abstract methods blink, check, rename, state_"):
        home.Unfinished(eventbus_client=harness.client())


def test_errors_are_copied_and_pickled(package: Any) -> None:
    error = package.BulbBroken(hours=3)

    assert copy.copy(error) == pickle.loads(pickle.dumps(error)) == error
    assert error != package.BulbBroken(hours=4)
    assert hash(error) == hash(package.BulbBroken(hours=3))
    assert str(error) == "hours=3"


def test_nothing_derives_from_a_message(package: Any) -> None:
    with pytest.raises(TypeError, match="Mine derives from TurnOn, a message of a contract"):
        type("Mine", (package.TurnOn,), {})
