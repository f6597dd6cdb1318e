"""What mypy and pyright, both strict, find in programs that use Orbitalis: all that is marked, and nothing else.

A mark is `# E` at the end of a line that both refuse, `# E: mypy` or `# E: pyright` where only one of them does. The
last tests break the types of the decorators, and see that marks are missed then.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import PACKAGE_FOLDERS, ROOT

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("type checkers")]

CASES = sorted((ROOT / "tests" / "typing" / "cases").glob("*.txt"))
MARK = re.compile(r"# E(?:: (mypy|pyright))?$")
PYRIGHT = ROOT / "tools" / "node_modules" / "pyright" / "index.js"

Lines = set[tuple[str, int]]
"""File and number."""


def marked(checker: str) -> Lines:
    """Return the lines that a checker has to refuse."""
    found: Lines = set()
    for path in CASES:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            match = MARK.search(line)
            if match and match.group(1) in (None, checker):
                found.add((path.stem, number))
    return found


def lay_out(folder: Path) -> None:
    """Write the cases as programs."""
    for path in CASES:
        shutil.copy(path, folder / f"{path.stem}.py")


def check_with_mypy(folder: Path, packages: list[Path]) -> Lines:
    """Return the lines that mypy refuses, with the packages from some folders."""
    (folder / "mypy.ini").write_text(
        f"[mypy]\npython_version = 3.11\nstrict = True\nmypy_path = {':'.join(map(str, packages))}\n"
        "[mypy-dataclasses_avroschema.*]\nignore_missing_imports = True\n"
    )
    programs = [f"{path.stem}.py" for path in CASES]
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--no-pretty", *programs]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = (re.match(r"(\w+)\.py:(\d+): error: ", line) for line in done.stdout.splitlines())
    return {(match.group(1), int(match.group(2))) for match in lines if match}


def check_with_pyright(folder: Path, packages: list[Path]) -> Lines:
    """Return the lines that pyright refuses, with the packages from some folders."""
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": list(map(str, packages)),
        "include": [f"{path.stem}.py" for path in CASES],
        # Much of the cases is only there to be checked.
        "reportUnusedVariable": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["node", str(PYRIGHT), "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {
        (Path(one["file"]).stem, one["range"]["start"]["line"] + 1)
        for one in json.loads(done.stdout)["generalDiagnostics"]
        if one["severity"] == "error"
    }


CHECKERS: dict[str, Callable[[Path, list[Path]], Lines]] = {"mypy": check_with_mypy, "pyright": check_with_pyright}
OURS = [ROOT, PACKAGE_FOLDERS["orbitalis_avro"].parent, PACKAGE_FOLDERS["orbitalis_wire"].parent]


def test_there_are_enough_cases() -> None:
    statements = {
        (path.stem, number)
        for path in CASES
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.match(r" +(@operation|@sink|await |assert_type|core\.|self\.)", line)
    }
    for checker in CHECKERS:
        assert len(marked(checker)) >= 40
        assert len(statements - marked(checker)) >= 40


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_is_marked_is_refused_and_nothing_else(checker: str, tmp_path: Path) -> None:
    lay_out(tmp_path)

    found = CHECKERS[checker](tmp_path, OURS)

    expected = marked(checker)
    assert {"missed": sorted(expected - found), "unexpected": sorted(found - expected)} == {
        "missed": [],
        "unexpected": [],
    }


#: What is made of the types, by module.
BREAKAGES = {
    "orbitalis/operations/operation_decorator.py": (
        r"-> (?:OperationMethod|EventOperation|\w+Decorator)\b.*: \.\.\.$",
        "-> Any: ...",
    ),
    "orbitalis/operations/sink_decorator.py": (r"-> (?:Callable|\w+Decorator)\b.*: \.\.\.$", "-> Any: ..."),
    "orbitalis/operations/without_input.py": (r"-> (?:DeclaredOutput|PeriodicOperation)\b.*: \.\.\.$", "-> Any: ..."),
    "orbitalis/core/request.py": (r"\) -> ResultOfOperation: \.\.\.$", ") -> Any: ..."),
    "orbitalis/core/execution.py": (r"TypedOperation\[Any, (?:InputOfOperation|None), Any\]", "Any"),
}


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("module", BREAKAGES)
def test_the_cases_bite(checker: str, module: str, tmp_path: Path) -> None:
    lay_out(tmp_path)
    broken = tmp_path / "packages"
    shutil.copytree(ROOT / "orbitalis", broken / "orbitalis")
    text, count = re.subn(*BREAKAGES[module], (broken / module).read_text(), flags=re.MULTILINE)
    assert count >= 3
    (broken / module).write_text(text)

    found = CHECKERS[checker](tmp_path, [broken, OURS[1]])

    assert len(marked(checker) ^ found) >= 10
