"""The two programs that the page of the first plugin has readers save: they say what it shows, over a real broker."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.programs import Program, marked, processes_left
from tests.examples.snippets import snippets
from tests.support.broker import Broker
from tests.support.repository import ROOT

pytestmark = pytest.mark.timeout(120)

PAGE = ROOT / "docs" / "start" / "first-plugin.md"


def test_the_home_says_what_the_page_shows_of_a_lamp_that_is_killed(
    new_broker: Callable[[], Broker], tmp_path: Path
) -> None:
    of_page = [one for one in snippets() if one.path == PAGE]
    files = [one for one in of_page if one.title]
    started, killed = (one.text.splitlines() for one in of_page if one.kind == "text" and one.line > files[-1].line)
    for one in files:
        (tmp_path / one.title).write_text(one.text)
    environment = {**marked(), "ORBITALIS_BUS": new_broker().url}

    def program(name: str) -> Program:
        return Program(name, environment=environment, command=(sys.executable, "-W", "error"), folder=tmp_path)

    with program("home.py") as home:
        home.expect("home lacks something")
        with program("lamp.py") as lamp:
            home.expect("lamp is on")
            assert lamp.end(signal.SIGKILL) == -signal.SIGKILL
            assert lamp.output == ["the lamp is there"]
        home.expect("home lacks something")
        said = list(home.output)
        with program("lamp.py") as lamp:
            home.expect("lamp is on")
            assert lamp.end(signal.SIGINT) == 0
        assert home.end(signal.SIGINT) == 0

    assert [one.title for one in files] == ["lamp.py", "home.py"]
    assert said == [*started, *killed]
    assert processes_left(environment) == []
