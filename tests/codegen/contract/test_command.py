"""The command `contract`, and what `generate` and `check` do about contracts that pyproject.toml lists."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orbitalis_codegen import cli, lock
from tests.support.repository import ROOT

DOCUMENT = ROOT / "examples" / "contract" / "lamps.yaml"
FILES = ["__init__.py", "_codecs.py", "client.py", "fake.py", "messages.py", "plugin.py", "py.typed"]
SETTINGS = """\
[[tool.orbitalis-codegen.contracts]]
document = "lamps.yaml"
package = "{}"
output = "src"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a folder with a contract that its pyproject.toml lists."""
    shutil.copy(DOCUMENT, tmp_path)
    (tmp_path / "pyproject.toml").write_text(SETTINGS.format("lamps"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "__pycache__")


def test_contract_writes_a_package(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["contract", "lamps.yaml"]) == 0
    assert capsys.readouterr().out.endswith("7 files written, 0 unchanged, 0 removed\n")
    assert cli.main(["contract", "lamps.yaml"]) == 0
    assert capsys.readouterr().out == "0 files written, 7 unchanged, 0 removed\n"

    assert names(project / "lamps") == FILES


def test_contract_writes_where_and_as_what_is_said(project: Path) -> None:
    (project / "work").mkdir()
    command = [sys.executable, "-m", "orbitalis_codegen", "contract", "../lamps.yaml", "--language", "python"]
    command += ["--output", "../new/folder", "--package", "home"]

    said = subprocess.run(command, cwd=project / "work", check=True, capture_output=True, text=True).stdout

    assert "wrote ../new/folder/home/client.py\n" in said
    assert names(project / "new" / "folder" / "home") == FILES
    assert "from lamps.yaml." in (project / "new" / "folder" / "home" / "plugin.py").read_text()


def test_what_is_stale_is_removed_and_what_is_foreign_is_kept(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["contract", "lamps.yaml"]) == 0
    package = project / "lamps"
    shutil.copy(package / "plugin.py", package / "stale.py")
    (project / "beside.py").write_text("x = 1\n")
    assert cli.main(["contract", "lamps.yaml"]) == 0
    assert names(package) == FILES
    capsys.readouterr()

    (package / "own.py").write_text("x = 1\n")
    (package / "client.py").write_text("")
    assert cli.main(["contract", "lamps.yaml"]) == 2

    assert "lamps/own.py is not a generated file" in capsys.readouterr().err
    assert (package / "client.py").read_text() == ""
    assert (project / "beside.py").read_text() == "x = 1\n"


def test_a_package_that_somebody_else_has_written_is_not_replaced(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = project / "src" / "lamps"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text("x = 1\n")
    (package / "client.py").symlink_to(project / "lamps.yaml")

    for arguments in (["contract", "lamps.yaml", "--output", "src"], ["generate"]):
        assert cli.main(arguments) == 2
        assert "src/lamps/client.py is not a generated file" in capsys.readouterr().err
    assert cli.main(["check"]) == 1
    assert "src/lamps/plugin.py: not a generated file: move it elsewhere\n" in capsys.readouterr().err

    assert names(package) == ["__init__.py", "client.py", "plugin.py"]
    assert (package / "plugin.py").read_text() == "x = 1\n"
    assert (package / "client.py").is_symlink()


def test_a_package_whose_headers_have_conflicts_is_written_anew(project: Path) -> None:
    assert cli.main(["contract", "lamps.yaml"]) == 0
    for name in FILES:
        path = project / "lamps" / name
        first, _, rest = path.read_text().partition("\n")
        path.write_text(f"{first}\n<<<<<<< HEAD\n{rest}")

    assert cli.main(["contract", "lamps.yaml"]) == 0

    assert "<<<" not in (project / "lamps" / "plugin.py").read_text()


def test_paths_are_shown_as_they_lead_from_here(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "there").mkdir()

    assert cli.main(["contract", "lamps.yaml", "--output", "there"]) == 0
    assert "wrote there/lamps/plugin.py\n" in capsys.readouterr().out
    (project / "there" / "lamps" / "own.py").write_text("x = 1\n")
    assert cli.main(["contract", "lamps.yaml", "--output", "there"]) == 2
    assert "there/lamps/own.py is not a generated file" in capsys.readouterr().err


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git", None])
def test_it_writes_the_same_from_wherever_it_is_run(
    mark: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[dict[str, bytes]] = []
    (tmp_path / "contracts").mkdir()
    shutil.copy(DOCUMENT, tmp_path / "contracts")
    if mark is not None:
        (tmp_path / mark).touch()
    for folder in (tmp_path, tmp_path / "contracts", Path("/")):
        monkeypatch.chdir(folder)
        output = tmp_path / f"output{len(written)}"
        assert cli.main(["contract", str(tmp_path / "contracts" / "lamps.yaml"), "--output", str(output)]) == 0
        written.append({name: (output / "lamps" / name).read_bytes() for name in names(output / "lamps")})

    assert written[0] == written[1] == written[2]
    place = "lamps.yaml" if mark is None else "contracts/lamps.yaml"
    assert f" from {place}. Do not edit" in written[0]["plugin.py"].decode()


def test_check_takes_what_contract_has_written_from_another_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "work").mkdir()
    monkeypatch.chdir(project / "work")
    assert cli.main(["contract", "../lamps.yaml", "--output", "../src"]) == 0

    assert cli.main(["--root", "..", "check"]) == 0


def test_output_may_lead_up_from_a_folder_that_is_not_there(project: Path) -> None:
    assert cli.main(["contract", "lamps.yaml", "--output", "new/../other"]) == 0

    assert names(project / "other" / "lamps") == FILES
    assert not (project / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.yaml"], "missing.yaml:1:1: ORB"),
        (["broken.yaml"], "broken.yaml:1:1: ORB"),
        (["lamps.yaml", "--package", "not-one"], "'not-one' is not the name of a package"),
        (["lamps.yaml", "--package", "class"], "'class' is not the name of a package"),
        (["lamps.yaml", "--package", "orbitalis"], "the package 'orbitalis' would hide the one of that name"),
        (["queue.yaml"], "the package 'queue' would hide the module of that name that Python has"),
        (["hiding.yaml"], "would hide the one of that name that it imports: name another one with --package"),
        (["lamps.yaml", "--output", "lamps.yaml"], "lamps.yaml"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    arguments: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "broken.yaml").write_text("asyncapi: 3.0.0\n")
    (project / "hiding.yaml").write_text(
        (project / "lamps.yaml").read_text().replace("title: Lamps", "title: Orbitalis")
    )
    (project / "queue.yaml").write_text((project / "lamps.yaml").read_text().replace("title: Lamps", "title: Queue"))
    before = names(project)

    assert cli.main(["contract", *arguments]) == 2

    assert said in capsys.readouterr().err
    assert names(project) == before


def test_notes_are_printed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "lamps.yaml").write_text(DOCUMENT.read_text() + "servers: {home: {host: localhost, protocol: mqtt}}\n")

    assert cli.main(["contract", "lamps.yaml"]) == 0

    assert "note: lamps.yaml:" in capsys.readouterr().err


def test_contract_waits_for_another_one_that_writes_there(project: Path) -> None:
    with lock.locked(project, lambda: None):
        command = [sys.executable, "-m", "orbitalis_codegen", "contract", "lamps.yaml"]
        other = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert other.stderr is not None
        assert other.stderr.readline() == "orbitalis-codegen: waiting for another one that writes here\n"
        assert not (project / "lamps").exists()
    other.communicate()

    assert other.returncode == 0
    assert names(project / "lamps") == FILES


def test_generate_writes_the_contracts_that_are_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 1
    assert cli.main(["generate"]) == 0
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out.endswith("7 files as the specification gives them\n")

    assert names(project / "src" / "lamps") == FILES
    assert not (project / "generated").exists()


def test_check_finds_what_differs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate"]) == 0
    assert cli.main(["check"]) == 0
    capsys.readouterr()

    (project / "lamps.yaml").write_text(DOCUMENT.read_text().replace("Turn the lamp on.", "Let there be light."))
    assert cli.main(["check"]) == 1
    said = capsys.readouterr().err
    assert "src/lamps/plugin.py: the specification has changed since it was generated\n" in said
    assert "_codecs" not in said
    (project / "pyproject.toml").write_text(SETTINGS.format("other"))
    assert cli.main(["check"]) == 1
    assert "src/other/plugin.py: missing\n" in capsys.readouterr().err


def test_a_check_that_knows_of_no_contract_sees_one_that_is_listed_later(project: Path) -> None:
    settings = (project / "pyproject.toml").rename(project / "later.toml")
    for name in ("asyncapi.yaml", "schemas"):
        source = ROOT / name
        shutil.copytree(source, project / name) if source.is_dir() else shutil.copy(source, project)
    assert cli.main(["generate"]) == 0
    assert cli.main(["check"]) == 0

    settings.rename(project / "pyproject.toml")

    assert cli.main(["check"]) == 1
    assert cli.main(["generate"]) == 0
    assert (project / "generated").is_dir()
    assert names(project / "src" / "lamps") == FILES


def test_a_contract_may_be_called_like_the_specification(project: Path) -> None:
    (project / "lamps.yaml").rename(project / "asyncapi.yaml")
    (project / "pyproject.toml").write_text(SETTINGS.format("lamps").replace("lamps.yaml", "asyncapi.yaml"))

    assert cli.main(["generate"]) == 0

    assert names(project / "src" / "lamps") == FILES
    assert not (project / "generated").exists()


def test_all_or_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = SETTINGS.format("broken").replace("lamps.yaml", "broken.yaml")
    (project / "pyproject.toml").write_text(SETTINGS.format("lamps") + broken)

    assert cli.main(["generate"]) == 2

    assert "broken.yaml" in capsys.readouterr().err
    assert not (project / "src").exists()
