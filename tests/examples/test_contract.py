"""The example of a contract: a plugin and a core as programs over a real broker."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.examples.programs import Program, marked, processes_left
from tests.support.broker import Broker

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


def test_a_core_calls_a_plugin_over_a_broker(broker: Broker, environment: dict[str, str]) -> None:
    with Program("examples.contract.plugin", broker.url, environment=environment) as plugin:
        plugin.expect("lamp has started")
        with Program("examples.contract.core", broker.url, environment=environment) as core:
            assert core.wait() == 0, "\n".join(core.output)
        assert plugin.end(signal.SIGINT) == 0

    assert sorted(core.output) == [
        "Status(on=False)",
        "Status(on=True)",
        "the bulb is broken after 1000 hours",
        "the lamp takes 0.0 W",
        "the lamp takes 30.0 W",
    ]
    assert plugin.output == ["lamp has started"]
