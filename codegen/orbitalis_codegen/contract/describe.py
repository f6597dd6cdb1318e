"""The contract that a plugin class keeps, found by importing the class."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final, Protocol, cast

from orbitalis_codegen.contract.descriptions import Described, OperationDescription, contract_of
from orbitalis_codegen.contract.document import document_of
from orbitalis_codegen.contract.model import Contract
from orbitalis_codegen.contract.read import load_contract
from orbitalis_codegen.diagnostic import MOST_SHOWN, Position, SpecificationError, did_you_mean

__all__ = ["DEFAULT_VERSION", "DescribeError", "describe"]

DEFAULT_VERSION: Final = "1.0.0"
_RUNTIME: Final = "orbitalis.operations.description"
"""The generator does not import the runtime; a plugin class does."""
_SUFFIX: Final = "Plugin"
_DOCUMENT: Final = "contract.yaml"


class DescribeError(Exception):
    """A plugin class cannot be described; the text says why."""


class _Located(Protocol):
    @property
    def file(self) -> str: ...

    @property
    def line(self) -> int: ...


class _LocatedDescription(OperationDescription, _Located, Protocol):
    """What the runtime says of an operation."""


class _PluginDescription(_Located, Protocol):
    @property
    def documentation(self) -> str: ...

    @property
    def operations(self) -> Sequence[_LocatedDescription]: ...


class _Runtime(Protocol):
    """What the generator uses of the runtime."""

    def description_of(self, plugin: object) -> _PluginDescription: ...

    def may_add_operations(self, plugin_class: type) -> bool: ...


def describe(target: str, *, title: str | None = None, version: str = DEFAULT_VERSION) -> Contract:
    """The contract of the plugin class that `target`, such as `lamps.plugins:LampPlugin`, names.

    A class with a `__post_init__` may give operations to a plugin that is made, so one is made, without arguments, and
    not started. The target may also be a plugin.

    Modules are looked for in the current folder first. What they print while they are imported goes to the standard
    error. The title is the name of the class, without `Plugin` at its end, unless it is given.

    Raises:
        DescribeError: There is no such class, it is no plugin, importing it fails, or no contract can say it.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise DescribeError(f"expected MODULE:CLASS, such as lamps.plugins:LampPlugin, got {target!r}")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    with contextlib.redirect_stdout(sys.stderr):
        named = _found_in(_imported(module_name), path)
        found, failure = _description_of(named)
    owner = named if isinstance(named, type) else type(named)
    described = [Described(operation=one, position=_position(one, here)) for one in found.operations]
    contract = contract_of(
        described,
        title=title or owner.__name__.removesuffix(_SUFFIX) or owner.__name__,
        version=version,
        description=found.documentation,
        ignored=() if failure is None else (f"what {owner.__name__} adds when it is made is left out: {failure}",),
        position=_position(found, here),
    )
    if not contract.operations:
        reasons = "".join(f"\n{note.position}: {note.message}" for note in contract.notes)
        what = "declares no operation that a contract can say" if reasons else "declares no operations"
        raise DescribeError(f"{target} {what}{reasons}")
    _check(contract, target)
    return contract


def _check(contract: Contract, target: str) -> None:
    """Raise unless what is written can be read: names in a class may be ones that no contract has."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, _DOCUMENT).write_text(document_of(contract), encoding="utf-8")
        try:
            load_contract(Path(folder), _DOCUMENT)
        except SpecificationError as error:
            reasons = "\n".join(
                found.message + (f" ({found.hint})" if found.hint else "") for found in error.diagnostics[:MOST_SHOWN]
            )
            raise DescribeError(f"{target} declares what a contract cannot say\n{reasons}") from None


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise DescribeError(f"there is no module {error.name!r} here or among what is installed") from None
        raise _failed_import(name, error) from None
    except (Exception, SystemExit) as error:
        raise _failed_import(name, error) from None


def _failed_import(name: str, error: BaseException) -> DescribeError:
    """Say what the user's code has raised, and where in it."""
    where = _where(error)
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}: "
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    what = f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__
    return DescribeError(f"{where}importing {name} raises {what}")


def _where(error: BaseException) -> str:
    """The place in the user's code that raised an error, or the last one in what that calls; empty if there is none."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not _is_machinery(one.filename)]
    own = [one for one in frames if not _is_installed(one.filename)] or frames
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""


def _is_machinery(file: str) -> bool:
    """Whether a file only carries out what the user's code asks for."""
    runtime = sys.modules.get(_RUNTIME.partition(".")[0])
    carried_out_by = [__file__, importlib.__file__]
    if runtime is not None and runtime.__file__ is not None:
        carried_out_by.append(os.path.join(os.path.dirname(runtime.__file__), ""))
    return file.startswith(("<frozen ", *carried_out_by))


def _is_installed(file: str) -> bool:
    """Whether a file is of Python, or of another package that is installed."""
    folders = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    return any(file.startswith(os.path.join(folder, "")) for folder in folders)


def _found_in(module: ModuleType, path: str) -> object:
    found: object = module
    for name in path.split("."):
        if not hasattr(found, name):
            known = [one for one, value in vars(found).items() if isinstance(value, type)] if found is module else []
            hint = did_you_mean(name, known)
            raise DescribeError(f"there is no {path!r} in the module {module.__name__}" + (f": {hint}" if hint else ""))
        found = getattr(found, name)
    return found


def _description_of(named: object) -> tuple[_PluginDescription, str | None]:
    """What a class, or a plugin, is described as, and why no plugin of the class could be made."""
    try:
        runtime = cast("_Runtime", importlib.import_module(_RUNTIME))
    except ImportError as error:
        raise DescribeError(f"the runtime cannot be imported: {error}; pip install orbitalis-sdk") from None
    failure: str | None = None
    try:
        found = runtime.description_of(named)
        if isinstance(named, type) and runtime.may_add_operations(named):
            try:
                found = runtime.description_of(named())
            except (Exception, SystemExit) as error:
                failure = f"{_where(error)}making one raises {type(error).__qualname__}: {error}"
    except TypeError as error:
        raise DescribeError(str(error)) from None
    return found, failure


def _position(one: _Located, here: str) -> Position:
    path = Path(one.file)
    file = path.relative_to(here) if path.is_relative_to(here) else path
    return Position(file.as_posix(), one.line, 1)
