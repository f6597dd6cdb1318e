"""The command `contract`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from orbitalis_codegen import output
from orbitalis_codegen.commands.command import DONE, Command, CommandError
from orbitalis_codegen.commands.writing import say_waiting, write_files
from orbitalis_codegen.contract.languages import LANGUAGES

__all__ = ["CONTRACT"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the AsyncAPI document")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", default=Path(), help="where the package goes (default: here)"
    )
    parser.add_argument("--package", metavar="NAME", help="name of the package (default: the contract's title)")
    parser.add_argument("--language", choices=tuple(LANGUAGES), default="python", help="default: python")


def _run(options: argparse.Namespace) -> int:
    from orbitalis_codegen.project import below, load_one

    try:
        contract, package = load_one(options.file, options.package, options.language)
    except ValueError as error:
        raise CommandError(str(error)) from None
    output.say_problems(contract.notes, options.form, "notice")
    from orbitalis_codegen.emit.contract_targets import emit_contract
    from orbitalis_codegen.lock import locked

    # What is there already can be locked, and the rest is made.
    folder: Path = options.output
    if ".." in folder.parts and not folder.is_dir():
        folder = Path(os.path.relpath(folder.resolve()))
    root = next(one for one in (folder, *folder.parents, Path()) if one.is_dir())
    inner = folder.relative_to(root).as_posix()
    files = below(inner, emit_contract(contract, package, options.language))
    with locked(root, say_waiting):
        write_files(root, files, options.form, shown_below=root)
    return DONE


CONTRACT: Final = Command(
    name="contract",
    summary="write the package of a contract",
    description="""\
Write the package of a contract: an AsyncAPI 3 document that describes what one plugin provides, with Avro payloads.
The package has the messages, a class to derive the plugin from, a client for cores and a fake for tests. All is written
or nothing, in a folder of its own, from which generated files that should not be there any more are removed.
""",
    add_arguments=_add_arguments,
    run=_run,
    words=lambda: ("--output", "--package", "--language"),
)
