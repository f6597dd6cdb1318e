"""The contracts that a project has: `contracts` in the table `tool.orbitalis-codegen` of its `pyproject.toml`."""

from __future__ import annotations

import keyword
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orbitalis_codegen.check.shape import Shape, View, view_of
from orbitalis_codegen.contract.languages import LANGUAGES, Language
from orbitalis_codegen.diagnostic import Position, Report, shown
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.node import Node, ObjectNode
from orbitalis_codegen.read.toml_text import read_toml
from orbitalis_codegen.rules import Rule

__all__ = ["SETTINGS_FILE", "ContractSettings", "package_fault", "read_settings"]

SETTINGS_FILE: Final = "pyproject.toml"

_TABLE: Final = "tool.orbitalis-codegen"
_PACKAGE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FOLDER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TAKEN: Final = frozenset({"orbitalis", "orbitalis_avro", "orbitalis_wire"})
"""What an emitted package in Python imports: one of the same name would hide it."""
_SETTINGS: Final = Shape(name=_TABLE, optional=("contracts",))
_CONTRACT: Final = Shape(name="contract", required=("document", "package"), optional=("output", "language"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSettings:
    """A contract of the project, and what is made from it."""

    document: str
    """The AsyncAPI document, relative to the folder of the project, with `/`."""
    package: str
    """Name of the package that is emitted."""
    output: str
    """Folder in which the package is written, relative to that of the project, with `/`; `.` is the project's own."""
    language: Language
    position: Position
    """Where the settings stand."""


def read_settings(root: Path) -> tuple[ContractSettings, ...]:
    """The contracts that the `pyproject.toml` in the folder `root` lists, in its order; none without such a file.

    Raises SpecificationError, with every problem and its place in the file.
    """
    if not (root / SETTINGS_FILE).exists():
        return ()
    report = Report()
    tree: Node | None = SourceFiles(root, report).read_with(read_toml, SETTINGS_FILE)
    for key in _TABLE.split("."):
        tree = tree.members.get(key) if isinstance(tree, ObjectNode) else None
    view = None if tree is None else view_of(tree, _SETTINGS, report)
    contracts: list[ContractSettings] = []
    packages: dict[str, Position] = {}
    for item in () if view is None else view.items("contracts"):
        contract = view_of(item, _CONTRACT, report)
        settings = None if contract is None else _read(contract)
        if settings is None:
            continue
        contracts.append(settings)
        folder = posixpath.join(settings.output, settings.package).casefold()
        first = packages.setdefault(folder, settings.position)
        if first is not settings.position:
            message = f"the package {shown(settings.package)} in {shown(settings.output)} is that of another contract"
            hint = f"that stands in line {first.line}; give one of them another name or folder"
            report.add(Rule.CONTRACT_SETTINGS, settings.position, message, hint)
    if report:
        raise report.error()
    return tuple(contracts)


def package_fault(name: str, language: Language) -> tuple[str, str] | None:
    """What is wrong with the name of a package, and what to do about it; `None` if a package can be called so."""
    if language == "typescript":
        if _FOLDER.fullmatch(name):
            return None
        return f"{shown(name)} is not the name of a package", "letters, digits, '_' and '-', a letter first"
    if not _PACKAGE.fullmatch(name) or keyword.iskeyword(name):
        return (
            f"{shown(name)} is not the name of a package",
            "letters, digits and underscores, no digit first, and no word of Python's own",
        )
    if name in _TAKEN:
        return f"the package {shown(name)} would hide the one of that name that it imports", "give it another name"
    return None


def _read(contract: View) -> ContractSettings | None:
    document = _path(contract, "document")
    language = LANGUAGES.get(contract.one_of("language", tuple(LANGUAGES)) or "", "python")
    package = contract.optional_text("package")
    if package is not None and (fault := package_fault(package, language)):
        contract.report.add(Rule.UNUSABLE_KEY, contract.position_of("package"), *fault)
    output = _path(contract, "output") if contract.get("output") is not None else "."
    if output is not None and output.split("/")[0] == "..":
        message = f"the folder {shown(output)} is outside of that of the project"
        contract.report.add(Rule.CONTRACT_SETTINGS, contract.position_of("output"), message)
    if document is None or package is None or output is None:
        return None
    return ContractSettings(
        document=document,
        package=package,
        output=output,
        language=language,
        position=contract.position,
    )


def _path(contract: View, key: str) -> str | None:
    """The relative path of `key`; `None` without one, which is reported."""
    path = contract.optional_text(key)
    if path is None:
        return None
    if path and not path.startswith("/") and "\\" not in path and "\0" not in path and not re.match("[A-Za-z]:", path):
        return posixpath.normpath(path)
    message = (
        f"{shown(key)} of {contract.shape.name} is {shown(path)}, but a path from the folder of this file is expected"
    )
    contract.report.add(
        Rule.CONTRACT_SETTINGS, contract.position_of(key), message, "like contracts/lamps.yaml, with '/'"
    )
    return None
