"""What the README, CONTRIBUTING.md and the pages in docs/ show, tried out.

How a code block is treated says its kind:

- `python` is run as a program, in an empty folder, as it stands except for the address of the broker; a `text` block
  after it with nothing but a sentence between them is what it prints;
- `ts` is compiled, beside the package of `examples/contract`, and run; a `text` block after it is what it prints;
- `console` and `sh` are commands, each of which has to be one that `COMMANDS` knows how to try: most are run, as they
  stand except for the address of the broker; `make` and `pip` are held against the Makefile and pyproject.toml instead;
- a block with a title, such as `python title="examples/lamps/home.py"`, is a file or lines of it, which have tests of
  their own; one whose title has no folder is a file for readers to save, which has tests of its own, too;
- `text` is output; an excerpt of the demonstration is held against a demonstration;
- `mermaid`, `yaml`, `toml` and `json` are read as far as there is something here that reads them.

Any other kind, a block without one and an unknown command fail.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.examples.guide_commands import GUIDE_COMMANDS, OF_GREENHOUSE, exports, greenhouse, takes_certificates
from tests.examples.programs import Program, marked, processes_left
from tests.examples.snippets import DOCUMENTS, Snippet, links, snippets
from tests.support.broker import Broker, find_mosquitto
from tests.support.repository import ROOT, run
from tests.typescript.contracts import compile_contracts, install_package
from tests.typescript.package import built, needs_node

pytestmark = pytest.mark.timeout(180)

SNIPPETS = list(snippets())
RECORDS = ROOT / "docs" / "decisions"
#: Folders of pages that have an index.
INDEXED = (ROOT / "docs" / "tutorial", ROOT / "docs" / "how-to")
BIN = Path(sys.executable).parent
DIAGRAMS = ("flowchart ", "sequenceDiagram", "stateDiagram-v2", "classDiagram")
#: Modules that end by themselves.
ENDING = ("examples.guide.", "examples.tutorial.chapter_1.", "examples.tutorial.chapter_2.")
#: For how long somebody has been there, and which version it is.
VARYING = re.compile(r"\b(\d+ (s|min|h|d)|now)\b|(?<=orbitalis-python )\S+")
#: A line of the demonstration in which an orbiter says something.
SPEECH = re.compile(r"^ +\d+\.\d\d s (\w+) +│ (\w+ \w+)")


def of_kind(*kinds: str) -> list[Snippet]:
    """Return the code blocks of some kinds, without those that show files."""
    return [snippet for snippet in SNIPPETS if snippet.kind in kinds and not snippet.title]


#: Each command once, with the first place that shows it. Those that take certificates run in tests/security.
COMMANDS_SHOWN = {
    command: snippet
    for snippet in reversed(of_kind("console", "sh"))
    if not takes_certificates(snippet)
    for command in snippet.commands
}


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of programs, none of which may be left after the test."""
    given = marked()
    yield given
    assert processes_left(given) == []


def try_make(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look for the target: it might run this test again, or change the repository. With ARGS, run its program."""
    target, *given = arguments
    makefile = (ROOT / "Makefile").read_text()
    assert f".PHONY: {target}" in makefile.splitlines()
    for variable in given:
        recipe = re.search(
            rf"^{target}:.*\n(?:\t.*\n)*?\t@\$\(BIN\)/python -m (\S+) \$\(ARGS\)$", makefile, re.MULTILINE
        )
        assert recipe is not None
        with Program(recipe[1], *shlex.split(variable.removeprefix("ARGS=")), environment=environment) as program:
            assert program.wait() == 0


def try_pip(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look for the name and its extras in pyproject.toml: that it can be installed has a test of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if arguments[0] == "uninstall":
        assert project["name"] in arguments
        return
    command, package = arguments
    requirement = Requirement(re.sub(r"^\.", project["name"], package))
    assert (command, requirement.name) == ("install", project["name"])
    assert requirement.extras <= set(project["optional-dependencies"])


def try_codegen(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Run it in a copy, which it may change."""
    folder = Path(environment["COPY"])
    for name in ("asyncapi.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("schemas", "generated", "examples/contract", "examples/tutorial/chapter_5"):
        shutil.copytree(ROOT / name, folder / name)
    if "--against" in arguments:
        # A release to compare with.
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "A release"]):
            run(["git", *command], folder=folder)
        run(["git", "tag", arguments[arguments.index("--against") + 1]], folder=folder)
    run([BIN / "orbitalis-codegen", *arguments], folder=folder)


def try_conformance(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Run it, with this Python for the subject."""
    given = [re.sub(r"^python ", f"{sys.executable} ", one) for one in arguments]
    assert " 1 passed" in run([BIN / "orbitalis-conformance", *given])


def try_python(
    arguments: list[str], environment: dict[str, str], url: str, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Run a program of ours until it says that it has started, or to its end where it has one."""
    if len(arguments) == 1:
        # A file for readers to save.
        assert arguments[0] in {snippet.title for snippet in SNIPPETS}
        return
    option, module, *others = arguments
    assert option == "-m"
    if module == "pytest":
        try_pytest(arguments, environment, url)
        return
    with Program(module, *(url if "://" in one else one for one in others), environment=environment) as program:
        if module == "examples.contract.core":
            try_python(["-m", module.replace("core", "plugin"), *others], environment, url, meanwhile=program.wait)
        elif module == "examples.demo" or module.startswith(ENDING):
            assert program.wait() == 0
        else:
            program.expect("has started")
            meanwhile()
            assert program.end(signal.SIGINT) == 0


def try_node(
    arguments: list[str], environment: dict[str, str], url: str, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Run a program in TypeScript, compiled, until it says that it has started, or to its end where it has one."""
    built()
    script, *others = arguments
    given = [url if "://" in one else one for one in others]
    with Program(script, *given, environment=environment, command=("node",)) as program:
        if script.endswith("core.js"):
            try_node([script.replace("core", "plugin"), *others], environment, url, meanwhile=program.wait)
        else:
            program.expect("has started")
            meanwhile()
            assert program.end(signal.SIGINT) == 0


def try_pytest(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look whether there are such tests; what they find is for them to say."""
    option, module, *others = arguments
    assert (option, module) == ("-m", "pytest")
    run([sys.executable, "-m", "pytest", "--collect-only", "--quiet", *others])


def try_mosquitto(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Look whether there is one that knows the option: ports may be taken."""
    option, value = arguments
    assert value.isdecimal() if option == "-p" else (option == "-c" and (ROOT / value).is_file())
    assert find_mosquitto()


def try_certify(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Run it, with another folder for what it makes."""
    run([ROOT / "examples/secure/certify", *arguments], environment={"CERTIFICATES": environment["COPY"]})


@contextmanager
def lamps(environment: dict[str, str], url: str) -> Iterator[None]:
    """Run a home that needs more lamps than there are, and the two lamps that there are."""
    bus = ("--bus", url)
    with (
        Program("examples.lamps.plugin", "--kind", "x", "--identifier", "lamp_x_1", *bus, environment=environment) as x,
        Program("examples.lamps.plugin", "--kind", "y", "--identifier", "lamp_y_1", *bus, environment=environment) as y,
        Program("examples.lamps.home", "--lamps", "3", "--dimmable", "1", *bus, environment=environment) as home,
    ):
        for program in (x, y, home):
            program.expect("has started")
        yield
        for program in (home, x, y):
            assert program.end(signal.SIGINT) == 0


def try_orbitalis(arguments: list[str], environment: dict[str, str], url: str) -> None:
    """Run it against the lamps, or against the greenhouse: the answer may be a bad one, but has to be one."""
    if arguments[0] == "dashboard":
        given = (url if "://" in one else one for one in arguments)
        with Program("orbitalis.cli", *given, environment=environment) as program:
            program.expect("http://127.0.0.1:")
            assert program.end(signal.SIGINT) == 130
        return
    with (greenhouse if OF_GREENHOUSE & set(arguments) else lamps)(environment, url):
        status = 1 if arguments[0] in ("why", "doctor") else 0
        run([BIN / "orbitalis", *arguments], environment={"ORBITALIS_BUS": url}, status=status)


COMMANDS: dict[str, Callable[[list[str], dict[str, str], str], None]] = {
    ".venv/bin/python": try_pytest,
    "examples/secure/certify": try_certify,
    "make": try_make,
    "mosquitto": try_mosquitto,
    "node": try_node,
    "orbitalis": try_orbitalis,
    "orbitalis-codegen": try_codegen,
    "orbitalis-conformance": try_conformance,
    "pip": try_pip,
    "python": try_python,
    **GUIDE_COMMANDS,
}


def test_every_kind_of_snippet_is_known() -> None:
    known = {"console", "json", "mermaid", "python", "sh", "text", "toml", "ts", "yaml"}

    assert [
        f"{snippet}: {snippet.kind!r}" for snippet in SNIPPETS if not (snippet.title or snippet.kind in known)
    ] == []


@pytest.mark.parametrize("snippet", [one for one in SNIPPETS if "/" in one.title], ids=str)
def test_what_a_page_shows_of_a_file_stands_there(snippet: Snippet) -> None:
    lines = (ROOT / snippet.title).read_text(encoding="utf-8")

    assert f"\n{snippet.text}" in f"\n{lines}"


@pytest.mark.parametrize("snippet", of_kind("python"), ids=str)
def test_python_runs(snippet: Snippet, broker: Broker, tmp_path: Path) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(snippet.text.replace("mqtt://localhost:1883", broker.url))
    environment = {name: value for name, value in os.environ.items() if name != "ORBITALIS_BUS"}

    printed = run(
        [sys.executable, "-W", "error", program],
        folder=tmp_path,
        environment={**environment, "PYTHONPATH": str(ROOT)},
        errors_too=False,
    )

    assert printed == (shown_after(snippet) or printed)


@needs_node
@pytest.mark.parametrize("snippet", of_kind("ts"), ids=str)
def test_typescript_runs(snippet: Snippet, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "contract" / "typescript" / "lamps", tmp_path / "lamps")
    (tmp_path / "snippet.ts").write_text(snippet.text)
    install_package(tmp_path)
    compile_contracts(tmp_path)

    printed = run(["node", tmp_path / "out" / "snippet.js"], folder=tmp_path, errors_too=False)

    assert printed == (shown_after(snippet) or printed)


def shown_after(snippet: Snippet) -> str | None:
    """Return what a program prints, if that is shown after it."""
    for following in SNIPPETS[SNIPPETS.index(snippet) + 1 :][:1]:
        if (following.path, following.kind) == (snippet.path, "text") and following.line <= snippet.end + 4:
            return following.text
    return None


@pytest.mark.parametrize("command", COMMANDS_SHOWN, ids=lambda command: f"{COMMANDS_SHOWN[command]} {command}")
def test_command_works(command: str, environment: dict[str, str], broker: Broker, tmp_path: Path) -> None:
    name, *arguments = shlex.split(command)
    given = exports(COMMANDS_SHOWN[command], broker.url)

    assert name in COMMANDS, f"say in this test how to try {name!r}"
    COMMANDS[name](arguments, {**environment, **given, "COPY": str(tmp_path)}, broker.url)


def test_the_command_says_what_the_readme_shows(environment: dict[str, str], broker: Broker) -> None:
    """The times alone differ, since when somebody is there, and versions."""
    (snippet,) = (one for one in of_kind("console") if one.path.name == "README.md" and "$ orbitalis ls" in one.text)
    shown = dict(part.split("\n", 1) for part in f"\n{snippet.text}".split("\n$ orbitalis ")[1:])
    with lamps(environment, broker.url):
        for arguments, expected in shown.items():
            status = 1 if arguments.startswith("why") else 0
            # The handshakes may still be under way.
            for _ in range(20):
                command: list[str | Path] = [BIN / "orbitalis", *shlex.split(arguments)]
                printed = run(command, environment={"ORBITALIS_BUS": broker.url}, status=status)
                if VARYING.sub("", printed).split() == VARYING.sub("", expected).split():
                    break
            assert VARYING.sub("", printed).split() == VARYING.sub("", expected).split()

    assert len(shown) == 3


@pytest.mark.parametrize("snippet", of_kind("console", "sh"), ids=str)
def test_console_has_commands(snippet: Snippet) -> None:
    assert snippet.commands


@pytest.mark.parametrize("snippet", of_kind("mermaid"), ids=str)
def test_mermaid_is_a_diagram(snippet: Snippet) -> None:
    assert snippet.text.startswith(DIAGRAMS)


def test_data_can_be_read() -> None:
    readers: dict[str, Callable[[str], object]] = {
        "json": json.loads,
        "toml": tomllib.loads,
        "yaml": yaml.safe_load,
    }
    for snippet in of_kind(*readers):
        assert readers[snippet.kind](snippet.text) is not None, str(snippet)


def test_the_excerpt_is_what_the_demonstration_shows(environment: dict[str, str]) -> None:
    """Numbers and who comes first differ from one time to the next; what is done, by whom, and the steps do not."""
    excerpts = [snippet for snippet in of_kind("text") if SPEECH.search(snippet.text.splitlines()[0])]
    with Program("examples.demo", environment=environment) as demo:
        assert demo.wait() == 0, "\n".join(demo.output)
    said = {match.groups() for line in demo.output if (match := SPEECH.match(line))}
    unknown: list[str] = []
    for line in (line for excerpt in excerpts for line in excerpt.text.splitlines()):
        match = SPEECH.match(line)
        if not (match.groups() in said if match else line.strip() == "…" or line in demo.output):
            unknown.append(line)

    assert [str(excerpt.path.name) for excerpt in excerpts] == ["README.md"]
    assert unknown == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    assert [target for target in links(path) if not (path.parent / target).exists()] == []


def test_the_readme_names_every_folder_and_where_the_documentation_begins() -> None:
    readme = (ROOT / "README.md").read_text()
    shipped = {"asyncapi.yaml", "schemas/", "codegen/", "generated/", "orbitalis/", "examples/", "tests/", "docs/"}

    assert [name for name in sorted(shipped) if f"`{name}`" not in readme] == []
    # Every other page is in the navigation of the site, which has a test of its own.
    folders = ("", "tutorial/", "how-to/", "concepts/", "reference/")
    beginnings = {*(f"docs/{folder}index.md" for folder in folders), "docs/decisions/README.md"}
    assert beginnings | {"CONTRIBUTING.md", "CHANGELOG.md"} <= set(links(ROOT / "README.md"))


@pytest.mark.parametrize("folder", INDEXED, ids=lambda folder: folder.name)
def test_an_index_lists_every_page_of_its_folder(folder: Path) -> None:
    assert {path.name for path in folder.glob("*.md")} - {"index.md"} <= set(links(folder / "index.md"))


def test_every_decision_is_listed() -> None:
    records = {path.name for path in RECORDS.glob("*.md")} - {"README.md"}

    assert records == {link for link in links(RECORDS / "README.md") if "/" not in link}


def test_the_first_screen_shows_it_running() -> None:
    first_screen = (ROOT / "README.md").read_text().splitlines()[:55]

    assert {"```mermaid", "```text", "$ make demo", "$ make test"} <= set(first_screen)
