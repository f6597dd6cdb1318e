"""The command `describe`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Final

from orbitalis_codegen import output
from orbitalis_codegen.commands.command import DONE, Command, CommandError
from orbitalis_codegen.commands.writing import hand_over

__all__ = ["DESCRIBE"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plugin", metavar="MODULE:CLASS", help="such as lamps.plugins:LampPlugin")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the document (default: standard output)")
    parser.add_argument("--title", help="what the contract is called (default: as the class, without Plugin)")
    parser.add_argument("--version", dest="contract_version", metavar="VERSION", help="(default: 1.0.0)")


def _run(options: argparse.Namespace) -> int:
    from orbitalis_codegen.contract.describe import DEFAULT_VERSION, DescribeError, describe
    from orbitalis_codegen.contract.document import document_of

    try:
        contract = describe(options.plugin, title=options.title, version=options.contract_version or DEFAULT_VERSION)
    except DescribeError as error:
        raise CommandError(str(error)) from None
    document = document_of(contract)
    # In every form, notes keep out of the way of the document.
    with contextlib.redirect_stdout(sys.stderr if options.output is None else sys.stdout):
        output.say_problems(contract.notes, options.form, "notice")
    hand_over(document, options.output, options.form)
    return DONE


DESCRIBE: Final = Command(
    name="describe",
    summary="write the contract of a plugin class",
    description="""\
Write the contract of a plugin class: an AsyncAPI document that says what its operations take, give and raise. What no
contract can say is left out, and a note says so. The module is imported, from the current folder or from what is
installed; where a class runs code of its own when a plugin is made, one is made.
""",
    add_arguments=_add_arguments,
    run=_run,
    words=lambda: ("--output", "--title", "--version"),
)
