"""Make and the script that provides programs: what they say and do on a machine that lacks something."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.repository import ROOT, run

PROVIDE = ROOT / "tools" / "provide"


def program(folder: Path, name: str, script: str) -> Path:
    """Write an executable shell script."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with the Makefile and nothing installed."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).touch()
    return tmp_path


def test_make_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    listed = re.findall(r"^make ([a-z-]+) ", run(["make", "--no-print-directory"]), re.MULTILINE)

    assert listed == re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert {"bench", "check", "clean", "demo", "generate", "lint", "lock", "setup", "test", "types"} <= set(listed)


def test_setup_refuses_an_old_python(clone: Path, tmp_path: Path) -> None:
    old = program(tmp_path / "bin", "python3.10", '[ "$1" = --version ] && echo Python 3.10.4 || exit 1')

    output = run(["make", "setup", f"PYTHON={old}"], folder=clone, status=2)

    assert "needs Python 3.11 or newer" in output
    assert "Python 3.10.4" in output
    assert not (clone / ".venv").exists()


def test_setup_says_that_there_is_no_python(clone: Path) -> None:
    output = run(["make", "setup", "PYTHON=no-such-python"], folder=clone, status=2)

    assert "needs Python 3.11 or newer, but no-such-python is" in output


def test_setup_says_what_venv_takes(clone: Path, tmp_path: Path) -> None:
    bare = program(tmp_path / "bin", "python3", 'case "$2" in *ensurepip*) exit 1;; esac')

    output = run(["make", "setup", f"PYTHON={bare}"], folder=clone, status=2)

    assert "python3-venv" in output


@pytest.mark.parametrize(("named", "is_made"), [("3 11 7", False), ("3 12 1", True)])
def test_another_python_that_is_named_makes_the_environment_anew(clone: Path, named: str, is_made: bool) -> None:
    program(clone / "bin", "named", f"echo {named}")
    (clone / ".venv").mkdir()
    program(clone / ".venv" / "bin", "python", "echo 3 11 7")
    for stamp in (".runtime", ".development"):
        (clone / ".venv" / stamp).touch()

    output = run(["make", "--dry-run", "setup", "PYTHON=bin/named"], folder=clone)

    assert ("Making .venv with" in output) is is_made
    assert (clone / ".venv" / ".development").exists() is not is_made


def test_a_python_that_cannot_be_had_leaves_the_environment(clone: Path) -> None:
    (clone / ".venv").mkdir()
    python = program(clone / ".venv" / "bin", "python", "echo 3 11 7")

    output = run(["make", "setup", "PYTHON=no-such-python"], folder=clone, status=2)

    assert "PYTHON=no-such-python is no Python 3.11 or newer" in output
    assert python.exists()


def test_provide_leaves_alone_what_is_there(tmp_path: Path) -> None:
    program(tmp_path / "bin", "some-broker", "")
    program(tmp_path / "bin", "apt-get", "echo called >&2; exit 1")

    assert run([PROVIDE, "some-broker"], environment=path_with(tmp_path / "bin")) == ""


def test_provide_asks_for_a_list_of_packages_where_it_lacks_one(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    program(folder, "sudo", 'shift; exec "$@"')
    program(
        folder,
        "apt-get",
        f"""
        echo "$RUNLEVEL $*" >> {tmp_path}/calls
        case "$*" in
        *update) touch {tmp_path}/list ;;
        *) test -e {tmp_path}/list || exit 100
           printf '#!/bin/sh\\n' > {folder}/some-broker; chmod +x {folder}/some-broker ;;
        esac""",
    )

    output = run([PROVIDE, "some-broker", "some-package"], environment=path_with(folder))

    calls = (tmp_path / "calls").read_text().splitlines()
    assert output == "Installing some-package ...\n"
    assert [call.split()[-1] for call in calls] == ["some-package", "update", "some-package"]
    assert all(call.startswith("1 ") for call in calls), "a service of the package would be started"


def test_provide_shows_why_it_failed(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    program(folder, "sudo", 'shift; exec "$@"')
    program(folder, "apt-get", "echo E: no such package; exit 100")

    output = run([PROVIDE, "some-broker"], environment=path_with(folder), status=1)

    assert "E: no such package" in output
    assert "please install it" in output


def path_with(folder: Path) -> dict[str, str]:
    """Return the search path with `folder` before everything else."""
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
