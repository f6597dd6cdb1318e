"""Two that generate at once: one waits for the other, and what stands there at the end is of one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orbitalis_codegen import cli, lock
from tests.codegen.broken.cases import edited


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return edited(tmp_path / "root")


def test_one_waits_until_the_other_has_finished(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with lock.locked(root, lambda: None):
        command = [sys.executable, "-m", "orbitalis_codegen", "--root", str(root), "generate"]
        other = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert other.stderr is not None
        assert other.stderr.readline() == "orbitalis-codegen: waiting for another one that writes here\n"
        assert other.poll() is None
        assert not (root / "generated").exists()
    output, _ = other.communicate()

    assert other.returncode == 0
    assert "files written" in output
    assert cli.main(["--root", str(root), "check"]) == 0
    capsys.readouterr()


def test_a_lock_leaves_nothing_behind(root: Path) -> None:
    before = sorted(root.rglob("*"))

    with lock.locked(root, lambda: pytest.fail("nobody else is there")):
        pass

    assert sorted(root.rglob("*")) == before


def test_a_lock_ends_with_its_process(root: Path) -> None:
    script = "import os, sys; from pathlib import Path; from orbitalis_codegen.lock import locked\n"
    script += "with locked(Path(sys.argv[1]), lambda: None): os._exit(9)"

    assert subprocess.run([sys.executable, "-c", script, str(root)], check=False).returncode == 9
    with lock.locked(root, lambda: pytest.fail("the process is gone")):
        pass


def test_many_at_once_leave_what_one_of_them_gives(root: Path) -> None:
    command = [sys.executable, "-m", "orbitalis_codegen", "--root", str(root), "generate"]
    others = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3)]

    assert [other.wait() for other in others] == [0, 0, 0]
    assert cli.main(["--root", str(root), "check"]) == 0


@pytest.mark.parametrize(("first", "second"), [(".", "generated/python"), ("generated/python", ".")])
def test_one_waits_for_another_that_writes_in_a_folder_of_its_own_or_around_it(
    first: str, second: str, root: Path
) -> None:
    (root / "generated/python").mkdir(parents=True)
    script = "import sys; from pathlib import Path; from orbitalis_codegen.lock import locked\n"
    script += "with locked(Path(sys.argv[1]), lambda: print('waiting', flush=True)): print('writing')"

    with lock.locked(root / first, lambda: pytest.fail("nobody else is there")):
        command = [sys.executable, "-c", script, str(root / second)]
        other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "waiting\n"

    assert other.communicate()[0] == "writing\n"


def test_folders_side_by_side_do_not_wait(root: Path) -> None:
    for name in ("one", "other"):
        (root / name).mkdir()

    with (
        lock.locked(root / "one", lambda: pytest.fail("nobody else is there")),
        lock.locked(root / "other", lambda: pytest.fail("it is another folder")),
    ):
        pass


def test_without_a_root_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--root", str(tmp_path / "nowhere"), "generate"]) == 2
    assert "nowhere" in capsys.readouterr().err
