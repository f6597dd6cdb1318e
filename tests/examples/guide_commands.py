"""How commands of the tutorial and the how-to pages are tried that other pages do not have."""

from __future__ import annotations

import json
import re
import shlex
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from tests.examples.programs import Program
from tests.examples.snippets import Snippet
from tests.support.repository import ROOT

__all__ = ["GUIDE_COMMANDS", "OF_GREENHOUSE", "exports", "greenhouse", "takes_certificates"]

#: Identifiers in the tutorial.
OF_GREENHOUSE = {"gardener", "tomatoes"}

_BROKER = "mqtt://localhost:1883"
_UNITS = ROOT / "examples" / "deploy" / "systemd"


def exports(snippet: Snippet, url: str) -> dict[str, str]:
    """Return the environment variables that a code block exports, with the broker of the test."""
    given: dict[str, str] = {}
    for command in snippet.commands:
        name, *arguments = shlex.split(command)
        if name == "export":
            for argument in arguments:
                variable, _, value = argument.partition("=")
                given[variable] = value.replace(_BROKER, url)
    return given


def takes_certificates(snippet: Snippet) -> bool:
    """Return whether the programs of a code block run on a broker that knows them by their certificates."""
    return any(value.startswith("mqtts:") for value in exports(snippet, _BROKER).values())


@contextmanager
def greenhouse(environment: dict[str, str], url: str) -> Generator[None]:
    """Run the gardener of the tutorial, who needs two beds, and one bed."""
    given = {**environment, "ORBITALIS_BUS": url}
    with (
        Program("examples.tutorial.chapter_3.bed", "tomatoes", environment=given) as bed,
        Program("examples.tutorial.chapter_3.gardener", environment=given) as gardener,
    ):
        for program in (bed, gardener):
            program.expect("has started")
        yield
        for program in (gardener, bed):
            assert program.end(signal.SIGINT) == 0


def _try_export(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look whether something here reads each variable."""
    sources = "".join(
        path.read_text()
        for folder in ("orbitalis/bus", "examples/tutorial", "examples/secure")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in ("", ".py")
    )
    for argument in arguments:
        name = argument.partition("=")[0].removeprefix("GREENHOUSE_")
        assert re.search(rf"\b{name}\b", sources)


def _try_npm(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look whether the package has the script: the tests of the tutorial build and run it."""
    option, folder, *command = arguments
    package = json.loads((ROOT / folder / "package.json").read_text())
    assert option == "--prefix"
    assert command == ["install"] or (command[0] == "run" and command[1] in package["scripts"])


def _try_node(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look whether it is made of a file that is there: the tests of the tutorial and of the contracts run it."""
    source = arguments[0].removeprefix("typescript/dist/").replace("/dist/", "/").removesuffix(".js") + ".ts"
    assert (ROOT / source).is_file()


def _try_systemctl(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look whether there are such units: the tests of deployment check and run them."""
    action, *others = arguments
    assert action in ("daemon-reload", "enable", "reload", "restart", "status", "stop")
    for name in (one for one in others if not one.startswith("-")):
        assert (_UNITS / re.sub(r"@.*", "@.service", f"{name}.service" if "@" not in name else name)).is_file()


def _try_files(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look whether the files of the repository are there that are named."""
    named = [one for one in arguments if one.startswith("examples/")]
    assert named
    assert [one for one in named if not (ROOT / one).exists()] == []


GUIDE_COMMANDS: Mapping[str, Callable[[list[str], dict[str, str], str], None]] = {
    "docker": _try_files,
    "export": _try_export,
    "node": _try_node,
    "npm": _try_npm,
    "install": _try_files,
    "systemctl": _try_systemctl,
}
