"""The commands of `orbitalis-codegen`, one module each."""

from __future__ import annotations

from typing import Final

from orbitalis_codegen.commands.bundle import BUNDLE
from orbitalis_codegen.commands.check import CHECK
from orbitalis_codegen.commands.command import Command
from orbitalis_codegen.commands.completion import completion
from orbitalis_codegen.commands.contract import CONTRACT
from orbitalis_codegen.commands.describe import DESCRIBE
from orbitalis_codegen.commands.diff import DIFF
from orbitalis_codegen.commands.generate import GENERATE
from orbitalis_codegen.commands.rules import RULES
from orbitalis_codegen.commands.schema import SCHEMA

__all__ = ["COMMANDS"]

_COMPLETED: Final = (GENERATE, CHECK, CONTRACT, DESCRIBE, BUNDLE, SCHEMA, DIFF, RULES)
COMMANDS: Final[tuple[Command, ...]] = (*_COMPLETED, completion(_COMPLETED))
"""All of them, in the order of the help."""
