"""Two orbiters with one identifier: both say so, and so do remotes that hear both; a restart is none."""

from __future__ import annotations

from typing import Any

import pytest

from orbitalis import Orbiter
from orbitalis.testing import Harness
from tests.support.orbiters import EchoPlugin, TextCore, needs

KNOWN = "another orbiter on the bus is called '{}' as well"


def core(harness: Harness, identifier: str = "core", **given: Any) -> TextCore:
    requirement = needs(minimum=1)
    return TextCore(
        identifier=identifier, eventbus_client=harness.client(), operation_requirements=requirement, **given
    )


def plugin(harness: Harness, identifier: str = "plugin", **given: Any) -> EchoPlugin:
    return EchoPlugin(identifier=identifier, eventbus_client=harness.client(), **given)


def told(caplog: pytest.LogCaptureFixture, text: str) -> int:
    """Return how often something was told of namesakes."""
    return sum(text in record.message for record in caplog.records)


def counted(*orbiters: Orbiter) -> list[bool]:
    return [orbiter.statistics.namesakes > 0 for orbiter in orbiters]


@pytest.mark.parametrize("role", ["core", "plugin"])
async def test_two_of_one_role_and_their_remote_say_so_once_each(
    harness: Harness, caplog: pytest.LogCaptureFixture, role: str
) -> None:
    make, make_remote = (core, plugin) if role == "core" else (plugin, core)
    remote: Orbiter = make_remote(harness, "remote")
    first, second = make(harness, "twin"), make(harness, "twin")
    await harness.start(remote, first)
    await harness.advance(20)
    await harness.start(second)
    await harness.advance(200)
    assert counted(first, second, remote) == [True, True, True]
    assert told(caplog, KNOWN.format("twin")) == 2
    assert told(caplog, "remote hears two orbiters that are called 'twin'") == 1
    await harness.advance(600)
    assert told(caplog, "called 'twin'") == 3


@pytest.mark.parametrize("is_core_first", [True, False])
async def test_a_core_and_a_plugin_of_one_identifier_say_so_once_each(
    harness: Harness, caplog: pytest.LogCaptureFixture, is_core_first: bool
) -> None:
    orbiters: list[Orbiter] = [core(harness, "twin"), plugin(harness, "twin")]
    if not is_core_first:
        orbiters.reverse()
    await harness.start(orbiters[0])
    await harness.advance(60)
    await harness.start(orbiters[1])
    await harness.advance(60)
    assert counted(*orbiters) == [True, True]
    assert told(caplog, KNOWN.format("twin")) == 2
    await harness.advance(300)
    assert told(caplog, "called 'twin'") == 2


@pytest.mark.parametrize("pause", [0.0, 5.0, 30.0, 300.0])
async def test_an_orbiter_that_starts_anew_is_no_namesake(
    harness: Harness, caplog: pytest.LogCaptureFixture, pause: float
) -> None:
    one, other = core(harness), plugin(harness)
    await harness.start(one, other)
    for orbiter in (one, other, one, other):
        await harness.advance(40)
        await orbiter.stop()
        await harness.advance(pause)
        await harness.start(orbiter)
    await harness.advance(300)
    assert told(caplog, "called") == 0
    assert counted(one, other) == [False, False]


@pytest.mark.parametrize("role", ["core", "plugin"])
async def test_an_object_that_takes_the_place_of_another_is_no_namesake(
    harness: Harness, caplog: pytest.LogCaptureFixture, role: str
) -> None:
    """As after a crash: the first one does not say that it ends."""
    make, make_remote = (core, plugin) if role == "core" else (plugin, core)
    remote: Orbiter = make_remote(harness, "remote")
    await harness.start(remote)
    for _ in range(4):
        orbiter = make(harness, "again")
        await harness.start(orbiter)
        await harness.advance(50)
        await orbiter.eventbus_client.disconnect()
        orbiter.stop_loop()
    await harness.advance(300)
    assert told(caplog, "called") == 0
