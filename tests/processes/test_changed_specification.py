"""A specification that somebody changes: generated again, the runtime follows without any other edit."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.repository import PACKAGE_FOLDERS, ROOT, run

pytestmark = pytest.mark.timeout(180)

PROGRAM = """
import asyncio, sys
from dataclasses import dataclass, field
from orbitalis import (
    Constraint, Core, Event, Input, OperationRequirement, Output, Plugin, StringMessage, connect, operation, sink
)

@dataclass
class Lowercase(Plugin):
    @operation(name="lowercase", input=Input.string(), output=Output.string())
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        await self.send_result_to_all(self.retrieve_connections(input_topic=topic), event.payload.value.lower())

@dataclass
class MyCore(Core):
    results: asyncio.Queue = field(default_factory=asyncio.Queue)
    price: int = 0

    async def _on_new_offer(self, offer_message: object) -> None:
        self.price = offer_message.offered_operations[0].price

    @sink("lowercase")
    async def lowercase(self, topic: str, event: Event[StringMessage]) -> None:
        self.results.put_nowait((topic, event.payload.value))

async def main() -> None:
    constraint = Constraint(minimum=1, inputs=[Input.string()], outputs=[Output.string()])
    plugin = Lowercase(identifier="p", eventbus_client=connect(sys.argv[1]))
    core = MyCore(
        identifier="c",
        eventbus_client=connect(sys.argv[1]),
        operation_requirements={"lowercase": OperationRequirement(constraint)},
    )
    async with plugin, core, asyncio.timeout(30):
        await core.compliant_event.wait()
        await core.execute("lowercase", "HELLO", any=True)
        print(*await core.results.get(), core.loop_interval, core.price)

asyncio.run(main())
"""


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the specification and the runtime, to be changed."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "orbitalis", tmp_path / "orbitalis", ignore=ignored)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copy(ROOT / "asyncapi.yaml", tmp_path)
    return tmp_path


def generate_and_run(copy: Path, broker: Broker) -> str:
    """Generate from the copy's specification, run the program against it, and return what that prints."""
    generator = {
        "PYTHONPATH": os.pathsep.join(
            str(PACKAGE_FOLDERS[name].parent) for name in ("orbitalis_codegen", "orbitalis_avro")
        )
    }
    run([sys.executable, "-m", "orbitalis_codegen", "generate"], folder=copy, environment=generator)
    return run(
        [sys.executable, "-c", PROGRAM, broker.url],
        folder=copy,
        environment={"PYTHONPATH": os.pathsep.join([str(copy), str(copy / "generated" / "python")])},
    )


def test_addresses_quality_of_service_fields_and_timings(copy: Path, new_broker: Callable[..., Broker]) -> None:
    document = copy / "asyncapi.yaml"
    replace(
        document,
        "address: orbitalis/{core_identifier}/{plugin_identifier}/operations",
        "address: work/{core_identifier}/{plugin_identifier}/results",
    )
    replace(document, "address: $handshake.discover", "address: everybody/discover")
    replace(
        document,
        "address: orbitalis/{core_identifier}/{plugin_identifier}/offer",
        "address: offers/{plugin_identifier}/to/{core_identifier}",
    )
    replace(document, "        qos: 1\n", "        qos: 2\n")
    replace(
        document,
        "      seconds: 1.0\n      description: Time between two iter",
        "      seconds: 0.25\n      description: Time between two iter",
    )
    price = '"fields": [{"name": "price", "type": "int", "default": 42, "doc": "What it costs."},'
    replace(copy / "schemas" / "OfferedOperation.avsc", '"fields": [', price)
    broker = new_broker()

    output = generate_and_run(copy, broker)

    topic, *rest = output.split()
    assert topic.startswith("work/c/p/results/lowercase/output/")
    assert rest == ["hello", "0.25", "42"]
    log = "\n".join(broker.log)
    assert "everybody/discover" in log
    assert "$handshake.discover" not in log
    assert "offers/p/to/c" in log
    published = [line for line in broker.log if "Received PUBLISH" in line and "/p/c/reply" in line]
    assert published
    assert all(" q2," in line for line in published)


def test_quality_of_service_of_inputs_alone(copy: Path, new_broker: Callable[..., Broker]) -> None:
    document = copy / "asyncapi.yaml"
    before, key, after = document.read_text().partition("  coreSendsOperationInput:")
    own = "{mqtt: {qos: 2, retain: false, bindingVersion: 0.2.0}}"
    after = after.replace("bindings: *reliable", f"bindings: {own}", 2)
    document.write_text(before + key + after)
    broker = new_broker()

    assert "hello" in generate_and_run(copy, broker)

    published = [line for line in broker.log if "Received PUBLISH" in line]
    assert {" q2," in line for line in published if "/input/" in line} == {True}
    assert {" q2," in line for line in published if "/output/" in line} == {False}


def test_addresses_that_begin_with_a_parameter(copy: Path, new_broker: Callable[..., Broker]) -> None:
    document = copy / "asyncapi.yaml"
    text = re.sub(r"^( *address: )orbitalis/(.*)$", r"\1'\2'", document.read_text(), flags=re.MULTILINE)
    document.write_text(text)
    assert "address: '{core_identifier}/{plugin_identifier}/offer'" in text

    assert "hello" in generate_and_run(copy, new_broker())
