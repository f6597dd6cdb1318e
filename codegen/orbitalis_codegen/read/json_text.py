"""JSON with the position of every value.

Not read as the YAML that JSON nearly is: that would let comments, single quotes and trailing commas pass, which every
other reader of an Avro schema refuses.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right

from orbitalis_codegen.diagnostic import Position, Report, shown
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode
from orbitalis_codegen.read.numbers import decimal_number
from orbitalis_codegen.read.yaml_text import DEEPEST_NESTING, MOST_VALUES
from orbitalis_codegen.rules import Rule

__all__ = ["read_json"]

_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![0-9A-Za-z.])")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|-Infinity")
_COMMENT = re.compile(r"//|/\*|#")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def read_json(text: str, file: str, report: Report) -> Node | None:
    """The tree of one JSON text, or `None` if it cannot be used; why not is in the `report`."""
    reader = _Reader(text, file, report)
    try:
        return reader.read()
    except _SyntaxProblem as problem:
        report.add(problem.rule, reader.position(problem.offset), problem.message, problem.hint)
        return None


class _SyntaxProblem(Exception):
    def __init__(self, offset: int, message: str, hint: str | None = None, rule: Rule = Rule.JSON_SYNTAX) -> None:
        super().__init__(message)
        self.rule = rule
        self.offset = offset
        self.message = message
        self.hint = hint


class _Reader:
    def __init__(self, text: str, file: str, report: Report) -> None:
        self._text = text
        self._file = file
        self._report = report
        self._offset = 0
        self._values = 0
        self._line_starts = [0, *(line_break.end() for line_break in _LINE_BREAK.finditer(text))]

    def position(self, offset: int) -> Position:
        line = bisect_right(self._line_starts, offset)
        return Position(self._file, line, offset - self._line_starts[line - 1] + 1)

    def read(self) -> Node | None:
        if self._peek() == "":
            self._report.add(Rule.EMPTY_FILE, self.position(0), "the file is empty")
            return None
        node = self._value(0)
        if self._peek() != "":
            raise _SyntaxProblem(self._offset, "expected the end of the file after its one value", self._comment())
        return node

    def _peek(self) -> str:
        """The next character that is not a space, or nothing at the end."""
        space = _SPACE.match(self._text, self._offset)
        if space is not None:
            self._offset = space.end()
        return self._text[self._offset : self._offset + 1]

    def _value(self, depth: int) -> Node:
        character = self._peek()
        self._values += 1
        if self._values > MOST_VALUES:
            message = f"the file has more than {MOST_VALUES} values"
            raise _SyntaxProblem(self._offset, message, rule=Rule.MANY_VALUES)
        if character in ("{", "["):
            if depth >= DEEPEST_NESTING:
                message = f"values are nested more than {DEEPEST_NESTING} levels deep"
                raise _SyntaxProblem(self._offset, message, rule=Rule.DEEP_NESTING)
            return self._object(depth) if character == "{" else self._list(depth)
        position = self.position(self._offset)
        if character == '"':
            return ScalarNode(self._string(), position)
        if number := _NUMBER.match(self._text, self._offset):
            value = decimal_number(number.group())
            if value is None:
                message = f"64 bits do not hold the number {shown(number.group())}"
                raise _SyntaxProblem(self._offset, message, rule=Rule.NUMBER_RANGE)
            self._offset = number.end()
            return ScalarNode(value, position)
        if word := _WORD.match(self._text, self._offset):
            if word.group() not in _WORDS:
                raise _SyntaxProblem(self._offset, f"expected a value, got {shown(word.group())}", _about(word.group()))
            self._offset = word.end()
            return ScalarNode(_WORDS[word.group()], position)
        raise self._unexpected("a value", character)

    def _object(self, depth: int) -> ObjectNode:
        position = self.position(self._offset)
        members: dict[str, Node] = {}
        key_positions: dict[str, Position] = {}
        self._offset += 1
        while self._more("}", is_first=not key_positions):
            key_position = self.position(self._offset)
            if self._peek() != '"':
                raise self._unexpected("a key in double quotes", self._peek())
            key = self._string()
            if self._peek() != ":":
                raise self._unexpected("':' after the key", self._peek())
            self._offset += 1
            value = self._value(depth + 1)
            if key in members:
                message = f"the key {shown(key)} stands twice in one object"
                hint = f"it is first given in line {key_positions[key].line}"
                self._report.add(Rule.DUPLICATE_KEY, key_position, message, hint)
                continue
            members[key] = value
            key_positions[key] = key_position
        return ObjectNode(members, key_positions, position)

    def _list(self, depth: int) -> ListNode:
        position = self.position(self._offset)
        items: list[Node] = []
        self._offset += 1
        while self._more("]", is_first=not items):
            items.append(self._value(depth + 1))
        return ListNode(tuple(items), position)

    def _more(self, end: str, *, is_first: bool) -> bool:
        """Whether another item follows; steps over the comma before it, or over the `end`."""
        character = self._peek()
        if character == end:
            self._offset += 1
            return False
        if is_first:
            return True
        if character != ",":
            raise self._unexpected(f"',' or '{end}'", character)
        comma = self._offset
        self._offset += 1
        if self._peek() == end:
            raise _SyntaxProblem(comma, f"a comma stands before '{end}'", "JSON has no trailing commas; take it away")
        return True

    def _string(self) -> str:
        literal = _STRING.match(self._text, self._offset)
        if literal is None:
            raise _SyntaxProblem(
                self._offset, "a text is not complete on its line, or has an escape that JSON does not know"
            )
        value = json.loads(literal.group()) if "\\" in literal.group() else literal.group()[1:-1]
        if _SURROGATE.search(value):
            raise _SyntaxProblem(self._offset, "an escape gives half of a surrogate pair, which is no character")
        self._offset = literal.end()
        return str(value)

    def _unexpected(self, expected: str, character: str) -> _SyntaxProblem:
        if character == "":
            return _SyntaxProblem(self._offset, f"expected {expected}, but the file ends")
        hint = "JSON has texts in double quotes only" if character == "'" else self._comment()
        return _SyntaxProblem(self._offset, f"expected {expected}, got {shown(character)}", hint)

    def _comment(self) -> str | None:
        return "JSON has no comments" if _COMMENT.match(self._text, self._offset) else None


def _about(word: str) -> str | None:
    if word.lower() in _WORDS or word == "None":
        return f"JSON writes {'null' if word == 'None' else word.lower()}"
    if word in ("NaN", "Infinity", "-Infinity"):
        return "JSON has finite numbers only"
    return "JSON has texts in double quotes only"
