"""The page about event buses is held against what clients take."""

from __future__ import annotations

import inspect
import re

from orbitalis.bus import MqttEventBusClient, QueueBounds
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "reference" / "buses.md").read_text()
_ROW = re.compile(r"^\| `(\w+)` \| `([^`]*)` \| .*\S.* \|$", re.MULTILINE)


def test_every_argument_of_an_mqtt_client_is_explained() -> None:
    parameters = inspect.signature(MqttEventBusClient).parameters

    assert dict(_ROW.findall(PAGE)) == {
        name: str(parameter.default) for name, parameter in parameters.items() if name != "host"
    }


def test_the_bounds_are_those_of_queues() -> None:
    bounds = QueueBounds()

    assert f"{bounds.events:_} events or {bounds.bytes // 2**20} MiB".replace("_", " ") in PAGE
