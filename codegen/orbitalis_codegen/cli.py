"""The command `orbitalis-codegen`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from orbitalis_codegen import completion, memo, output
from orbitalis_codegen.diagnostic import SpecificationError
from orbitalis_codegen.output import counted, listed
from orbitalis_codegen.rules import Rule

__all__ = ["main"]

_PROGRAM: Final = "orbitalis-codegen"
_SCHEMAS: Final = ("specification", "contract")
_OK: Final = 0
_DRIFT: Final = 1
_BREAKING: Final = 1
_UNUSABLE: Final = 2

_DESCRIPTION = (
    "Generate code from AsyncAPI documents: from contracts of plugins, and from the specification of Orbitalis itself."
)
_STATUS = """\
exit status:
  0  done; of check: nothing differs; of diff: nothing breaks
  1  of check: something differs; of diff: something breaks
  2  the specification cannot be used, in which case nothing is written;
     a file cannot be read or written; or the command line is wrong
"""
_GENERATE = """\
Write what the specification gives in generated/, and the package of each contract that pyproject.toml lists. All is
written or nothing; files that are as they should be are left alone, and generated files that should not be there any
more are removed. It waits for another one that writes there.
"""
_CHECK = """\
Say whether what `generate` writes is there, and of each file that differs who changed it: the specification or
contract, the generator or a hand. None of these files is written. While nothing has changed since it was last found to
be right, digests are compared and nothing else is done.
"""
_CONTRACT = """\
Write the package of a contract: an AsyncAPI 3 document that describes what one plugin provides, with Avro payloads.
The package has the messages, a class to derive the plugin from, a client for cores and a fake for tests. All is written
or nothing, in a folder of its own, from which generated files that should not be there any more are removed.
"""
_DESCRIBE = """\
Write the contract of a plugin class: an AsyncAPI document that says what its operations take, give and raise. What no
contract can say is left out, and a note says so. The module is imported, from the current folder or from what is
installed; where a class runs code of its own when a plugin is made, one is made.
"""
_BUNDLE = """\
Print the specification as one AsyncAPI document that refers to no other file, for tools that know nothing of ours: each
type is written out in the schemas that use it, and timings, limits and states stand as tables in the description.
"""
_SCHEMA = """\
Print the JSON Schema by which an editor completes, explains and checks a document that the generator reads: a
specification, or the contract of a plugin.
"""
_DIFF = """\
Compare two versions of the protocol and of the contracts that pyproject.toml lists, or of one contract: this one, and
that of a commit or a folder. List what changed, how far that reaches, whom it affects, and what to do instead. Changes
that accepted.toml lists are not counted. Nothing is written, and the work tree is left alone.
"""
_RULES = """\
List the rules that a specification is held against, and those by which changes are judged, each with its code; or
explain those whose codes are given, each with an example.
"""
_COMPLETION = """\
Print a script that lets a shell complete the command line: eval "$(orbitalis-codegen completion bash)"
"""


class _CommandError(Exception):
    """The command cannot do what it should; the text says why."""


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
        return _UNUSABLE
    except OSError as error:
        reason = error.strerror or str(error)
        with contextlib.suppress(OSError):
            output.say_trouble(f"{error.filename}: {reason}" if error.filename else reason, options.form)
        output.give_up_output()
        return _UNUSABLE
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
        print(f"{_PROGRAM}: {count} in the specification, nothing is written", file=sys.stderr)
        return _UNUSABLE
    except _CommandError as error:
        output.say_trouble(str(error), options.form)
        return _UNUSABLE


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
    form = argparse.ArgumentParser(add_help=False)
    form.add_argument(
        "--format",
        dest="form",
        choices=output.FORMATS,
        default=argparse.SUPPRESS,
        help="how errors are written: as text, one JSON object a line, or annotations of GitHub (default: text)",
    )
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description=_DESCRIPTION,
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[root, form],
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version of the generator, and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, run, summary, description in (
        ("generate", _generate, "write what the specification gives", _GENERATE),
        ("check", _check, "say whether what is there is what the specification gives", _CHECK),
        ("contract", _contract, "write the package of a contract", _CONTRACT),
        ("describe", _describe, "write the contract of a plugin class", _DESCRIBE),
        ("bundle", _bundle, "print the specification as one document that every AsyncAPI tool shows", _BUNDLE),
        ("schema", _schema, "print the JSON Schema of what the generator reads, for editors", _SCHEMA),
        ("diff", _diff, "say what changed since another version, and whom it breaks", _DIFF),
        ("rules", _rules, "list the rules for specifications, or explain some", _RULES),
        ("completion", _completion, "print a script that completes the command line", _COMPLETION),
    ):
        command = commands.add_parser(
            name,
            help=summary,
            description=description,
            epilog=_STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents={
                _generate: [root, form],
                _check: [root, form],
                _contract: [form],
                _describe: [form],
                _bundle: [root, form],
                _diff: [root, form],
            }.get(run, []),
        )
        command.set_defaults(run=run)
        if run is _check:
            command.add_argument("--diff", action="store_true", help="show what differs")
        elif run is _describe:
            command.add_argument("plugin", metavar="MODULE:CLASS", help="such as lamps.plugins:LampPlugin")
            command.add_argument("--output", type=Path, metavar="FILE", help="the document (default: standard output)")
            command.add_argument("--title", help="what the contract is called (default: as the class, without Plugin)")
            command.add_argument("--version", dest="contract_version", metavar="VERSION", help="(default: 1.0.0)")
        elif run in (_bundle, _schema):
            command.add_argument("--output", type=Path, metavar="FILE", help="write it there")
            if run is _schema:
                command.add_argument("kind", nargs="?", choices=_SCHEMAS, default=_SCHEMAS[0])
        elif run is _diff:
            command.add_argument(
                "--against",
                required=True,
                metavar="REF_OR_DIRECTORY",
                help="the version before: a folder, or else a tag, branch or commit of git",
            )
            command.add_argument("--contract", metavar="FILE", help="compare this contract, and nothing else")
            command.add_argument(
                "--exact", action="store_true", help="count what breaks peers that match schemas exactly, too"
            )
        elif run is _rules:
            command.add_argument("codes", nargs="*", metavar="CODE", help="like ORB208")
        elif run is _completion:
            command.add_argument("shell", choices=completion.SHELLS)
        elif run is _contract:
            command.add_argument("file", type=Path, metavar="FILE", help="the AsyncAPI document")
            command.add_argument(
                "--output", type=Path, metavar="DIR", default=Path(), help="where the package goes (default: here)"
            )
            command.add_argument(
                "--package", metavar="NAME", help="name of the package (default: the contract's title)"
            )
            command.add_argument("--language", choices=("python",), default="python", help="default: python")
    return parser


class _Version(argparse.Action):
    """Prints the version; looking it up takes longer than the rest of the command line."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        try:
            version = metadata.version("orbitalis")
        except metadata.PackageNotFoundError:
            version = "of unknown version, since it is not installed"
        print(f"{_PROGRAM} {version}")
        sys.stdout.flush()
        parser.exit()


def _root(options: argparse.Namespace) -> Path:
    root: Path = getattr(options, "root", Path())
    return root


def _emitted(options: argparse.Namespace) -> tuple[dict[str, bytes], tuple[str, ...] | None]:
    """What the specification and the contracts give, and what is read for that; `None` if something was noted."""
    from orbitalis_codegen.project import load_project

    project = load_project(_root(options))
    output.say_problems(project.notes, options.form, "notice")
    return project.emit(), None if project.notes else project.inputs


def _generate(options: argparse.Namespace) -> int:
    from orbitalis_codegen.lock import locked

    root = _root(options)
    with locked(root, lambda: print(f"{_PROGRAM}: waiting for another one that writes here", file=sys.stderr)):
        return _generate_alone(root, options)


def _generate_alone(root: Path, options: argparse.Namespace) -> int:
    files, inputs = _emitted(options)
    _write(root, files)
    if inputs is not None:
        memo.remember(root, inputs, files)
    return _OK


def _contract(options: argparse.Namespace) -> int:
    from orbitalis_codegen.project import load_one

    try:
        contract, package = load_one(options.file, options.package)
    except ValueError as error:
        raise _CommandError(str(error)) from None
    output.say_problems(contract.notes, options.form, "notice")
    from orbitalis_codegen.emit.contract_python import emit_contract
    from orbitalis_codegen.lock import locked

    # What is there already can be locked, and the rest is made.
    folder: Path = options.output
    root = next(one for one in (folder, *folder.parents, Path()) if one.is_dir())
    inner = folder.relative_to(root).as_posix()
    files = {
        (path if inner == "." else f"{inner}/{path}"): data for path, data in emit_contract(contract, package).items()
    }
    with locked(root, lambda: print(f"{_PROGRAM}: waiting for another one that writes here", file=sys.stderr)):
        _write(root, files)
    return _OK


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    """Write all files, or raise; and say what was done."""
    from orbitalis_codegen.drift import foreign
    from orbitalis_codegen.write import write

    if strangers := foreign(root, files):
        raise _CommandError(
            f"{_shown(strangers[0])} is not a generated file, and this would remove it; "
            f"move it{' and others like it' if len(strangers) > 1 else ''} elsewhere; nothing is written"
        )
    report = write(root, files)
    for line in listed([*(f"wrote {path}" for path in report.written)]):
        print(line)
    for line in listed([f"removed {_shown(path)}" for path in report.removed]):
        print(line)
    print(
        f"{counted(len(report.written), 'file')} written, {len(report.unchanged)} unchanged, "
        f"{len(report.removed)} removed"
    )


def _check(options: argparse.Namespace) -> int:
    root = _root(options)
    known = memo.is_known(root)
    if known is not None:
        print(f"{counted(known, 'file')} as the specification gives them")
        return _OK
    files, inputs = _emitted(options)
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
            print(f"{counted(len(drifts), 'file')} not as the specification gives them; run {_PROGRAM} generate")
        return _DRIFT
    if inputs is not None:
        memo.remember(root, inputs, files)
    print(f"{counted(len(files), 'file')} as the specification gives them")
    return _OK


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
        name = _shown(path)
        for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"):
            print(line, end="" if line.endswith("\n") else "\n\\ No newline at end of file\n")


def _describe(options: argparse.Namespace) -> int:
    from orbitalis_codegen.contract.describe import DEFAULT_VERSION, DescribeError, describe
    from orbitalis_codegen.contract.document import document_of
    from orbitalis_codegen.write import write_one

    try:
        contract = describe(options.plugin, title=options.title, version=options.contract_version or DEFAULT_VERSION)
    except DescribeError as error:
        raise _CommandError(str(error)) from None
    document = document_of(contract)
    path: Path | None = options.output
    # In every form, notes keep out of the way of the document.
    with contextlib.redirect_stdout(sys.stderr if path is None else sys.stdout):
        output.say_problems(contract.notes, options.form, "notice")
    if path is None:
        print(document, end="")
    elif write_one(path, document.encode()):
        print(f"wrote {_shown(str(path))}")
    return _OK


def _bundle(options: argparse.Namespace) -> int:
    from orbitalis_codegen.bundle.document import bundle
    from orbitalis_codegen.specification import load

    root = _root(options)
    model = load(root)
    text = bundle(root, model)
    # Where the document goes to the standard output, what is noted must not come between.
    output.say_problems(model.notes, options.form if options.output else "text", "notice")
    return _hand_over(text, options.output)


def _schema(options: argparse.Namespace) -> int:
    import json

    from orbitalis_codegen.editor.contract import contract_schema
    from orbitalis_codegen.editor.specification import specification_schema

    schema = contract_schema() if options.kind == "contract" else specification_schema()
    return _hand_over(f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n", options.output)


def _hand_over(text: str, target: Path | None) -> int:
    """Write a document to a file, or to the standard output."""
    if target is None:
        output.say_document(text)
    else:
        output.write_whole(target, text)
        print(f"wrote {_shown(str(target))}")
    return _OK


def _diff(options: argparse.Namespace) -> int:
    from orbitalis_codegen.diff.accepted import AcceptanceError
    from orbitalis_codegen.diff.command import run
    from orbitalis_codegen.diff.versions import UnusableVersionError

    try:
        outcome = run(_root(options), options.against, options.contract, options.form, is_exact=options.exact)
    except UnusableVersionError as error:
        raise _CommandError(str(error)) from None
    except AcceptanceError as error:
        for problem in listed(error.problems):
            output.say_trouble(problem, options.form)
        return _UNUSABLE
    for line in outcome.lines:
        print(line)
    if options.form == "text":
        print(outcome.summary)
    return _BREAKING if outcome.is_breaking else _OK


def _rules(options: argparse.Namespace) -> int:
    from orbitalis_codegen.diff.rules import ChangeRule

    codes: list[str] = options.codes
    rules: tuple[Rule | ChangeRule, ...] = (*Rule, *ChangeRule)
    if not codes:
        for rule in rules:
            print(f"{rule.code}  {rule.purpose}")
        return _OK
    from orbitalis_codegen.explanation import explanation

    by_code = {rule.code: rule for rule in rules}
    for code in codes:
        if code.upper() not in by_code:
            from orbitalis_codegen.diagnostic import did_you_mean

            hint = did_you_mean(code.upper(), by_code)
            raise _CommandError(f"there is no rule {code}" + (f": {hint}" if hint else ""))
    print("\n\n".join(explanation(by_code[code.upper()]) for code in codes))
    return _OK


def _completion(options: argparse.Namespace) -> int:
    from orbitalis_codegen.diff.rules import ChangeRule

    shared = ("--root", "--format", "--help")
    commands = {
        "generate": shared,
        "check": (*shared, "--diff"),
        "contract": ("--format", "--help", "--output", "--package", "--language"),
        "describe": ("--format", "--help", "--output", "--title", "--version"),
        "bundle": (*shared, "--output"),
        "schema": ("--help", "--output", *_SCHEMAS),
        "diff": (*shared, "--against", "--contract", "--exact"),
        "rules": ("--help", *(rule.code for rule in (*Rule, *ChangeRule))),
        "completion": ("--help", *completion.SHELLS),
    }
    print(completion.script(options.shell, commands, (*shared, "--version")), end="")
    return _OK


def _shown(path: str) -> str:
    """A path without what no encoding can show, which the name of a stale file may hold."""
    return path.encode(errors="backslashreplace").decode()
