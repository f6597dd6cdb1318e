"""What `generate` and `check` compare and write: the files that a specification and its contracts give."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orbitalis_codegen import output
from orbitalis_codegen.commands.command import root_of
from orbitalis_codegen.diagnostic import Diagnostic, Position
from orbitalis_codegen.memo import Note
from orbitalis_codegen.rules import Rule

__all__ = ["Emitted", "emitted", "say_again"]


@dataclass(frozen=True, slots=True)
class Emitted:
    """What a specification and its contracts give."""

    files: dict[str, bytes]
    """By path."""
    inputs: tuple[str, ...]
    """What was read for them."""
    notes: tuple[Note, ...]
    """What was said of it."""


def emitted(options: argparse.Namespace) -> Emitted:
    """Read and emit everything, and say what is noticed.

    Raises SpecificationError if a specification or a contract cannot be used.
    """
    from orbitalis_codegen.project import load_project

    project = load_project(root_of(options))
    output.say_problems(project.notes, options.form, "notice")
    return Emitted(project.emit(), project.inputs, tuple(map(_remembered, project.notes)))


def say_again(notes: Sequence[Note], options: argparse.Namespace) -> None:
    """Say what was noticed when the same was read before."""
    rules = {rule.code: rule for rule in Rule}
    found: Iterable[Diagnostic] = (
        Diagnostic(Position(file, line, column), rules[code], text)
        for file, line, column, code, text in notes
        # Somebody may have written to the memory.
        if code in rules
    )
    output.say_problems(found, options.form, "notice")


def _remembered(note: Diagnostic) -> Note:
    at = note.position
    return at.file, at.line, at.column, note.code, note.message
