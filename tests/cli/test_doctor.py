"""What the doctor finds: each trouble is made, and has to be found with what to do."""

from __future__ import annotations

import re
from typing import Any

from orbitalis import connect
from tests.cli.command import orbitalis
from tests.cli.orbiters import Home, Lamp, running
from tests.support.broker import Broker, unused_port
from tests.support.repository import ROOT


def by_check(findings: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return verdict and text of each check; of several findings, those of the last."""
    return {one["check"]: (one["verdict"], one["text"]) for one in findings}


async def test_all_is_well(broker: Broker) -> None:
    core = Home(identifier="home", eventbus_client=connect(broker.url)).with_requirement(Lamp.light, minimum=1)
    async with running(Lamp(identifier="lamp", eventbus_client=connect(broker.url)), core):
        await core.compliant_event.wait()
        outcome = await orbitalis("doctor", "--json", "--listen", "0.5", bus=broker.url)

    assert outcome.status == 0
    assert any("the page 'Security' of the documentation" in one["advice"] for one in outcome.data)
    found = by_check(outcome.data)
    assert {check: verdict for check, (verdict, _) in found.items()} == {
        "bus": "ok",
        "access": "note",
        "orbiters": "ok",
        "versions": "ok",
        "identifiers": "ok",
        "clocks": "ok",
        "compliance": "ok",
    }


async def test_troubles_are_found(broker: Broker) -> None:
    core = Home(identifier="home", eventbus_client=connect(broker.url), discovering_interval=0.2).with_requirement(
        Lamp.secret, minimum=1
    )
    shy = Home(
        identifier="shy", eventbus_client=connect(broker.url), introspection=False, discovering_interval=0.2
    ).with_requirement(Lamp.secret, minimum=1)
    lamps = [Lamp(identifier="lamp", eventbus_client=connect(broker.url)) for _ in range(2)]
    async with running(*lamps, core, shy):
        outcome = await orbitalis("doctor", "--json", "--listen", "1", bus=broker.url)
        shown = await orbitalis("doctor", "--listen", "1", bus=broker.url)

    assert outcome.status == shown.status == 1
    found = by_check(outcome.data)
    assert found["orbiters"] == ("problem", "heard of, but without an answer: shy")
    assert found["identifiers"] == ("problem", "2 orbiters are called 'lamp'")
    assert found["compliance"] == ("problem", "home is not compliant")
    assert "✗ compliance: home is not compliant\n    orbitalis why home\n" in shown.output


def test_pages_are_named_by_titles_that_they_have() -> None:
    # An installed package has no docs/.
    titles = {path.read_text().splitlines()[0].removeprefix("# ") for path in (ROOT / "docs").rglob("*.md")}
    for file in ("orbitalis/cli/commands/doctor.py", "examples/secure/mosquitto.conf"):
        text = (ROOT / file).read_text()
        named = re.findall(r"page '([^']+)' of the documentation", text)
        assert named
        assert set(named) <= titles
        assert "docs/" not in text


async def test_no_broker() -> None:
    outcome = await orbitalis("doctor", bus=f"mqtt://127.0.0.1:{unused_port()}")

    assert outcome.status == 3
    assert "✗ bus: cannot connect to mqtt://127.0.0.1" in outcome.output
    assert "is the broker running" in outcome.output
