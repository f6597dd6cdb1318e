"""Orbiters that the command line names."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import orbitalis
from tests.examples.programs import Program, marked, processes_left
from tests.support.broker import Broker


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


async def test_a_class_runs_until_it_is_told_to_end(environment: dict[str, str], broker: Broker) -> None:
    target = ("run", "tests.cli.orbiters:Lamp", "--identifier", "lamp", "--bus", broker.url)
    with Program("orbitalis.cli", *target, environment=environment) as program:
        program.expect("runs lamp, a Lamp, until Ctrl-C")
        for _ in range(20):
            found = await orbitalis("ping", "lamp", "--within", "0.5", bus=broker.url)
            if found.status == 0:
                break
        assert found.status == 0
        assert program.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("tests.cli.orbiters:Lmap", "there is no 'Lmap' in tests.cli.orbiters; did you mean 'Lamp'?"),
        ("tests.cli.orbiters:Light", "tests.cli.orbiters:Light is no class of orbiters"),
        ("tests.cli.nothing:Lamp", "there is no module 'tests.cli.nothing'"),
        ("tests.cli.orbiters", "expected MODULE:CLASS"),
    ],
)
async def test_what_cannot_be_run(target: str, reason: str, broker: Broker) -> None:
    outcome = await orbitalis("run", target, bus=broker.url)

    assert (outcome.status, outcome.output) == (2, "")
    assert reason in outcome.errors


async def test_an_error_of_the_user_names_its_place(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "broken_lamps.py").write_text("x = 1\n\nraise ValueError('no lamps')\n")

    outcome = await orbitalis("run", "broken_lamps:Lamp", bus=broker.url, PYTHONPATH=str(tmp_path))

    assert outcome.status == 2
    assert f"{tmp_path}/broken_lamps.py:3: importing broken_lamps raises ValueError: no lamps" in outcome.errors
