"""What users are told about their installation: its version, and py-orbitalis in the same environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import orbitalis
from tests.older.environment import NotAvailableError, older_python
from tests.support.repository import PACKAGE_FOLDERS, run

MIXED = "orbitalis-sdk and py-orbitalis (the distribution 'orbitalis') are installed in one environment"
COMMAND = "import sys; from orbitalis.cli.program import main; sys.exit(main(['--version']))"


@pytest.fixture(scope="module")
def theirs() -> Path:
    """Give the folder in which the package of py-orbitalis is."""
    try:
        program = "import orbitalis; print(orbitalis.__path__[0])"
        return Path(run([older_python(), "-I", "-c", program]).strip()).parent
    except NotAvailableError as reason:
        pytest.skip(str(reason))


def lay_out(folder: Path, *packages: Path) -> None:
    """Copy packages, each over the ones before, as pip does."""
    for package in packages:
        shutil.copytree(package, folder / package.name, dirs_exist_ok=True)


def ours() -> list[Path]:
    return [PACKAGE_FOLDERS[name] for name in ("orbitalis", "orbitalis_avro", "orbitalis_wire")]


def python(folder: Path, program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the packages in `folder`, and no others of ours or theirs."""
    command = [sys.executable, *options, "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_the_version_is_that_of_the_distribution() -> None:
    assert orbitalis.__version__ == metadata.version("orbitalis-sdk")
    assert "__version__" in dir(orbitalis)


def test_the_version_is_looked_up_only_when_it_is_asked_for() -> None:
    program = "import sys, orbitalis; print('importlib.metadata' in sys.modules)"

    assert run([sys.executable, "-c", program]) == "False\n"


def test_nobody_is_warned_without_py_orbitalis(tmp_path: Path) -> None:
    lay_out(tmp_path, *ours())

    done = python(tmp_path, "from orbitalis import Core; print(Core.__name__)", "-W", "error")

    assert (done.stdout, done.stderr) == ("Core\n", "")


def test_an_import_warns_where_this_package_came_second(tmp_path: Path, theirs: Path) -> None:
    lay_out(tmp_path, theirs / "orbitalis", *ours())

    done = python(tmp_path, "from orbitalis import Core; print(Core.__name__)")

    assert done.stdout == "Core\n"
    assert f"RuntimeWarning: {MIXED}" in done.stderr
    assert "pip uninstall --yes orbitalis orbitalis-sdk, then pip install orbitalis-sdk" in done.stderr


def test_the_command_explains_what_py_orbitalis_has_overwritten(tmp_path: Path, theirs: Path) -> None:
    lay_out(tmp_path, *ours(), theirs / "orbitalis")

    done = python(tmp_path, COMMAND)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"orbitalis: {MIXED}")


def test_the_command_explains_what_uninstalling_py_orbitalis_has_removed(tmp_path: Path, theirs: Path) -> None:
    lay_out(tmp_path, *ours())
    for path in (theirs / "orbitalis").rglob("*.py"):
        (tmp_path / path.relative_to(theirs)).unlink(missing_ok=True)

    # Without the clone, which is a whole package beside the incomplete one.
    done = python(tmp_path, COMMAND, "-S")

    assert (done.returncode, done.stdout) == (2, "")
    assert "files of orbitalis-sdk are missing" in done.stderr
    assert "pip install --force-reinstall --no-deps orbitalis-sdk" in done.stderr


def test_pytest_warns_of_what_py_orbitalis_has_overwritten(tmp_path: Path, theirs: Path) -> None:
    lay_out(tmp_path, *ours(), theirs / "orbitalis")
    (tmp_path / "test_nothing.py").write_text("def test_nothing() -> None: ...\n")

    options = "['-q', '-p', 'no:cacheprovider', 'test_nothing.py']"
    done = python(tmp_path, f"import pytest; pytest.main({options})")

    assert "1 passed, 1 warning" in done.stdout
    assert MIXED in done.stdout
