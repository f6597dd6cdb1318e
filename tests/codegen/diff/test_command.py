"""The command `diff`: which versions it compares, what it prints where, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orbitalis_codegen import cli
from tests.codegen.broken.cases import edited
from tests.codegen.diff.pairs import PORCH
from tests.support.repository import run

ADDRESS = ("asyncapi.yaml", "lamps/{lamp}/status", "lights/{lamp}/status")
TIMING = ("asyncapi.yaml", "seconds: 0.5", "seconds: 0.75")
LISTED = '[[tool.orbitalis-codegen.contracts]]\ndocument = "contracts/porch.yaml"\npackage = "porch"\n'


def git(root: Path, *arguments: str) -> str:
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
    return run(["git", *arguments], folder=root, environment={**who, "GIT_CONFIG_GLOBAL": os.devnull})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a protocol and a listed contract, of which version 1 is tagged."""
    root = edited(tmp_path / "project", ("pyproject.toml", "", LISTED))
    (root / "contracts").mkdir()
    shutil.copy(PORCH / "porch.yaml", root / "contracts")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "One")
    git(root, "tag", "v1")
    return root


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_nothing_breaks_where_nothing_has_changed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["diff", "--root", str(repository), "--against", "v1"]) == 0

    assert capsys.readouterr() == ("nothing has changed but words\n", "")


def test_the_work_tree_is_compared_with_a_tag_and_left_alone(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(repository, *ADDRESS)
    (repository / "untracked").touch()
    before = git(repository, "status", "--porcelain=v2"), git(repository, "stash", "list")

    assert cli.main(["diff", "--root", str(repository), "--against", "v1"]) == 1

    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert lines[0].startswith("asyncapi.yaml:92:5: WIRE ORB614 the address of status is lights/{lamp}/status")
    assert lines[1] == "    before: v1:asyncapi.yaml:92:5"
    assert [line.split(":")[0].strip() for line in lines[2:5]] == ["affects", "instead", "change"]
    assert lines[-1] == "1 change: 1 WIRE; 1 breaking"
    assert output.err == ""
    assert (git(repository, "status", "--porcelain=v2"), git(repository, "stash", "list")) == before


@pytest.mark.parametrize("name", ["v1", "main", "HEAD", "main~0", "refs/tags/v1"])
def test_a_version_may_be_named_as_git_names_it(name: str, repository: Path) -> None:
    edit(repository, *TIMING)

    assert cli.main(["diff", "--root", str(repository), "--against", name]) == 1


def test_a_folder_is_a_version(repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = shutil.copytree(repository, tmp_path / "old", ignore=shutil.ignore_patterns(".git"))
    edit(repository, *TIMING)

    assert cli.main(["diff", "--root", str(repository), "--against", str(old)]) == 1

    assert f"    before: {old}/asyncapi.yaml:17:7\n" in capsys.readouterr().out


def test_a_folder_that_has_nothing_is_no_version(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()

    assert cli.main(["diff", "--root", str(repository), "--against", str(tmp_path / "empty")]) == 2

    told = "has none of asyncapi.yaml, pyproject.toml, contracts/porch.yaml: it is no version of this; "
    assert f"{told}write --contract FILE to compare a contract alone\n" in capsys.readouterr().err


def test_a_version_without_a_protocol_is_told_with_what_to_do(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("asyncapi.yaml", "pyproject.toml"):
        (repository / file).unlink()
    git(repository, "commit", "--quiet", "--all", "--message", "Two")

    assert cli.main(["diff", "--root", str(repository), "--against", "HEAD"]) == 2

    assert capsys.readouterr() == (
        "",
        "orbitalis-codegen: HEAD:asyncapi.yaml does not exist, so there is no older protocol to compare with: "
        "write --contract FILE to compare a contract alone\n",
    )


def test_a_contract_may_move_to_another_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "contracts/porch.yaml").rename(repository / "contracts/veranda.yaml")
    settings = repository / "pyproject.toml"
    settings.write_text(settings.read_text().replace("porch.yaml", "veranda.yaml"))

    assert cli.main(["diff", "--root", str(repository), "--against", "HEAD"]) == 0
    assert capsys.readouterr().out == "nothing has changed but words\n"

    edit(repository, "contracts/veranda.yaml", "symbols: [STEADY, BLINK]", "symbols: [STEADY, BLINK, FADE]")
    assert cli.main(["diff", "--root", str(repository), "--against", "HEAD"]) == 1
    first, before = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("contracts/veranda.yaml:")
    assert "ORB679" in first
    assert before.startswith("    before: HEAD:contracts/porch.yaml:")


def test_the_root_may_be_a_folder_of_the_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = edited(tmp_path / "whole" / "inner" / "protocol")
    git(tmp_path / "whole", "init", "--quiet")
    git(tmp_path / "whole", "add", ".")
    git(tmp_path / "whole", "commit", "--quiet", "--message", "One")
    edit(root, *TIMING)

    assert cli.main(["diff", "--root", str(root), "--against", "HEAD"]) == 1

    assert "ORB693" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nothing", "-h", "v1:asyncapi.yaml", ""])
def test_a_version_that_there_is_not(name: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["diff", "--root", str(repository), f"--against={name}"]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"orbitalis-codegen: {name!r} is neither a folder nor a version in git")


def test_outside_of_git_a_folder_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = edited(tmp_path / "project")

    assert cli.main(["diff", "--root", str(root), "--against", "v1"]) == 2

    assert "not a git repository" in capsys.readouterr().err


def test_without_git_a_folder_is_needed(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert cli.main(["diff", "--root", str(repository), "--against", "v1"]) == 2

    assert "git, which could know a commit, is not installed" in capsys.readouterr().err


def test_an_old_version_that_is_broken_is_told_with_its_places(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(repository, "asyncapi.yaml", "summary: Command", "sumary: Command")
    git(repository, "commit", "--quiet", "--all", "--message", "Two")
    edit(repository, "asyncapi.yaml", "sumary: Command", "summary: Command")

    assert cli.main(["diff", "--root", str(repository), "--against", "HEAD"]) == 2

    assert capsys.readouterr().err.startswith("HEAD:asyncapi.yaml:108:5: ORB203 operation with the unknown key")


def test_contracts_that_are_listed_are_compared(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(repository, "contracts/porch.yaml", "[STEADY, BLINK]", "[STEADY, BLINK, FADE]")

    assert cli.main(["diff", "--root", str(repository), "--against", "v1"]) == 1

    output = capsys.readouterr().out
    assert output.startswith("contracts/porch.yaml:71:23: WIRE ORB679 the enum Mode has the new symbol FADE\n")
    assert "affects: old plugin with new core: input of light: the symbol FADE is refused\n" in output


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_contract_that_the_old_version_has_and_does_not_list_is_compared(
    is_folder: bool, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("asyncapi.yaml", "pyproject.toml"):
        (repository / file).unlink()
    git(repository, "commit", "--quiet", "--all", "--message", "Two")
    old = shutil.copytree(repository, tmp_path / "old", ignore=shutil.ignore_patterns(".git"))
    (repository / "pyproject.toml").write_text(LISTED)
    edit(repository, "contracts/porch.yaml", "[STEADY, BLINK]", "[STEADY, BLINK, FADE]")

    assert cli.main(["diff", "--root", str(repository), "--against", str(old) if is_folder else "HEAD"]) == 1

    output = capsys.readouterr().out
    assert output.startswith("contracts/porch.yaml:71:23: WIRE ORB679 the enum Mode has the new symbol FADE\n")
    assert output.endswith("1 change: 1 WIRE; 1 breaking\n")


def test_one_contract_is_compared_alone(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(repository, *ADDRESS)
    edit(repository, "contracts/porch.yaml", "title: Porch", "title: Veranda")

    assert cli.main(["diff", "--root", str(repository), "--against", "v1", "--contract", "contracts/porch.yaml"]) == 1

    assert capsys.readouterr().out.splitlines()[-1] == "1 change: 1 SOURCE; 1 breaking"


def test_a_contract_may_stand_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(PORCH, tmp_path / "old")
    shutil.copytree(PORCH, tmp_path / "new")
    edit(tmp_path / "new", "porch.yaml", "title: Porch", "title: Veranda")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert cli.main(["diff", "--against", str(tmp_path / "old"), "--contract", str(tmp_path / "new/porch.yaml")]) == 1
    assert cli.main(["diff", "--against", "../old", "--contract", "../new/porch.yaml"]) == 1
    assert cli.main(["diff", "--against", "../new", "--contract", "../new/porch.yaml"]) == 0


def test_what_breaks_exact_peers_alone_counts_where_that_is_asked_for(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(repository, "contracts/porch.yaml", "[STEADY, BLINK]", "[BLINK, STEADY]")

    assert cli.main(["diff", "--root", str(repository), "--against", "v1"]) == 0
    assert "affects: peers that match schemas exactly (WIRE)\n" in capsys.readouterr().out
    assert cli.main(["diff", "--root", str(repository), "--against", "v1", "--exact"]) == 1
    assert "1 change: 1 WIRE; 1 breaking" in capsys.readouterr().out


def test_changes_are_json_for_programs(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(repository, *TIMING)

    assert cli.main(["diff", "--root", str(repository), "--against", "v1", "--format", "json"]) == 1

    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["level"] == "BEHAVIOUR"
    assert told["after"] == {"file": "asyncapi.yaml", "line": 17, "column": 7}
    assert (told["was"], told["now"], told["breaking"], told["accepted"]) == ("0.5", "0.75", True, None)


def test_changes_are_annotations_for_github(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(repository, *TIMING)
    edit(repository, "asyncapi.yaml", "version: 2.1.0", "version: 2.2.0")

    assert cli.main(["diff", "--root", str(repository), "--against", "v1", "--format", "github"]) == 1

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "::error file=asyncapi.yaml,line=17,col=7,title=ORB693::BEHAVIOUR: the timing blink_interval"
    )
    assert "%0Aaffects: peers of either version" in line


def test_text_is_not_endless_and_the_worst_comes_first(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = "".join(f"    limit_{index}:\n      maximum: 1\n      description: One.\n" for index in range(60))
    edit(repository, "asyncapi.yaml", "  limits:\n", f"  limits:\n{limits}")
    edit(repository, *ADDRESS)

    assert cli.main(["diff", "--root", str(repository), "--against", "v1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "WIRE" in lines[0]
    assert lines[-2:] == ["... and 11 more, which --format json lists", "61 changes: 1 WIRE, 60 NONE; 1 breaking"]
    assert cli.main(["diff", "--root", str(repository), "--against", "v1", "--format", "json"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 61


def test_a_closed_output_is_no_traceback(repository: Path) -> None:
    edit(repository, *TIMING)
    command = f"orbitalis-codegen diff --root {repository} --against v1 | true"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)

    assert "Traceback" not in done.stderr
