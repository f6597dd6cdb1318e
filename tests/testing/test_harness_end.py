"""Mistakes in the use of a harness, and what it does and finds at the end of a test."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from orbitalis import LocalEventBusClient
from orbitalis.testing import Harness, LeftoverError, run
from tests.testing.lowercase import Lowercase, make_plugin, with_harness


@with_harness
async def test_another_bus_is_refused(harness: Harness) -> None:
    elsewhere = Lowercase(identifier="elsewhere", eventbus_client=LocalEventBusClient())

    with pytest.raises(ValueError, match="'elsewhere' is on another bus: give it eventbus_client="):
        await harness.start(elsewhere)


async def test_the_clock_has_to_be_virtual() -> None:
    harness = Harness()

    with pytest.raises(RuntimeError, match="a harness needs the virtual clock"):
        await harness.start(make_plugin(harness))


def test_orbiters_are_stopped_last_one_first() -> None:
    stopped: list[str] = []

    @dataclass
    class Noted(Lowercase):
        async def _on_stopped(self, *args: object, **kwargs: object) -> None:
            stopped.append(self.identifier)

    @with_harness
    async def test(harness: Harness) -> None:
        for identifier in ("one", "two", "three"):
            await harness.start(Noted(identifier=identifier, eventbus_client=harness.client()))
        await harness._orbiters[1].stop()

    test()
    assert stopped == ["two", "three", "one"]


def test_a_failure_to_stop_is_one_of_the_test_and_keeps_no_other_from_stopping() -> None:
    stopped: list[str] = []

    @dataclass
    class Stubborn(Lowercase):
        async def _on_stopping(self, *args: object, **kwargs: object) -> None:
            if self.identifier == "stubborn":
                raise LookupError("no")

        async def _on_stopped(self, *args: object, **kwargs: object) -> None:
            stopped.append(self.identifier)

    @with_harness
    async def test(harness: Harness) -> None:
        for identifier in ("one", "stubborn", "two"):
            client = harness.client()
            await harness.start(Stubborn(identifier=identifier, eventbus_client=client, raise_exceptions=True))

    with pytest.raises(LookupError, match="no"):
        test()
    assert stopped == ["two", "one"]


def test_what_is_left_is_named() -> None:
    @with_harness
    async def test(harness: Harness) -> None:
        client = harness.client()
        await client.connect()
        await client.subscribe("a/+", print)
        await make_plugin(harness).start()
        task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
        assert not task.done()

    with pytest.raises(LeftoverError) as caught:
        test()

    text = str(caught.value)
    assert text.startswith("the test has left something behind\ntasks that still run:\n  forgotten: ")
    assert "subscriptions (disconnect the client, stop the orbiter):\n  $handshake.discover\n  $intro" in text
    assert "\n  a/+\n  orb" in text


def test_what_is_left_by_a_failing_test_is_not_the_failure() -> None:
    @with_harness
    async def test(harness: Harness) -> None:
        await make_plugin(harness).start()
        raise LookupError("the failure")

    with pytest.raises(LookupError, match="the failure"):
        test()


def test_what_ran_before_is_not_left_by_the_test() -> None:
    async def main() -> None:
        before = asyncio.create_task(asyncio.sleep(1000))
        async with Harness():
            pass
        before.cancel()

    run(main())
