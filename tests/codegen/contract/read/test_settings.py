"""Which contracts a project lists in its pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbitalis_codegen import SpecificationError
from orbitalis_codegen.contract.settings import ContractSettings, read_settings

LISTED = """\
[project]
name = "home"

[tool.orbitalis-codegen]
contracts = [
  { document = "contracts/lamps.yaml", package = "lamps" },
  { document = "../shared/./doors.yaml", package = "doors", output = "./src/", language = "python" },
]
"""


def settings(root: Path, text: str) -> tuple[ContractSettings, ...]:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return read_settings(root)


def test_contracts_are_listed_with_what_is_made_of_them(tmp_path: Path) -> None:
    lamps, doors = settings(tmp_path, LISTED)

    assert (lamps.document, lamps.package, lamps.output, lamps.language) == (
        "contracts/lamps.yaml",
        "lamps",
        ".",
        "python",
    )
    assert (doors.document, doors.package, doors.output) == ("../shared/doors.yaml", "doors", "src")
    assert str(doors.position) == "pyproject.toml:7:3"


def test_tables_are_another_way_to_write_the_same(tmp_path: Path) -> None:
    text = """[[tool.orbitalis-codegen.contracts]]
document = "lamps.yaml"
package = "lamps"

[[tool."orbitalis-codegen".contracts]]
package = 'doors'
document = '''doors.yaml'''
"""

    assert [(one.document, one.package) for one in settings(tmp_path, text)] == [
        ("lamps.yaml", "lamps"),
        ("doors.yaml", "doors"),
    ]


@pytest.mark.parametrize("text", ["", "[project]\nname = 'home'\n", "[tool.orbitalis-codegen]\n", "tool = {}"])
def test_a_project_may_have_no_contracts(text: str, tmp_path: Path) -> None:
    assert read_settings(tmp_path) == ()
    assert settings(tmp_path, text) == ()


def test_every_problem_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError) as caught:
        settings(tmp_path, "[tool.orbitalis-codegen]\ncontracts = [{ document = 1 }, { documents = 'x' }]\n")

    assert [f"{found.position} {found.code}" for found in caught.value.diagnostics] == [
        "pyproject.toml:2:14 ORB202",
        "pyproject.toml:2:27 ORB204",
        "pyproject.toml:2:32 ORB202",
        "pyproject.toml:2:32 ORB202",
        "pyproject.toml:2:34 ORB203",
    ]
