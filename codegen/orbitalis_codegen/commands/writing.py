"""Writing what a command gives, and saying what was written."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from orbitalis_codegen import output
from orbitalis_codegen.commands.command import PROGRAM, CommandError
from orbitalis_codegen.output import counted, listed, shown

__all__ = ["hand_over", "say_waiting", "write_files"]


def write_files(root: Path, files: Mapping[str, bytes], form: output.Format, shown_below: Path = Path()) -> None:
    """Write all files, or raise; and say what was done, with paths below a folder."""
    from orbitalis_codegen.drift import foreign
    from orbitalis_codegen.write import write

    def named(path: str) -> str:
        return shown((shown_below / path).as_posix())

    if strangers := foreign(root, files):
        raise CommandError(
            f"{named(strangers[0])} is not a generated file, and this would remove it; "
            f"move it{' and others like it' if len(strangers) > 1 else ''} elsewhere; nothing is written"
        )
    report = write(root, files)
    for line in listed([f"wrote {named(path)}" for path in report.written]):
        output.say(line, form)
    for line in listed([f"removed {named(path)}" for path in report.removed]):
        output.say(line, form)
    written = counted(len(report.written), "file")
    output.say(f"{written} written, {len(report.unchanged)} unchanged, {len(report.removed)} removed", form)


def hand_over(document: str, target: Path | None, form: output.Format) -> None:
    """Write one document to a file, and say so; or to the standard output."""
    from orbitalis_codegen.write import write_one

    if target is None:
        output.say_document(document)
    elif write_one(target, document.encode()):
        output.say(f"wrote {shown(str(target))}", form)
    else:
        output.say(f"{shown(str(target))} is unchanged", form)


def say_waiting() -> None:
    """Say that another process writes in the folder, and that this one waits for it."""
    print(f"{PROGRAM}: waiting for another one that writes here", file=sys.stderr)
