"""YAML with the position of every value: the part of YAML 1.2 that JSON could hold as well, plus comments and aliases.

The tree is built from the parser's events, since its own loaders know YAML 1.1, take the last of two equal keys, follow
any nesting and forget positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from orbitalis_codegen.diagnostic import Position, Report, did_you_mean, shown
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of
from orbitalis_codegen.read.numbers import decimal_number
from orbitalis_codegen.rules import Rule

__all__ = ["DEEPEST_NESTING", "MOST_VALUES", "read_yaml"]

DEEPEST_NESTING = 100
"""Lists and objects within one another."""
MOST_VALUES = 100_000
"""Values of a document, those behind an alias counted wherever the alias stands."""

# The parser in C is 15 times as fast, but not part of every build of PyYAML.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"~|null|Null|NULL|", re.ASCII)
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_MERGE = "<<"
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_yaml(text: str, file: str, report: Report, *, merges: bool = False) -> Node | None:
    """The document's tree, or `None` if it cannot be used; why not is in the `report`.

    With `merges`, the key `<<` takes over the keys of other objects, as in YAML 1.1.
    """
    return _Composer(file, report, merges).compose(text)


class _Mark(Protocol):
    """A position, as both parsers of PyYAML give it: from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


class _Unreadable(Exception):
    """Reading on makes no sense; the reason is reported."""


@dataclass(slots=True)
class _Extent:
    """How large a node is with all its aliases written out."""

    values: int = 1
    depth: int = 0
    """Lists and objects within one another, itself among them."""

    def add(self, inner: _Extent) -> None:
        self.values += inner.values
        self.depth = max(self.depth, inner.depth + 1)


@dataclass(slots=True)
class _Collection:
    """A list or an object that is not complete."""

    is_object: bool
    position: Position
    anchor: str | None
    extent: _Extent = field(default_factory=lambda: _Extent(depth=1))
    items: list[Node] = field(default_factory=list[Node])
    members: dict[str, Node] = field(default_factory=dict[str, Node])
    key_positions: dict[str, Position] = field(default_factory=dict[str, Position])
    key: tuple[str, Position] | None = None

    @property
    def expects_key(self) -> bool:
        return self.is_object and self.key is None

    def node(self) -> Node:
        if self.is_object:
            return ObjectNode(self.members, self.key_positions, self.position)
        return ListNode(tuple(self.items), self.position)


class _Composer:
    def __init__(self, file: str, report: Report, merges: bool) -> None:
        self._file = file
        self._merges = merges
        self._report = report
        self._usable = True
        self._open: list[_Collection] = []
        self._anchors: dict[str, tuple[Node, _Extent]] = {}
        self._documents = 0
        self._root: Node | None = None

    def compose(self, text: str) -> Node | None:
        try:
            for event in self._events(text):
                self._take(event)
        except _Unreadable:
            return None
        if self._root is None:
            self._report.add(Rule.EMPTY_FILE, Position(self._file, 1, 1), "the file is empty, or holds comments only")
        return self._root if self._usable else None

    def _events(self, text: str) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = ": ".join(part for part in (error.context, error.problem) if part)
            hint = None
            if error.context_mark is not None and error.context_mark is not mark:
                begin = self._position(error.context_mark)
                hint = f"what is not complete begins at line {begin.line}, column {begin.column}"
            self._report.add(Rule.YAML_SYNTAX, self._position(mark), message, hint)
            raise _Unreadable from None
        except yaml.YAMLError as error:
            self._report.add(Rule.YAML_SYNTAX, Position(self._file, 1, 1), " ".join(str(error).split()))
            raise _Unreadable from None

    def _position(self, mark: _Mark | None) -> Position:
        return Position(self._file, 1, 1) if mark is None else Position(self._file, mark.line + 1, mark.column + 1)

    def _take(self, event: yaml.Event) -> None:
        position = self._position(event.start_mark)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._stop(Rule.YAML_BEYOND_JSON, position, "a second document begins in the same file")
            case yaml.AliasEvent(anchor=str(name)):
                if name not in self._anchors:
                    message = f"the alias {shown(name)} names no anchor that is complete before it"
                    raise self._stop(Rule.UNKNOWN_ALIAS, position, message, did_you_mean(name, self._anchors))
                self._add(*self._anchors[name], position, None)
            case yaml.ScalarEvent(anchor=anchor):
                self._add(self._scalar(event, position), _Extent(), position, anchor)
            case yaml.SequenceStartEvent(anchor=anchor, tag=tag) | yaml.MappingStartEvent(anchor=anchor, tag=tag):
                if tag is not None:
                    self._note(Rule.YAML_BEYOND_JSON, position, f"the tag {shown(tag)} says nothing here")
                if self._open and self._open[-1].expects_key:
                    raise self._stop(Rule.YAML_BEYOND_JSON, position, "a key is a list or an object, not a text")
                if len(self._open) >= DEEPEST_NESTING:
                    raise self._too_deep(position)
                self._open.append(_Collection(isinstance(event, yaml.MappingStartEvent), position, anchor))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                collection = self._open.pop()
                if self._merges and _MERGE in collection.members:
                    self._merge(collection)
                self._add(collection.node(), collection.extent, collection.position, collection.anchor)
            case _:
                pass

    def _add(self, node: Node, extent: _Extent, position: Position, anchor: str | None) -> None:
        """Put a complete node where it belongs; `position` is where it stands, which for an alias is not its own."""
        if anchor is not None:
            self._anchors[anchor] = (node, extent)
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.expects_key:
            parent.key = (self._key(node, position), position)
            return
        parent.extent.add(extent)
        if len(self._open) + extent.depth > DEEPEST_NESTING:
            raise self._too_deep(position)
        if parent.extent.values > MOST_VALUES:
            message = f"with its aliases written out the document has more than {MOST_VALUES} values"
            raise self._stop(Rule.MANY_VALUES, position, message)
        if parent.key is None:
            parent.items.append(node)
            return
        (key, key_position), parent.key = parent.key, None
        first = parent.key_positions.get(key)
        if first is not None:
            message = f"the key {shown(key)} stands twice in one object"
            self._report.add(Rule.DUPLICATE_KEY, key_position, message, f"it is first given in line {first.line}")
            return
        parent.members[key] = node
        parent.key_positions[key] = key_position

    def _merge(self, collection: _Collection) -> None:
        """Take over the keys of the objects behind the key for merging; those of its own, and of earlier ones, stay."""
        merged = collection.members.pop(_MERGE)
        position = collection.key_positions.pop(_MERGE)
        for item in merged.items if isinstance(merged, ListNode) else (merged,):
            if not isinstance(item, ObjectNode):
                message = f"the key {shown(_MERGE)} takes over {kind_of(item)}, which is no object"
                self._note(Rule.YAML_BEYOND_JSON, position, message)
                return
            for key, member in item.members.items():
                if key not in collection.members:
                    collection.members[key] = member
                    collection.key_positions[key] = item.key_positions[key]

    def _key(self, node: Node, position: Position) -> str:
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ScalarNode):
            message = f"a key is {shown(node.value)}, which is not a text"
            self._note(Rule.YAML_BEYOND_JSON, position, message, "put it in quotes")
        else:
            self._note(Rule.YAML_BEYOND_JSON, position, "a key is a list or an object, not a text")
        return ""

    def _scalar(self, event: yaml.ScalarEvent, position: Position) -> ScalarNode:
        text: str = event.value
        is_key = bool(self._open) and self._open[-1].expects_key
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            self._note(Rule.YAML_BEYOND_JSON, position, f"the tag {shown(event.tag)} says nothing here")
        if _SURROGATE.search(text):
            self._note(Rule.YAML_SYNTAX, position, "an escape gives half of a surrogate pair, which is no character")
        if event.tag is not None or not event.implicit[0]:
            return ScalarNode(text, position)
        if is_key and text == "<<" and not self._merges:
            hint = "write the keys out, or use an alias for the whole object"
            self._note(Rule.YAML_BEYOND_JSON, position, "a merge key (<<) is not part of YAML 1.2", hint)
        return ScalarNode(self._value(text, position), position)

    def _value(self, text: str, position: Position) -> str | int | float | bool | None:
        """What a text without quotes stands for (YAML 1.2, core schema)."""
        if _NULL.fullmatch(text):
            return None
        if _TRUE.fullmatch(text):
            return True
        if _FALSE.fullmatch(text):
            return False
        if _DECIMAL.fullmatch(text):
            number = decimal_number(text)
            if number is None:
                self._note(Rule.NUMBER_RANGE, position, f"64 bits do not hold the number {shown(text)}")
            return number
        if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
            integer = int(text[2:], 8 if text[1] == "o" else 16)
            if integer >= 2**64:
                self._note(Rule.NUMBER_RANGE, position, f"64 bits do not hold the number {shown(text)}")
            return integer
        if _NOT_FINITE.fullmatch(text):
            self._note(Rule.YAML_BEYOND_JSON, position, f"{text} is not a finite number")
        return text

    def _note(self, rule: Rule, position: Position, message: str, hint: str | None = None) -> None:
        """Report what leaves a hole in the tree, about which nothing further should be said."""
        self._usable = False
        self._report.add(rule, position, message, hint)

    def _stop(self, rule: Rule, position: Position, message: str, hint: str | None = None) -> _Unreadable:
        self._report.add(rule, position, message, hint)
        return _Unreadable()

    def _too_deep(self, position: Position) -> _Unreadable:
        return self._stop(Rule.DEEP_NESTING, position, f"values are nested more than {DEEPEST_NESTING} levels deep")
