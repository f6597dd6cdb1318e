"""The page on a broker with access lists: as an operator that may read no topics of others, and a core that calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbitalis import connect
from tests.cli.orbiters import Lamp, running
from tests.dashboard.serving import Browser, needs_browser, serving
from tests.security.secure_broker import SecureBroker


@needs_browser
@pytest.mark.xdist_group("browser")
async def test_it_looks_as_an_operator_and_calls_as_a_core(tmp_path: Path) -> None:
    broker = SecureBroker(tmp_path)
    lamp = Lamp(identifier="lamp", eventbus_client=connect(broker.url_of("plugin", "lamp")))
    home = ("--allow-calls", "--core-bus", broker.url_of("core", "home"), "--core-identifier", "home")
    broker.start()
    try:
        async with (
            running(lamp),
            serving(broker.url_of("operator", "olga"), "--identifier", "olga", *home) as served,
            Browser() as browser,
        ):
            await browser.ask("open", f"{served.url}#lamp")
            await browser.wait_for('.orbiters tbody tr:has(th:has-text("lamp")):has(td:has-text("present"))')
            await browser.ask("click", "button[aria-label='Call name']")
            await browser.ask("click", "form.call button[type=submit]")
            answer = await browser.wait_for("form.call .answer")
            events = await browser.wait_for(".events .empty")
    finally:
        broker.kill()

    assert answer == '"lamp"'
    assert "only to an operator that may read all topics" in events
