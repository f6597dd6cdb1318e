"""The programs of the tutorial, as its pages run them, over a real broker: they print what the pages show."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.examples.programs import Program, marked, processes_left
from tests.examples.snippets import snippets
from tests.support.broker import Broker
from tests.support.repository import ROOT, run
from tests.typescript.package import MODULES, PACKAGE, built, needs_node

pytestmark = pytest.mark.timeout(300)

PAGES = ROOT / "docs" / "tutorial"
CHAPTERS = "examples.tutorial"
TYPESCRIPT = ROOT / "examples" / "tutorial" / "chapter_5" / "typescript"


@pytest.fixture
def environment(new_broker: Callable[[], Broker]) -> Iterator[dict[str, str]]:
    """Give the environment of programs on a broker of their own, none of which may be left after the test."""
    given = {**marked(), "ORBITALIS_BUS": new_broker().url}
    yield given
    assert processes_left(given) == []


def shown(page: str, program: str) -> list[str]:
    """Return the lines that a page shows after the command that ends with `program`, until the next command."""
    of_page = [one for one in snippets() if one.path == PAGES / page]
    for one, following in pairwise(of_page):
        if one.kind == "console" and one.commands[-1].endswith(program) and following.kind == "text":
            return following.text.splitlines()
    raise AssertionError(f"{page} shows nothing that {program} prints")


def texts(page: str) -> list[list[str]]:
    """Return the lines of each output that a page shows."""
    return [one.text.splitlines() for one in snippets() if one.path == PAGES / page and one.kind == "text"]


def program(name: str, *arguments: str, environment: dict[str, str]) -> Program:
    """Start a program of a chapter."""
    return Program(f"{CHAPTERS}.{name}", *arguments, environment=environment)


def expect_all(program: Program, lines: list[str]) -> None:
    """Wait until a program has written some lines, in any order."""
    missing = set(lines)
    while missing:
        missing.discard(program.expect(""))


@pytest.mark.parametrize(
    ("page", "module"), [("1-plugin.md", "chapter_1.bed"), ("2-core.md", "chapter_2.greenhouse")], ids=["1", "2"]
)
def test_a_chapter_in_one_process_prints_what_the_page_shows(page: str, module: str) -> None:
    printed = run([sys.executable, "-W", "error", "-m", f"{CHAPTERS}.{module}"], errors_too=False)

    assert printed.splitlines() == shown(page, module)


def test_a_bed_that_is_killed_is_missed_until_it_is_there_again(environment: dict[str, str]) -> None:
    start, killed, again = texts("3-broker.md")
    with (
        program("chapter_3.gardener", environment=environment) as gardener,
        program("chapter_3.bed", "tomatoes", environment=environment) as tomatoes,
    ):
        with program("chapter_3.bed", "herbs", environment=environment) as herbs:
            expect_all(gardener, start)
            assert herbs.end(signal.SIGKILL) == -signal.SIGKILL
        expect_all(gardener, killed)
        with program("chapter_3.bed", "herbs", environment=environment) as herbs:
            expect_all(gardener, again)
            assert herbs.end(signal.SIGINT) == 0
        gardener.expect("gardener lacks something")
        assert gardener.end(signal.SIGINT) == 0
        tomatoes.expect("tomatoes: water is not used any more")
        assert tomatoes.end(signal.SIGINT) == 0

    assert gardener.output[:3] == start[:3]


def test_own_messages_arrive(environment: dict[str, str]) -> None:
    with (
        program("chapter_4.gardener", environment=environment) as gardener,
        program("chapter_4.bed", "tomatoes", "24", environment=environment) as bed,
    ):
        gardener.expect("tomatoes is moist now")
        assert gardener.end(signal.SIGINT) == 0
        assert bed.end(signal.SIGINT) == 0

    assert gardener.output == shown("4-messages.md", "chapter_4.gardener")
    assert bed.output == shown("4-messages.md", "chapter_4.bed tomatoes 24")


def test_a_contract_is_kept_in_python(environment: dict[str, str]) -> None:
    with (
        program("chapter_5.gardener", environment=environment) as gardener,
        program("chapter_5.vent", "window", environment=environment) as vent,
        program("chapter_4.bed", "tomatoes", "24", environment=environment) as bed,
    ):
        expect_all(gardener, shown("5-contract.md", "chapter_5.gardener"))
        expect_all(vent, shown("5-contract.md", "chapter_5.vent window"))
        for one in (gardener, vent, bed):
            assert one.end(signal.SIGINT) == 0


def compiled(folder: Path) -> Path:
    """Build the vent in TypeScript in a folder of its own, as `npm install` and `npm run build` do."""
    built()
    for name in ("vent.ts", "vents", "package.json", "tsconfig.json"):
        (shutil.copytree if (TYPESCRIPT / name).is_dir() else shutil.copy)(TYPESCRIPT / name, folder / name)
    for name, target in (("@orbitalis/sdk", PACKAGE), ("@types/node", MODULES / "@types" / "node")):
        link = folder / "node_modules" / name
        link.parent.mkdir(parents=True)
        link.symlink_to(target)
    run(["node", MODULES / "typescript" / "bin" / "tsc"], folder=folder)
    return folder / "dist" / "vent.js"


def test_the_vent_is_built_with_what_the_package_is_built_with() -> None:
    of_vent, of_package = (json.loads((one / "package.json").read_text()) for one in (TYPESCRIPT, PACKAGE))

    assert of_vent["devDependencies"].items() <= of_package["devDependencies"].items()
    assert of_vent["engines"] == of_package["engines"]


@needs_node
def test_a_contract_is_kept_in_typescript(environment: dict[str, str], tmp_path: Path) -> None:
    jammed = texts("5-contract.md")[-1]
    with (
        Program(str(compiled(tmp_path)), "roof", environment=environment, command=("node",)) as vent,
        program("chapter_5.gardener", environment=environment) as gardener,
    ):
        with program("chapter_4.bed", "tomatoes", "24", environment=environment) as bed:
            gardener.expect("roof is open to 40 %")
            assert bed.end(signal.SIGINT) == 0
        with program("chapter_4.bed", "tomatoes", "27", environment=environment) as bed:
            expect_all(gardener, jammed)
            assert bed.end(signal.SIGINT) == 0
        assert gardener.end(signal.SIGINT) == 0
        assert vent.end(signal.SIGTERM) == 0

    assert vent.output == shown("5-contract.md", "dist/vent.js roof")


def test_in_production_a_stop_is_graceful(environment: dict[str, str]) -> None:
    def of(name: str) -> dict[str, str]:
        return {**environment, "GREENHOUSE_IDENTIFIER": name}

    (left,) = texts("6-production.md")
    with (
        program("chapter_6.gardener", environment=of("gardener")) as gardener,
        program("chapter_5.vent", "roof", environment=environment) as vent,
        program("chapter_6.bed", environment=of("tomatoes")) as bed,
    ):
        gardener.expect("tomatoes is moist now")
        assert bed.end(signal.SIGTERM) == 0
        gardener.expect(left[0])
        assert gardener.end(signal.SIGTERM) == 0
        assert vent.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "set GREENHOUSE_IDENTIFIER to the name of this program, such as tomatoes"),
        (
            {"GREENHOUSE_IDENTIFIER": "tomatoes", "GREENHOUSE_SILENCE": "long"},
            "GREENHOUSE_SILENCE must be a number of seconds above 0, such as 30.0, got 'long'",
        ),
    ],
    ids=["missing", "of no use"],
)
def test_in_production_a_wrong_setting_is_one_line(given: dict[str, str], said: str) -> None:
    with program("chapter_6.bed", environment={**marked(), **given}) as bed:
        assert bed.wait() == 1

    assert bed.output == [said]


def test_the_tests_of_the_last_chapter_pass(tmp_path: Path) -> None:
    (command,) = (
        one
        for snippet in snippets()
        if snippet.path == PAGES / "6-production.md" and snippet.kind == "console"
        for one in snippet.commands
        if "pytest" in one
    )
    arguments = shlex.split(command)[1:]

    assert "4 passed" in run([sys.executable, *arguments, "-p", "no:cacheprovider", "-p", "no:xdist"])
