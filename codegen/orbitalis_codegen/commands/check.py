"""The command `check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from orbitalis_codegen import memo, output
from orbitalis_codegen.commands.command import DIFFERENT, DONE, PROGRAM, Command, root_of
from orbitalis_codegen.commands.emitted import emitted, say_again
from orbitalis_codegen.output import counted, listed, shown

__all__ = ["CHECK"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--diff", action="store_true", help="show what differs")


def _run(options: argparse.Namespace) -> int:
    root = root_of(options)
    known = memo.known(root)
    if known is not None:
        say_again(known.notes, options)
        print(f"{counted(known.files, 'file')} as the specification gives them")
        return DONE
    given = emitted(options)
    files = given.files
    from orbitalis_codegen.drift import check

    drifts = check(root, files)
    for line in listed(list(map(str, drifts))):
        if options.form == "text":
            print(line, file=sys.stderr)
        else:
            output.say_trouble(line, options.form)
    if drifts:
        if options.diff:
            _show_differences(root, files, [drift.path for drift in drifts])
        if options.form == "text":
            print(f"{counted(len(drifts), 'file')} not as the specification gives them; run {PROGRAM} generate")
        return DIFFERENT
    memo.remember(root, given.inputs, files, given.notes)
    print(f"{counted(len(files), 'file')} as the specification gives them")
    return DONE


def _show_differences(root: Path, files: Mapping[str, bytes], paths: Sequence[str]) -> None:
    """Print how each file would change, as a patch has it."""
    import difflib

    for path in paths:
        try:
            found = (root / path).read_bytes().decode(errors="backslashreplace")
        except OSError:
            found = ""
        wanted = files.get(path, b"").decode()
        before, after = found.splitlines(keepends=True), wanted.splitlines(keepends=True)
        name = shown(path)
        for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"):
            print(line, end="" if line.endswith("\n") else "\n\\ No newline at end of file\n")


CHECK: Final = Command(
    name="check",
    summary="say whether what is there is what the specification gives",
    description="""\
Say whether what `generate` writes is there, and of each file that differs who changed it: the specification or
contract, the generator or a hand. None of these files is written. While nothing has changed since it was last found to
be right, digests are compared and nothing else is done.
""",
    add_arguments=_add_arguments,
    run=_run,
    words=lambda: ("--diff",),
    takes_root=True,
    takes_format=True,
)
