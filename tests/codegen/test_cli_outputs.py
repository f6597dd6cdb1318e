"""The outputs of the command: closed, full or of another encoding, they are no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orbitalis_codegen import cli
from tests.codegen.broken.cases import edited
from tests.support.repository import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a small specification, for the test to change."""
    return edited(tmp_path / "copy")


@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-", "< /dev/null >&-"])
@pytest.mark.parametrize("arguments", ["rules", "check", "generate", "--help"])
def test_a_closed_output_is_no_traceback(arguments: str, closing: str, copy: Path, tmp_path: Path) -> None:
    assert cli.main(["--root", str(copy), "generate"]) == 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen")}
    log = tmp_path / "log"
    # What the process writes to other descriptors would show here.
    command = f"({sys.executable} -m orbitalis_codegen {arguments} {closing}) > {log} 2>&1; echo $?"
    completed = subprocess.run(
        ["bash", "-c", command], cwd=copy, env=environment, capture_output=True, text=True, check=True
    )

    assert completed.stdout == "0\n"
    assert "Traceback" not in log.read_text()
    assert "Exception" not in log.read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_said_once() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen")}
    with Path("/dev/full").open("w") as full:
        completed = subprocess.run(
            [sys.executable, "-m", "orbitalis_codegen", "rules"],
            env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert completed.returncode == 2
    assert completed.stderr == "orbitalis-codegen: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_problems_that_nobody_can_be_told_end_it_as_problems(form: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "orbitalis_codegen", "check", "--format", form]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT / "codegen")}, stdout=full, stderr=full
        )

    assert done.returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_a_document_is_utf_8_whatever_the_encoding_of_the_output(encoding: str, copy: Path) -> None:
    (copy / "asyncapi.yaml").write_text((copy / "asyncapi.yaml").read_text().replace("Light.", "Light \u2013 \u4e16."))

    def printed(*arguments: str) -> bytes:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen"), "PYTHONIOENCODING": encoding}
        command = [sys.executable, "-m", "orbitalis_codegen", *arguments]
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=True).stdout

    assert "Light \u2013 \u4e16." in printed("bundle").decode()


@pytest.mark.parametrize("command", ["bundle", "schema"])
def test_an_output_that_is_a_folder_is_said(
    command: str, copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(copy)

    assert cli.main([command, "--output", "."]) == 2

    assert capsys.readouterr().err == "orbitalis-codegen: .: Is a directory\n"


def test_what_an_encoding_does_not_know_is_shown_all_the_same(copy: Path) -> None:
    assert cli.main(["--root", str(copy), "generate"]) == 0
    messages = copy / "generated/python/orbitalis_wire/messages.py"
    messages.write_text(messages.read_text() + "# \u2013\n", encoding="utf-8")

    environment = {**os.environ, "PYTHONPATH": str(ROOT / "codegen"), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "orbitalis_codegen", "check", "--diff"]
    checked = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)

    assert (checked.returncode, "-# \\u2013" in checked.stdout) == (1, True), checked.stderr
