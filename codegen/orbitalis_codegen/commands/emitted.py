"""What `generate` and `check` compare and write: the files that a specification and its contracts give."""

from __future__ import annotations

import argparse

from orbitalis_codegen import output
from orbitalis_codegen.commands.command import root_of

__all__ = ["emitted"]


def emitted(options: argparse.Namespace) -> tuple[dict[str, bytes], tuple[str, ...] | None]:
    """The files, by their paths, and what is read for them; `None` if something was noted, which is to be said again.

    Raises SpecificationError if a specification or a contract cannot be used.
    """
    from orbitalis_codegen.project import load_project

    project = load_project(root_of(options))
    output.say_problems(project.notes, options.form, "notice")
    return project.emit(), None if project.notes else project.inputs
