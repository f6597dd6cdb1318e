"""What mypy and pyright say of the mistakes that are most likely: each message names the type that is expected."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orbitalis import Core
from tests.support.repository import PACKAGE_FOLDERS, ROOT

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("type checkers")]

PROGRAM = (ROOT / "tests" / "typing" / "mistakes_and_messages.txt").read_text()
PYRIGHT = ROOT / "tools" / "node_modules" / "pyright" / "index.js"
PACKAGES = [ROOT, PACKAGE_FOLDERS["orbitalis_avro"].parent, PACKAGE_FOLDERS["orbitalis_wire"].parent]
MARK = re.compile(r"  # mypy: (?P<mypy>.*) # pyright: (?P<pyright>.*)$")


def said_by_mypy(folder: Path) -> dict[int, str]:
    """Return what mypy says, by line."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--python-version", "3.11", "program.py"]
    environment = {"MYPYPATH": ":".join(map(str, PACKAGES)), "PATH": ""}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    said: dict[int, str] = {}
    for number, text in re.findall(r"^program\.py:(\d+): (?:error|note): (.*)$", done.stdout, re.MULTILINE):
        said[int(number)] = f"{said.get(int(number), '')}{text}\n"
    return said


def said_by_pyright(folder: Path) -> dict[int, str]:
    """Return what pyright says, by line."""
    settings = {"typeCheckingMode": "strict", "extraPaths": list(map(str, PACKAGES)), "include": ["program.py"]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["node", str(PYRIGHT), "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said: dict[int, str] = {}
    for one in json.loads(done.stdout)["generalDiagnostics"]:
        number = one["range"]["start"]["line"] + 1
        said[number] = f"{said.get(number, '')}{one['message']}\n"
    return said


@pytest.mark.parametrize(("checker", "ask"), [("mypy", said_by_mypy), ("pyright", said_by_pyright)])
def test_each_message_names_what_is_expected(checker: str, ask: object, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    expected = {
        number: match[checker] for number, line in enumerate(PROGRAM.splitlines(), 1) if (match := MARK.search(line))
    }
    assert callable(ask)

    said = ask(tmp_path)

    assert len(expected) >= 15
    assert {number: said.get(number) for number, text in expected.items() if text not in said.get(number, "")} == {}
    assert sorted(said.keys() - expected.keys()) == []


@pytest.mark.parametrize(
    ("method", "hook"), [("_on_startd", "_on_started"), ("_on_stop", "_on_stopped"), ("_on_offer", "_on_new_offer")]
)
def test_a_method_that_looks_like_a_hook_is_told(method: str, hook: str) -> None:
    # Type checkers take it for a method of the user.
    with pytest.warns(RuntimeWarning, match=f"Home.{method} is no hook; did you mean '{hook}'"):
        type("Home", (Core,), {method: lambda self: None})


def test_methods_of_the_user_are_no_mistakes() -> None:
    type("Home", (Core,), {"_on_button": lambda self: None, "_on_started": lambda self: None})
