"""What is wrong with a specification, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orbitalis_codegen.rules import Rule

__all__ = [
    "LIKE",
    "MOST_SHOWN",
    "NEAR",
    "Diagnostic",
    "Position",
    "Report",
    "SpecificationError",
    "did_you_mean",
    "nearest",
    "printable",
    "shown",
]

_LONGEST_SHOWN = 80
"""Characters of a value that a message repeats."""
MOST_SHOWN = 50
"""Lines of a list."""
LIKE = 0.6
"""How much a name has to be like another one so that it is asked whether that is meant, from 0 to 1."""
NEAR = 0.75
"""How much a name has to be like a known one so that it is taken for that one misspelt, from 0 to 1."""
_LONGEST_COMPARED = 200
"""Characters of a name for which a nearest one is looked for; comparing takes the square of them."""
_MOST_COMPARED = 1000
"""Names among which a nearest one is looked for; of more, only one that differs in upper and lower case is found."""
_MOST_FOUND = 1000
"""Problems after which no further ones are looked for."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file of the specification."""

    file: str
    """Path relative to the root, with `/`."""
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem."""

    position: Position
    rule: Rule
    """The rule that is broken."""
    message: str
    hint: str | None = None
    """What to do about it, where that can be told."""

    @property
    def code(self) -> str:
        """Stable identifier of the rule."""
        return self.rule.code

    def __str__(self) -> str:
        line = printable(f"{self.position}: {self.code} {self.message}")
        return line if self.hint is None else f"{line}\n    hint: {printable(self.hint)}"


class SpecificationError(Exception):
    """A specification that cannot be used."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(map(str, diagnostics[:MOST_SHOWN])))
        self.diagnostics = diagnostics
        """Every problem that was found. One that may cause others comes before them, then files, lines and columns."""


class Report:
    """Collects what is found, each problem once."""

    def __init__(self) -> None:
        # A node that is reached on several ways (an alias, a reference) is looked at several times.
        self._found: dict[Diagnostic, None] = {}
        self._notes: dict[Diagnostic, None] = {}
        self._files: set[str] = set()

    def add(self, rule: Rule, position: Position, message: str, hint: str | None = None) -> None:
        """Note that `rule` is broken at `position`.

        Raises SpecificationError, with every problem, if there are so many that looking for more would only take time.
        """
        self._found[Diagnostic(position, rule, message, hint)] = None
        self._files.add(position.file)
        if len(self._found) >= _MOST_FOUND:
            raise self.error()

    def note(self, rule: Rule, position: Position, message: str) -> None:
        """Note what is no problem, but may not be meant: something at `position` is ignored."""
        self._notes[Diagnostic(position, rule, message)] = None

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """What was noted without being a problem, sorted by position."""
        return tuple(sorted(self._notes, key=_place))

    def touches(self, file: str) -> bool:
        """Whether there is any problem in `file`."""
        return file in self._files

    def __bool__(self) -> bool:
        """Whether there is any problem."""
        return bool(self._found)

    def error(self) -> SpecificationError:
        """Every problem: causes before their consequences, then sorted by position."""
        return SpecificationError(tuple(sorted(self._found, key=lambda found: (found.rule.stage, *_place(found)))))


def _place(found: Diagnostic) -> tuple[Position, str]:
    return found.position, found.code


def printable(line: str) -> str:
    """Keep a line one line, and a terminal from taking a part of it for a command."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)


def shown(value: object) -> str:
    """A value of the specification as a message repeats it: on one line, printable and not too long."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def nearest(name: str, known: Iterable[str], likeness: float = LIKE) -> str | None:
    """The one of the `known` names that `name` most probably is meant to be, if it is like it, on a scale to 1."""
    if len(name) > _LONGEST_COMPARED:
        return None
    # Importing it takes long, and is not needed where nothing is wrong.
    import difflib

    names = sorted(known)
    for candidate in names:
        if candidate.casefold() == name.casefold():
            return candidate
    if len(names) > _MOST_COMPARED:
        return None
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=likeness)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The hint that names the nearest of the `known` names, or all of them if they are few."""
    names = sorted(known)
    near = nearest(name, names)
    if near is not None:
        return f"did you mean {shown(near)}?"
    if len(names) > _LONGEST_SHOWN:
        return None
    everything = ", ".join(map(shown, names))
    return f"known: {everything}" if 0 < len(everything) <= _LONGEST_SHOWN else None
