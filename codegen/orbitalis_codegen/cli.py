"""The command line of `orbitalis-codegen`: what all commands share, and how they end."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from orbitalis_codegen import output
from orbitalis_codegen.commands import COMMANDS
from orbitalis_codegen.commands.command import PROGRAM, UNUSABLE, CommandError
from orbitalis_codegen.diagnostic import SpecificationError
from orbitalis_codegen.output import counted

__all__ = ["main"]

_DESCRIPTION: Final = (
    "Generate code from AsyncAPI documents: from contracts of plugins, and from the specification of Orbitalis itself."
)
_STATUS: Final = """\
exit status:
  0  done; of check: nothing differs; of diff: nothing breaks
  1  of check: something differs; of diff: something breaks
  2  the specification cannot be used, in which case nothing is written;
     a file cannot be read or written; or the command line is wrong
"""
_LIBRARIES: Final = frozenset({"fastavro", "jinja2", "yaml"})
"""What the extra `codegen` installs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; the `arguments` are those of the process unless given."""
    output.open_outputs()
    options = argparse.Namespace(form="text")
    try:
        status = _status(arguments, options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has closed it.
        output.give_up_output()
        return UNUSABLE
    except OSError as error:
        reason = error.strerror or str(error)
        with contextlib.suppress(OSError):
            output.say_trouble(f"{error.filename}: {reason}" if error.filename else reason, options.form)
        output.give_up_output()
        return UNUSABLE
    return status


def _status(arguments: Sequence[str] | None, options: argparse.Namespace) -> int:
    """Do what the `arguments` ask for, with `options` as they say; returns the exit status."""
    try:
        _parser().parse_args(arguments, options)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except SpecificationError as error:
        output.say_problems(error.diagnostics, options.form)
        count = counted(len(error.diagnostics), "problem")
        print(f"{PROGRAM}: {count}, nothing is written", file=sys.stderr)
        return UNUSABLE
    except CommandError as error:
        output.say_trouble(str(error), options.form)
        return UNUSABLE
    except ModuleNotFoundError as error:
        if error.name not in _LIBRARIES:
            raise
        message = f"this needs {error.name}, which is not installed: pip install 'orbitalis-sdk[codegen]'"
        output.say_trouble(message, options.form)
        return UNUSABLE


def _parser() -> argparse.ArgumentParser:
    root, form = _root_option(), _format_option()
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[root, form],
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version of the generator, and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        inner = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=_STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[*([root] if command.takes_root else []), form],
        )
        command.add_arguments(inner)
        inner.set_defaults(run=command.run)
    return parser


def _root_option() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        # A default of the command would override what was given before it.
        default=argparse.SUPPRESS,
        help="folder with asyncapi.yaml, schemas/ and generated/ (default: the current one)",
    )
    return parser


def _format_option() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--format",
        dest="form",
        choices=output.FORMATS,
        default=argparse.SUPPRESS,
        help="how errors are written: as text, one JSON object a line, or annotations of GitHub (default: text)",
    )
    return parser


class _Version(argparse.Action):
    """Prints the version; looking it up takes longer than the rest of the command line."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        try:
            version = metadata.version("orbitalis-sdk")
        except metadata.PackageNotFoundError:
            version = "of unknown version, since it is not installed"
        print(f"{PROGRAM} {version}")
        sys.stdout.flush()
        parser.exit()
