"""The command `generate`."""

from __future__ import annotations

import argparse
from typing import Final

from orbitalis_codegen import memo
from orbitalis_codegen.commands.command import DONE, Command, root_of
from orbitalis_codegen.commands.emitted import emitted
from orbitalis_codegen.commands.writing import say_waiting, write_files

__all__ = ["GENERATE"]


def _run(options: argparse.Namespace) -> int:
    from orbitalis_codegen.lock import locked

    root = root_of(options)
    with locked(root, say_waiting):
        given = emitted(options)
        write_files(root, given.files, options.form)
        memo.remember(root, given.inputs, given.files, given.notes)
    return DONE


GENERATE: Final = Command(
    name="generate",
    summary="write what the specification gives",
    description="""\
Write what the specification gives in generated/, and the package of each contract that pyproject.toml lists. All is
written or nothing; files that are as they should be are left alone, and generated files that should not be there any
more are removed. It waits for another one that writes there.
""",
    run=_run,
    takes_root=True,
)
