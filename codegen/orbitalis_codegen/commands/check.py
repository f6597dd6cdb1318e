"""The command `check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from orbitalis_codegen import memo, output
from orbitalis_codegen.commands.command import DIFFERENT, DONE, PROGRAM, Command, root_of
from orbitalis_codegen.commands.emitted import emitted, say_again
from orbitalis_codegen.diagnostic import MOST_SHOWN
from orbitalis_codegen.output import counted, shown

__all__ = ["CHECK"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--diff", action="store_true", help="show what differs")


def _run(options: argparse.Namespace) -> int:
    root = root_of(options)
    known = memo.known(root)
    if known is not None:
        say_again(known.notes, options)
        output.say(f"{counted(known.files, 'file')} as the specification gives them", options.form)
        return DONE
    given = emitted(options)
    files = given.files
    from orbitalis_codegen.drift import check

    drifts = check(root, files)
    for drift in drifts[:MOST_SHOWN]:
        patch = _patch(root, files, drift.path) if options.diff and options.form == "json" else None
        output.say_difference(drift.shown_path, drift.text, options.form, patch)
    if drifts:
        if len(drifts) > MOST_SHOWN:
            print(f"... and {len(drifts) - MOST_SHOWN} more", file=sys.stderr)
        if options.diff and options.form != "json":
            for drift in drifts:
                print(_patch(root, files, drift.path), end="")
        count = counted(len(drifts), "file")
        output.say(f"{count} not as the specification gives them; run {PROGRAM} generate", options.form)
        return DIFFERENT
    memo.remember(root, given.inputs, files, given.notes)
    output.say(f"{counted(len(files), 'file')} as the specification gives them", options.form)
    return DONE


def _patch(root: Path, files: Mapping[str, bytes], path: str) -> str:
    """How a file would change, as a patch has it."""
    import difflib

    try:
        found = (root / path).read_bytes().decode(errors="backslashreplace")
    except OSError:
        found = ""
    wanted = files.get(path, b"").decode()
    before, after = found.splitlines(keepends=True), wanted.splitlines(keepends=True)
    name = shown(path)
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


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
)
