"""The command `orbitalis-codegen`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from orbitalis_codegen.diagnostic import SpecificationError
from orbitalis_codegen.rules import Rule
from orbitalis_codegen.specification import load

__all__ = ["main"]

_PROGRAM: Final = "orbitalis-codegen"
_OK: Final = 0
_DRIFT: Final = 1
_UNUSABLE: Final = 2

_DESCRIPTION = (
    "Generate code from the specification of Orbitalis: asyncapi.yaml and the Avro schemas that it refers to."
)
_STATUS = """\
exit status:
  0  done; of check: nothing differs
  1  of check: something differs
  2  the specification cannot be used, in which case nothing is written;
     a file cannot be read or written; or the command line is wrong
"""
_GENERATE = """\
Write in generated/ what the specification gives. All is written or nothing; files that are as they should be are left
alone, and generated files that should not be there any more are removed.
"""
_CHECK = """\
Say whether generated/ is what the specification gives, and of each file that differs who changed it: the
specification, the generator or a hand. Nothing is written.
"""
_RULES = """\
List the rules that a specification is held against, each with the code under which a breach is reported.
"""


class _CommandError(Exception):
    """The command cannot do what it should; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; the `arguments` are those of the process unless given."""
    options = _parser().parse_args(arguments)
    run: Callable[[Path], int] = options.run
    try:
        status = run(getattr(options, "root", Path()))
        sys.stdout.flush()
    except SpecificationError as error:
        print(error, file=sys.stderr)
        count = _counted(len(error.diagnostics), "problem")
        print(f"{_PROGRAM}: {count} in the specification, nothing is written", file=sys.stderr)
        return _UNUSABLE
    except _CommandError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return _UNUSABLE
    except BrokenPipeError:
        # Whoever reads the output has seen enough. Python would try once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNUSABLE
    except OSError as error:
        reason = error.strerror or str(error)
        print(f"{_PROGRAM}: {error.filename}: {reason}" if error.filename else f"{_PROGRAM}: {reason}", file=sys.stderr)
        return _UNUSABLE
    return status


def _parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(add_help=False)
    root.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        # A default of the command would override what was given before it.
        default=argparse.SUPPRESS,
        help="folder with asyncapi.yaml, schemas/ and generated/ (default: the current one)",
    )
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description=_DESCRIPTION,
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[root],
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, run, summary, description in (
        ("generate", _generate, "write what the specification gives", _GENERATE),
        ("check", _check, "say whether what is there is what the specification gives", _CHECK),
        ("rules", _rules, "list the rules for specifications", _RULES),
    ):
        command = commands.add_parser(
            name,
            help=summary,
            description=description,
            epilog=_STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[] if run is _rules else [root],
        )
        command.set_defaults(run=run)
    return parser


def _emitted(root: Path) -> dict[str, bytes]:
    """What the specification gives: the content of every file."""
    model = load(root)
    # Takes long to import, and is not needed to find fault with a specification.
    from orbitalis_codegen.emit import emit

    return emit(model)


def _generate(root: Path) -> int:
    files = _emitted(root)
    from orbitalis_codegen.drift import foreign
    from orbitalis_codegen.write import write

    if strangers := foreign(root, files):
        raise _CommandError(
            f"{_shown(strangers[0])} is not a generated file, and this would remove it; "
            f"move it{' and others like it' if len(strangers) > 1 else ''} elsewhere; nothing is written"
        )
    report = write(root, files)
    for path in report.written:
        print(f"wrote {path}")
    for path in report.removed:
        print("removed", _shown(path))
    print(
        f"{_counted(len(report.written), 'file')} written, {len(report.unchanged)} unchanged, "
        f"{len(report.removed)} removed"
    )
    return _OK


def _check(root: Path) -> int:
    files = _emitted(root)
    from orbitalis_codegen.drift import check

    drifts = check(root, files)
    for drift in drifts:
        print(drift, file=sys.stderr)
    if drifts:
        print(f"{_counted(len(drifts), 'file')} not as the specification gives them; run {_PROGRAM} generate")
        return _DRIFT
    print(f"{_counted(len(files), 'file')} as the specification gives them")
    return _OK


def _rules(_: Path) -> int:
    for rule in Rule:
        print(f"{rule.code}  {rule.purpose}")
    return _OK


def _shown(path: str) -> str:
    """A path without what no encoding can show, which the name of a stale file may hold."""
    return path.encode(errors="backslashreplace").decode()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
