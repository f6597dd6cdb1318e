"""The document of a running plugin: `orbitalis-codegen describe` says the same of its class, at other places."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from orbitalis import connect
from orbitalis_codegen.contract.fingerprint import fingerprint_of
from orbitalis_codegen.contract.read import load_contract
from tests.cli.command import orbitalis
from tests.cli.orbiters import Lamp, running
from tests.support.broker import Broker
from tests.support.repository import ROOT, run


async def test_the_document_says_what_that_of_the_class_says(broker: Broker, tmp_path: Path) -> None:
    of_class = run([sys.executable, "-m", "orbitalis_codegen", "describe", "tests.cli.orbiters:Lamp"], folder=ROOT)
    async with running(Lamp(identifier="lamp", eventbus_client=connect(broker.url))):
        of_plugin = await orbitalis("describe", "lamp", bus=broker.url)
        as_json = await orbitalis("describe", "lamp", "--json", "--title", "Lamps", bus=broker.url)

    (tmp_path / "class.yaml").write_text(of_class)
    (tmp_path / "plugin.yaml").write_text(of_plugin.output)
    by_class, by_plugin = (load_contract(tmp_path, f"{name}.yaml") for name in ("class", "plugin"))
    assert fingerprint_of(by_class) == fingerprint_of(by_plugin)
    assert by_plugin.operations["light"].summary == "Shine."
    assert as_json.data == {**yaml.safe_load(of_plugin.output), "info": {"title": "Lamps", "version": "1.0.0"}}


async def test_without_the_generator_it_says_what_to_install(tmp_path: Path, broker: Broker) -> None:
    # What stands first in the path is found first, and this cannot be imported.
    (tmp_path / "orbitalis_codegen").mkdir()
    (tmp_path / "orbitalis_codegen" / "__init__.py").write_text("raise ImportError(name=__name__)")

    outcome = await orbitalis("describe", "lamp", bus=broker.url, PYTHONPATH=str(tmp_path))

    assert (outcome.status, outcome.output) == (2, "")
    assert (
        "needs the generator, of which orbitalis_codegen is missing: pip install 'orbitalis-sdk[codegen]'"
        in outcome.errors
    )
