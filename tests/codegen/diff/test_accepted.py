"""`accepted.toml`: what is accepted does not break, and what accepts nothing is an error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orbitalis_codegen import cli
from tests.codegen.broken.cases import LAMPS, Broken, cases_of_files
from tests.codegen.diff.pairs import PORCH

TIMING = ("seconds: 0.5", "seconds: 0.75")
ENTRY = '[[accepted]]\nchange = "{change}"\nreason = "A lamp may take its time."\nuntil = "{until}"\n'


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of two versions, of which a timing differs."""
    before, after = (Path(shutil.copytree(LAMPS, tmp_path / name)) for name in ("before", "after"))
    document = after / "asyncapi.yaml"
    document.write_text(document.read_text().replace(*TIMING))
    return before, after


def diff(versions: tuple[Path, Path], *options: str) -> int:
    return cli.main(["diff", "--root", str(versions[1]), "--against", str(versions[0]), *options])


def fingerprint(versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> str:
    diff(versions, "--format", "json")
    change: str = json.loads(capsys.readouterr().out)["change"]
    return change


def accept(versions: tuple[Path, Path], text: str) -> None:
    (versions[1] / "accepted.toml").write_text(text)


def test_an_accepted_change_breaks_nothing(versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    accept(versions, ENTRY.format(change=fingerprint(versions, capsys), until="3.0.0"))

    assert diff(versions) == 0
    output = capsys.readouterr().out
    assert "    accepted until 3.0.0: A lamp may take its time.\n" in output
    assert output.splitlines()[-1] == "1 change: 1 BEHAVIOUR; 1 accepted; none breaking"
    assert diff(versions, "--format", "github") == 0
    assert capsys.readouterr().out.startswith("::notice ")
    assert diff(versions, "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["breaking"], told["accepted"]["until"]) == (False, "3.0.0")


def test_a_fingerprint_is_of_the_change_and_not_of_its_place(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    change = fingerprint(versions, capsys)
    document = versions[1] / "asyncapi.yaml"

    document.write_text(document.read_text().replace("info:", "# A comment.\ninfo:"))
    assert fingerprint(versions, capsys) == change

    document.write_text(document.read_text().replace("seconds: 0.75", "seconds: 0.8"))
    assert fingerprint(versions, capsys) != change


def test_an_entry_that_matches_nothing_is_an_error(
    versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    known = ENTRY.format(change=fingerprint(versions, capsys), until="3.0.0")
    accept(versions, known + ENTRY.format(change="0123456789abcdef", until="3.0.0"))

    assert diff(versions) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines()[:2] == [
        "accepted.toml:6:10: ORB444 there is no change 0123456789abcdef any more",
        "    hint: remove the entry",
    ]


def test_of_one_contract_an_entry_may_be_about_another_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(PORCH, tmp_path / "after")
    accept((PORCH, tmp_path / "after"), ENTRY.format(change="0123456789abcdef", until="3.0.0"))

    assert diff((PORCH, tmp_path / "after"), "--contract", "porch.yaml") == 0
    assert capsys.readouterr().out == "nothing has changed but words\n"


@pytest.mark.parametrize(
    ("until", "status"), [("2.1", 2), ("2.1.0", 2), ("2.0.9", 2), ("2.1.1", 0), ("2.2", 0), ("3", 0), ("10.0.0", 0)]
)
def test_an_acceptance_ends_with_its_version(
    until: str, status: int, versions: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    change = fingerprint(versions, capsys)
    accept(versions, ENTRY.format(change=change, until=until))

    assert diff(versions) == status
    ended = f"the acceptance of {change} has ended with version {until}, and this is 2.1.0"
    assert (ended in capsys.readouterr().err) is (status == 2)


@pytest.mark.parametrize(
    "case", tuple(cases_of_files(Path(__file__).parent)), ids=lambda case: f"{case.code} {case.name}"
)
def test_a_file_that_is_not_right_is_an_error(case: Broken, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    position = case.write(tmp_path / "after")

    assert diff((LAMPS, tmp_path / "after"), "--format", "json") == 2

    problems = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    places = {f"{one['file']}:{one['line']}:{one['column']}": one for one in problems if one["code"] == case.code}
    assert {one["code"] for one in problems} == {case.code}
    assert position in places
    assert case.message in places[position]["message"]
    assert case.hint in (places[position]["hint"] or "")
