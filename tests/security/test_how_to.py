"""What docs/how-to/secure-a-broker.md says is to be done, done."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.guide_commands import exports, takes_certificates
from tests.examples.programs import Program, marked, processes_left
from tests.examples.snippets import snippets
from tests.security.secure_broker import SecureBroker
from tests.support.repository import ROOT, run

pytestmark = pytest.mark.timeout(180)

PAGE = [
    one for one in snippets() if one.path == ROOT / "docs" / "how-to" / "secure-a-broker.md" and one.kind == "console"
]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


def test_the_greenhouse_runs_on_a_broker_that_knows_who_is_who(
    secure: SecureBroker, environment: dict[str, str]
) -> None:
    for command in PAGE[0].commands:
        secure.certify(*shlex.split(command)[1:])
    programs: list[tuple[list[str], dict[str, str]]] = []
    for snippet in filter(takes_certificates, PAGE):
        given = {name: secure.adapted(value) for name, value in exports(snippet, "").items()}
        programs.append((shlex.split(snippet.commands[-1]), {**environment, **given}))
    (bed, of_bed), (gardener, of_gardener), (asking, of_operator) = programs
    before = len(secure.log)

    with (
        Program(*bed[2:], environment=of_bed) as plugin,
        Program(*gardener[2:], environment=of_gardener) as core,
    ):
        core.expect("tomatoes is moist now")
        printed = run([Path(sys.executable).parent / asking[0], *asking[1:]], environment=of_operator)
        assert core.end(signal.SIGTERM) == 0
        assert plugin.end(signal.SIGTERM) == 0

    assert [line.split()[0] for line in printed.splitlines()[1:]] == ["gardener", "tomatoes"]
    assert [line for line in secure.log[before:] if "Denied" in line] == []
