"""What a folder has for the generator: the specification of Orbitalis, contracts, or both."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orbitalis_codegen.contract.languages import Language
from orbitalis_codegen.contract.settings import (
    SETTINGS_FILE,
    ContractSettings,
    package_fault,
    read_settings,
)
from orbitalis_codegen.diagnostic import Diagnostic, SpecificationError

if TYPE_CHECKING:
    from orbitalis_codegen.contract.model import Contract
    from orbitalis_codegen.model import Model

__all__ = ["Project", "below", "load_one", "load_project"]

_SPECIFICATION: Final = "asyncapi.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was read of a folder."""

    model: Model | None
    """The specification; `None` if the folder has contracts alone."""
    contracts: tuple[tuple[ContractSettings, Contract], ...]

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """What was noticed and ignored."""
        notes = () if self.model is None else self.model.notes
        # A document may be listed for several languages.
        return (*dict.fromkeys((*notes, *(note for _, contract in self.contracts for note in contract.notes))),)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every file that was read, and those that would have been if they were there, relative to the folder."""
        read: dict[str, None] = dict.fromkeys(() if self.model is None else self.model.inputs)
        read |= dict.fromkeys(name for _, contract in self.contracts for name in contract.inputs)
        return (*(read | dict.fromkeys((SETTINGS_FILE, _SPECIFICATION))),)

    def emit(self) -> dict[str, bytes]:
        """Every file that this gives, by its path relative to the folder."""
        # Importing what emits takes long, and is not needed to find fault with a specification.
        files: dict[str, bytes] = {}
        if self.model is not None:
            from orbitalis_codegen.emit import emit

            files |= emit(self.model)
        for settings, contract in self.contracts:
            from orbitalis_codegen.emit.contract_targets import emit_contract

            files |= below(settings.output, emit_contract(contract, settings.package, settings.language))
        return files


def load_project(root: Path) -> Project:
    """Read the specification that stands in the folder `root`, and the contracts that its pyproject.toml lists.

    A document that is listed as a contract is not the specification, whatever its name.

    Raises:
        SpecificationError: Something of it cannot be used.
    """
    from orbitalis_codegen.contract.read import load_contract
    from orbitalis_codegen.specification import load

    settings = read_settings(root)
    has_specification = _SPECIFICATION not in (one.document for one in settings)
    if settings and not (root / _SPECIFICATION).exists():
        has_specification = False
    found: list[Diagnostic] = []
    model: Model | None = None
    contracts: list[tuple[ContractSettings, Contract]] = []
    if has_specification:
        try:
            model = load(root)
        except SpecificationError as error:
            found.extend(error.diagnostics)
    for one in settings:
        try:
            contracts.append((one, load_contract(root, one.document, one.language)))
        except SpecificationError as error:
            found.extend(error.diagnostics)
    if found:
        raise SpecificationError(tuple(dict.fromkeys(found)))
    return Project(model=model, contracts=tuple(contracts))


def load_one(document: Path, package: str | None, language: Language) -> tuple[Contract, str]:
    """Read one contract; return it with the name of its package: the one given, or the one that its title gives.

    Raises:
        SpecificationError: The document cannot be used.
        ValueError: The package cannot be called so.
    """
    if package is not None and (fault := package_fault(package, language)):
        raise ValueError(": ".join(fault))
    from orbitalis_codegen.contract.read import load_contract
    from orbitalis_codegen.emit.contract_targets import hidden_module, package_name

    contract = load_contract(Path(), Path(os.path.relpath(document)).as_posix(), language)
    # What is written is the same from wherever the command is run, and what `generate` writes.
    contract = replace(contract, document=_place_in_project(document))
    if package is None:
        package = package_name(contract, language)
        if fault := package_fault(package, language):
            raise ValueError(f"{fault[0]}: name another one with --package")
        # Who names a package has chosen, and may have a folder for it that is not on the path of imports.
        if hidden_module(package, language):
            own = f"the package {package!r} would hide the module of that name that Python has"
            raise ValueError(f"{own}: name another one with --package")
    return contract, package


def _place_in_project(document: Path) -> str:
    """The path of a document from the folder of its project; its name alone if it belongs to none."""
    path = Path(os.path.abspath(document))
    for mark in (SETTINGS_FILE, ".git"):
        for folder in path.parents:
            if (folder / mark).exists():
                return path.relative_to(folder).as_posix()
    return path.name


def below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files by their path, put into a folder; `.` leaves them where they are."""
    return dict(files) if folder == "." else {f"{folder}/{path}": data for path, data in files.items()}
