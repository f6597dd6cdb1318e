"""`orbitalis describe`: the AsyncAPI document of a plugin that runs, made of what it tells."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from orbitalis.cli.asking import of_one, operator_of, run_async
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.cli.showing import print_text
from orbitalis.operating import InfoAnswer
from orbitalis_wire.messages import Input, OperationInfo, Output

__all__ = ["run"]

_DOCUMENT = "contract.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """An operation, as the generator takes it."""

    name: str
    documentation: str
    input: Input
    output: Output
    errors: Sequence[str] = ()
    """No plugin tells which of its outputs are errors."""


def run(options: argparse.Namespace) -> int:
    """Print the document."""
    return run_async(_run, options)


async def _run(options: argparse.Namespace) -> int:
    generator = _Generator()
    async with operator_of(options) as operator:
        info = await of_one(operator, operator.info, options.orbiter, options.within)
    if not info.operations:
        raise CommandError(Exit.NOBODY, f"{info.role} '{info.identifier}' has no operations that could be described")
    text = generator.document_of(info, options.title or info.identifier, options.contract_version)
    if options.json:
        print_text(json.dumps(generator.yaml.safe_load(text), indent=2, ensure_ascii=False))
    else:
        print_text(text.rstrip("\n"))
    return Exit.OK


class _Generator:
    """What is used of the generator, which the runtime does not import, and which may be missing."""

    def __init__(self) -> None:
        try:
            self._descriptions: Any = import_module("orbitalis_codegen.contract.descriptions")
            self._document: Any = import_module("orbitalis_codegen.contract.document")
            self._read: Any = import_module("orbitalis_codegen.contract.read")
            self._diagnostic: Any = import_module("orbitalis_codegen.diagnostic")
            self.yaml: Any = import_module("yaml")
        except ImportError as error:
            raise CommandError(
                Exit.MISUSED,
                f"`describe` needs the generator, of which {error.name} is missing: "
                "pip install 'orbitalis-sdk[codegen]'",
            ) from None

    def document_of(self, info: InfoAnswer, title: str, version: str) -> str:
        """Return the document; notes about what a contract cannot say go to standard error."""
        position = self._diagnostic.Position(info.identifier, 1, 1)
        contract = self._descriptions.contract_of(
            [
                self._descriptions.Described(operation=_described(name, one), position=position)
                for name, one in sorted(info.operations.items())
            ],
            title=title,
            version=version,
        )
        notes = [note.message for note in contract.notes]
        if not contract.operations:
            raise CommandError(Exit.FAILED, "\n".join(["a contract can say none of its operations", *notes]))
        text: str = self._document.document_of(contract)
        self._check(text)
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
        return text

    def _check(self, text: str) -> None:
        """Raise unless the document can be read: a plugin may have names that no contract has."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, _DOCUMENT).write_text(text, encoding="utf-8")
            try:
                self._read.load_contract(Path(folder), _DOCUMENT)
            except self._diagnostic.SpecificationError as error:
                reasons = "\n".join(one.message for one in error.diagnostics[: self._diagnostic.MOST_SHOWN])
                raise CommandError(Exit.FAILED, f"the plugin has what a contract cannot say\n{reasons}") from None


def _described(name: str, one: OperationInfo) -> _Operation:
    return _Operation(name=name, documentation=one.documentation, input=one.input, output=one.output)
