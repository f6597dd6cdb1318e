"""Importing Core and Plugin takes little: what is long to import waits until it is needed."""

from __future__ import annotations

import sys

from tests.support.repository import run

HEAVY = {
    "aiomqtt",
    "concurrent.futures.process",
    "dacite",
    "dataclasses_avroschema",
    "fastavro",
    "json",
    "multiprocessing",
    "opentelemetry",
    "orbitalis.observability",
    "orbitalis.bus.mqtt",
    "orbitalis.message.avro_message",
    "orbitalis_wire.codecs",
    "paho",
    "pickle",
    "prometheus_client",
    "ssl",
    "typing_extensions",
    "urllib.parse",
}
PROGRAM = """
import asyncio, sys
before = set(sys.modules)
from orbitalis import Core, Plugin
print(*sorted(set(sys.modules) - before))
"""


def test_core_and_plugin_import_nothing_heavy() -> None:
    # asyncio imports some of it, such as ssl, and is needed in any case.
    imported = run([sys.executable, "-c", PROGRAM]).split()

    assert {"orbitalis.core.core", "orbitalis.plugin.plugin"} <= set(imported)
    assert sorted(HEAVY & set(imported)) == []
