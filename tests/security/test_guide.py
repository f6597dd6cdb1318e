"""What docs/concepts/security.md says is to be done, done."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.programs import Program, marked, processes_left
from tests.examples.snippets import snippets
from tests.security.secure_broker import SecureBroker
from tests.support.repository import ROOT, run

pytestmark = pytest.mark.timeout(180)

COMMANDS = [
    shlex.split(command)
    for snippet in snippets()
    if snippet.path == ROOT / "docs" / "concepts" / "security.md" and snippet.kind == "console"
    for command in snippet.commands
]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


def test_the_guide_leads_to_a_home_with_a_lamp(secure: SecureBroker, environment: dict[str, str]) -> None:
    certificates = {"CERTIFICATES": str(secure.certificates)}
    for program, kind, name in (command for command in COMMANDS if command[0] == "examples/secure/certify"):
        # What it made for the broker is in use.
        if kind != "broker":
            run([ROOT / program, kind, name], environment=certificates)
        assert (secure.certificates / kind / f"{name}.pem").is_file()
    lamp, home = (
        [secure.adapted(argument) for argument in command[2:]] for command in COMMANDS if command[0] == "python"
    )
    before = len(secure.log)
    with Program(*lamp, environment=environment) as plugin, Program(*home, environment=environment) as core:
        core.expect("home is compliant")
        core.write("turn_on lamp_y_1 0.5")
        plugin.expect("lamp_y_1 is ON at 50% now")
        core.write("get_status lamp_y_1")
        core.expect("home learns from lamp_y_1: it is ON at 50%")
        assert core.end(signal.SIGTERM) == 0
        assert plugin.end(signal.SIGTERM) == 0
        assert [line for line in (*core.output, *plugin.output) if "may not" in line or "Traceback" in line] == []
    assert [line for line in secure.log[before:] if "Denied" in line] == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("core", "lamp"), "there is a plugin 'lamp' already"),
        (("plugin", "home"), "there is a core 'home' already"),
        (("operator", "home"), "there is a core 'home' already"),
        (("core", "olga"), "there is an operator 'olga' already"),
        (("plugin", "-"), "'-' is not a name"),
        (("plugin", "a/b"), "'a/b' is not a name"),
        (("plugin", "+"), "'+' is not a name"),
        (("plugin", "a b"), "'a b' is not a name"),
        (("plugin", ""), "'' is not a name"),
        (("thief", "a"), "expected: certify broker|core|plugin|operator NAME"),
        (("plugin",), "expected: certify broker|core|plugin|operator NAME"),
    ],
)
def test_certificates_that_are_not_made(arguments: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    for kind, name in (("core", "home"), ("plugin", "lamp"), ("operator", "olga")):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name}.pem").touch()
    certify = ROOT / "examples" / "secure" / "certify"

    output = run([certify, *arguments], environment={"CERTIFICATES": str(tmp_path)}, status=1)

    assert reason in output
    assert not (tmp_path / "authorities").exists()


def test_keys_are_for_their_owner_alone(secure: SecureBroker) -> None:
    keys = list(secure.certificates.rglob("*.key"))
    assert len(keys) >= 8
    assert {key.stat().st_mode & 0o077 for key in keys} == {0}
