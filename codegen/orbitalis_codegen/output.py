"""What the command says: problems in the form that is asked for, lists that end, and no trouble with closed outputs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Final, Literal

from orbitalis_codegen.diagnostic import MOST_SHOWN, Diagnostic, Position

__all__ = [
    "FORMATS",
    "Format",
    "annotation",
    "counted",
    "give_up_output",
    "listed",
    "open_outputs",
    "say",
    "say_difference",
    "say_document",
    "say_problems",
    "say_trouble",
    "shown",
]

Format = Literal["text", "json", "github"]
FORMATS: Final[tuple[Format, ...]] = ("text", "json", "github")


def open_outputs() -> None:
    """Give the process a place to write to where it has none, and let it write what its encoding does not know.

    The outputs of a process may be closed from its start, and their encoding is that of its locale.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 # For as long as the process.
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up_output() -> None:
    """Let nothing more be written to a standard output that takes no more: Python would try once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_document(text: str) -> None:
    """Write a document to the standard output; whatever the encoding of that is, a document is UTF-8."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())


def listed(lines: Sequence[str]) -> list[str]:
    """The first lines of a list, and how many more there are."""
    rest = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"... and {rest} more"] if rest > 0 else [])]


def counted(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shown(path: str) -> str:
    """A path without what no encoding can show, which the name of a file may hold."""
    return path.encode(errors="backslashreplace").decode()


def say(text: str, form: Format) -> None:
    """Say how it went: to the standard output, on which nothing but JSON stands where JSON is asked for."""
    print(text, file=sys.stderr if form == "json" else sys.stdout)


def say_problems(found: Iterable[Diagnostic], form: Format, level: Literal["error", "notice"] = "error") -> None:
    """Say what is wrong with a specification: as text to the standard error, else to the standard output."""
    lines = [_line(one, form, level) for one in found]
    if form == "text":
        for line in listed(lines):
            print(line, file=sys.stderr)
    else:
        for line in lines[:MOST_SHOWN]:
            print(line)


def say_trouble(message: str, form: Format) -> None:
    """Say why the command cannot do what it should, apart from the specification."""
    match form:
        case "text":
            print(f"orbitalis-codegen: {message}", file=sys.stderr)
        case "json":
            print(json.dumps({"level": "error", "code": None, "message": message}))
        case "github":
            print(f"::error title=orbitalis-codegen::{_escaped(message)}")


def say_difference(path: str, text: str, form: Format, patch: str | None = None) -> None:
    """Say what is the matter with a file as a whole, and in JSON what is different; its path can be shown."""
    match form:
        case "text":
            print(f"{path}: {text}", file=sys.stderr)
        case "json":
            told = {"level": "error", "file": path, "code": None, "message": text}
            print(json.dumps(told if patch is None else {**told, "diff": patch}))
        case "github":
            print(f"::error file={_escaped_property(path)},title=orbitalis-codegen::{_escaped(text)}")


def _line(found: Diagnostic, form: Format, level: Literal["error", "notice"]) -> str:
    at = found.position
    match form:
        case "text":
            return str(found) if level == "error" else f"note: {found}"
        case "json":
            place = {"file": at.file, "line": at.line, "column": at.column}
            return json.dumps(
                {"level": level, **place, "code": found.code, "message": found.message, "hint": found.hint}
            )
        case "github":
            text = found.message if found.hint is None else f"{found.message}\nhint: {found.hint}"
            return annotation(level, at, found.code, text)


def annotation(level: Literal["error", "notice"], at: Position, title: str, text: str) -> str:
    """An annotation of a workflow of GitHub."""
    place = f"file={_escaped_property(at.file)},line={at.line},col={at.column}"
    return f"::{level} {place},title={title}::{_escaped(text)}"


def _escaped(text: str) -> str:
    """A text as a workflow command of GitHub holds it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
