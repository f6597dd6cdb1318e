"""TOML with the position of every value: the standard library reads the values, and this finds where they stand."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final, TypeAlias, cast

from orbitalis_codegen.diagnostic import Position, Report
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode
from orbitalis_codegen.rules import Rule

__all__ = ["read_toml"]

_Keys: TypeAlias = tuple[str | int, ...]

_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_LINE_BREAK: Final = re.compile(r"\n")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'", re.DOTALL
)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN: Final = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")
"""A number, a boolean, or a date, which may have a space before its time."""
_PLACE_OF_ERROR: Final = re.compile(r"\(at line (\d+), column (\d+)\)$")


def read_toml(text: str, file: str, report: Report) -> ObjectNode | None:
    """The tree of a TOML text, dates as texts; `None` if it cannot be used, which is reported."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE_OF_ERROR.search(str(error))
        end = text.count("\n") + 1, len(text) - text.rfind("\n")
        line, column = (int(found[1]), int(found[2])) if found else end
        message = _PLACE_OF_ERROR.sub("", str(error)).removesuffix("(at end of document)").strip()
        report.add(Rule.TOML_SYNTAX, Position(file, line, column), message)
        return None
    except RecursionError:
        report.add(Rule.DEEP_NESTING, Position(file, 1, 1), "values are nested too deep")
        return None
    places = _Places(text, file)
    places.find()
    return _Tree(places).table(values, (), Position(file, 1, 1))


class _Places:
    """Where keys and values stand in a text that is known to be right."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._offset = 0
        self._line_starts = [0, *(line_break.end() for line_break in _LINE_BREAK.finditer(text))]
        # How many tables each array of tables has so far.
        self._tables: dict[_Keys, int] = {}
        self.keys: dict[_Keys, Position] = {}
        self.values: dict[_Keys, Position] = {}

    def find(self) -> None:
        """Go through the whole text."""
        around: _Keys = ()
        while self._peek():
            position = self._position()
            if self._step("[["):
                keys = self._names("]]")
                array = (*self._table(keys[:-1]), keys[-1])
                number = self._tables.get(array, 0)
                self._tables[array] = number + 1
                around = (*array, number)
                self._note(array, position)
                self._note(around, position)
            elif self._step("["):
                around = self._table(self._names("]"))
                self._note(around, position)
            else:
                self._pair(around)

    def _table(self, names: _Keys) -> _Keys:
        path: _Keys = ()
        for name in names:
            path = (*path, name)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _note(self, path: _Keys, position: Position) -> None:
        self.keys.setdefault(path, position)
        self.values.setdefault(path, position)

    def _pair(self, around: _Keys) -> None:
        position = self._position()
        path = around
        for name in self._names("="):
            path = (*path, name)
            self._note(path, position)
        self._peek()
        self.values[path] = self._position()
        self._value(path)

    def _value(self, path: _Keys) -> None:
        if self._step("["):
            number = 0
            while not self._step("]"):
                self.values[(*path, number)] = self._position()
                self._value((*path, number))
                self._step(",")
                number += 1
        elif self._step("{"):
            while not self._step("}"):
                self._pair(path)
                self._step(",")
        else:
            self._skip(_STRING if self._peek() in ('"', "'") else _PLAIN)

    def _names(self, end: str) -> tuple[str, ...]:
        """The names that dots separate, up to the `end`, which is stepped over."""
        names: list[str] = []
        while not self._step(end):
            if self._peek() in ('"', "'"):
                names.append(str(tomllib.loads(f"key = {self._skip(_STRING)}")["key"]))
            else:
                names.append(self._skip(_BARE))
            self._step(".")
        return tuple(names)

    def _peek(self) -> str:
        """The next character that is neither space nor comment, or nothing at the end."""
        space = _SPACE.match(self._text, self._offset)
        if space is not None:
            self._offset = space.end()
        return self._text[self._offset : self._offset + 1]

    def _step(self, expected: str) -> bool:
        self._peek()
        if not self._text.startswith(expected, self._offset):
            return False
        self._offset += len(expected)
        self._peek()
        return True

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._offset)
        # What is not understood is stepped over: it is only a position that would be wrong.
        text = found.group() if found and found.group() else self._text[self._offset : self._offset + 1]
        self._offset += len(text)
        return text

    def _position(self) -> Position:
        line = bisect_right(self._line_starts, self._offset)
        return Position(self._file, line, self._offset - self._line_starts[line - 1] + 1)


class _Tree:
    """Puts values and their places together."""

    def __init__(self, places: _Places) -> None:
        self._places = places

    def table(self, values: dict[str, object], path: _Keys, around: Position) -> ObjectNode:
        """The object at `path`; what has no place of its own has that of the object around it."""
        position = self._places.values.get(path, around)
        members = {key: self._node(value, (*path, key), position) for key, value in values.items()}
        key_positions = {key: self._places.keys.get((*path, key), position) for key in values}
        return ObjectNode(members, key_positions, position)

    def _node(self, value: object, path: _Keys, around: Position) -> Node:
        position = self._places.values.get(path, around)
        match value:
            case dict():
                return self.table(cast("dict[str, object]", value), path, position)
            case list():
                values = cast("list[object]", value)
                items = (self._node(item, (*path, number), position) for number, item in enumerate(values))
                return ListNode(tuple(items), position)
            case str() | bool() | int() | float():
                return ScalarNode(value, position)
            case _:
                return ScalarNode(str(value), position)
