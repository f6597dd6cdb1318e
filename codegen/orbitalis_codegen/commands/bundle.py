"""The command `bundle`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Final

from orbitalis_codegen import output
from orbitalis_codegen.commands.command import DONE, Command, root_of
from orbitalis_codegen.commands.writing import hand_over

__all__ = ["BUNDLE"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, metavar="FILE", help="the document (default: standard output)")


def _run(options: argparse.Namespace) -> int:
    from orbitalis_codegen.bundle.document import bundle
    from orbitalis_codegen.specification import load

    root = root_of(options)
    model = load(root)
    document = bundle(root, model)
    # In every form, notes keep out of the way of the document.
    with contextlib.redirect_stdout(sys.stderr if options.output is None else sys.stdout):
        output.say_problems(model.notes, options.form, "notice")
    hand_over(document, options.output, options.form)
    return DONE


BUNDLE: Final = Command(
    name="bundle",
    summary="print the specification as one document that every AsyncAPI tool shows",
    description="""\
Print the specification as one AsyncAPI document that refers to no other file, for tools that know nothing of ours: each
type is written out in the schemas that use it, and timings, limits and states stand as tables in the description.
""",
    add_arguments=_add_arguments,
    run=_run,
    words=lambda: ("--output",),
    takes_root=True,
)
