"""What mypy and pyright, both strict, say of emitted packages and of a program with mistakes: those, and no more."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orbitalis_codegen.emit.contract_python import emit_contract
from tests.codegen.contract.contracts import contract, lamps, message, plain, record
from tests.support.repository import PACKAGE_FOLDERS, ROOT, run

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("type checkers")]

PROGRAM = Path(__file__).with_name("user.txt")
PYRIGHT = ROOT / "tools" / "node_modules" / "pyright" / "index.js"
PACKAGES = [str(ROOT), *(str(PACKAGE_FOLDERS[name].parent) for name in ("orbitalis_avro", "orbitalis_wire"))]
MARKED = {number for number, line in enumerate(PROGRAM.read_text().splitlines(), start=1) if line.endswith("# E")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the packages, and the program."""
    folder = tmp_path_factory.mktemp("typing")
    many = [message(record(f"Event{index}", {"x": ["null", "long"]})) for index in range(8)]
    empty = message(record("Empty", {}))
    large = contract(
        "Many events",
        {
            "take": {"inputs": many, "outputs": [plain("bytes"), empty], "errors": [message(record("Broken", {}))]},
            "events": {"inputs": None, "outputs": many},
            "few": {"inputs": None, "outputs": [empty, plain("long")]},
        },
    )
    for made, name in ((lamps(), "lamps"), (large, "many"), (contract("Nothing", {}), "nothing")):
        for path, data in emit_contract(made, name).items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(data)
    (folder / "user.py").write_text(PROGRAM.read_text())
    return folder


def test_there_are_enough_mistakes() -> None:
    assert len(MARKED) >= 18


def test_mypy_finds_the_mistakes_and_nothing_else(folder: Path) -> None:
    (folder / "mypy.ini").write_text(
        f"[mypy]\npython_version = 3.11\nstrict = True\nmypy_path = {':'.join(PACKAGES)}\n"
    )
    command = [sys.executable, "-m", "mypy", "--no-pretty", "user.py", "lamps", "many", "nothing"]

    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    found = re.findall(r"^(\S+?):(\d+): error: ", done.stdout, re.MULTILINE)
    assert {name for name, _ in found} == {"user.py"}, done.stdout + done.stderr
    assert {int(number) for _, number in found} == MARKED


def test_pyright_finds_the_mistakes_and_nothing_else(folder: Path) -> None:
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": PACKAGES, "include": ["."]}
    (folder / "pyrightconfig.json").write_text(json.dumps({**settings, "reportUnusedFunction": False}))
    command = ["node", str(PYRIGHT), "--outputjson", "--pythonpath", sys.executable]

    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    found = [one for one in json.loads(done.stdout)["generalDiagnostics"] if one["severity"] == "error"]
    assert {Path(one["file"]).name for one in found} == {"user.py"}, found
    assert {one["range"]["start"]["line"] + 1 for one in found} == MARKED


def test_what_is_emitted_is_formatted_and_without_reproach(folder: Path) -> None:
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]

    run([sys.executable, "-m", "ruff", "format", "--check", *config, "lamps", "many", "nothing"], folder=folder)
    run([sys.executable, "-m", "ruff", "check", *config, "lamps", "many", "nothing"], folder=folder)
