"""Which keys an object has, and typed access to their values; what does not fit is reported.

Every getter gives something to go on with: the rest of the object is worth a look even if one value is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from orbitalis_codegen.diagnostic import LIKE, NEAR, Position, Report, did_you_mean, nearest, shown
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of
from orbitalis_codegen.read.reference import Resolver
from orbitalis_codegen.rules import Rule

__all__ = [
    "ASYNCAPI",
    "ASYNCAPI_OF_USERS",
    "AVRO",
    "AVRO_OF_USERS",
    "Checker",
    "Language",
    "Shape",
    "View",
    "view_of",
]

_EXTENSION = "x-"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BOOLEANS_OF_YAML_1_1 = {"yes": True, "on": True, "y": True, "no": False, "off": False, "n": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The rules that stand for the same kinds of mistakes in AsyncAPI and in Avro."""

    missing: Rule
    unknown: Rule
    wrong_kind: Rule
    noun: str
    """What it calls a key of an object."""
    likeness: float = LIKE
    """How much an unknown key has to be like a known one so that it is taken for that one misspelt, from 0 to 1."""
    meaningful: frozenset[str] | None = None
    """Keys that mean something in another object. Any other unknown one that is not like a known one is ignored, with a
    note; if this is `None`, none is."""


_OF_AVRO = frozenset(
    {
        *("aliases", "default", "fields", "items", "logicalType", "name", "namespace", "order", "precision", "scale"),
        *("size", "symbols", "type", "values"),
    }
)
"""Attributes that mean something to Avro; any other one is metadata of somebody's own."""

ASYNCAPI = Language(missing=Rule.MISSING_KEY, unknown=Rule.UNKNOWN_KEY, wrong_kind=Rule.WRONG_KIND, noun="key")
AVRO = Language(
    missing=Rule.AVRO_MISSING_ATTRIBUTE,
    unknown=Rule.AVRO_UNKNOWN_ATTRIBUTE,
    wrong_kind=Rule.AVRO_WRONG_KIND,
    noun="attribute",
    likeness=NEAR,
    meaningful=_OF_AVRO,
)
# What others add is often like what there is: `minItems` of an array, which has `items`.
ASYNCAPI_OF_USERS = replace(ASYNCAPI, likeness=0.8, meaningful=frozenset())
"""Of documents that were not written for Orbitalis."""
AVRO_OF_USERS = replace(AVRO, likeness=0.8, meaningful=frozenset())
"""Of schemas that were not written for Orbitalis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A kind of object."""

    name: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    unsupported: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys that are valid, but would change what the generated code should do; with what to do instead."""
    any_key: bool = False
    """Whether keys are names that the document chooses."""
    language: Language = ASYNCAPI

    @property
    def known(self) -> tuple[str, ...]:
        """Every key that may be written."""
        return (*self.required, *self.optional)


@dataclass(frozen=True, slots=True)
class Checker:
    """What every check needs: where to report, and how to follow references."""

    report: Report
    resolver: Resolver

    def view(self, node: Node, shape: Shape) -> View | None:
        """The object that `node` is or refers to; `None` if there is none, which is reported."""
        target = self.resolver.follow(node, shape.name)
        return None if target is None else view_of(target.node, shape, self.report)


def view_of(node: Node, shape: Shape, report: Report) -> View | None:
    """The object that `node` is, without following references; `None` if it is none, which is reported."""
    if isinstance(node, ObjectNode):
        return View(node, shape, report)
    report.add(shape.language.wrong_kind, node.position, f"expected an object ({shape.name}), got {kind_of(node)}")
    return None


# The same keys that nobody knows often stand in many objects.
_nearest = lru_cache(maxsize=1000)(nearest)


class View:
    """An object whose keys have been held against its shape."""

    def __init__(self, node: ObjectNode, shape: Shape, report: Report) -> None:
        self.node = node
        self.shape = shape
        self.report = report
        for key in shape.required:
            if key not in node.members:
                message = f"{shape.name} without the {shape.language.noun} {shown(key)}"
                report.add(shape.language.missing, node.position, message)
        for key, position in node.key_positions.items():
            self._check_key(key, position)

    def _check_key(self, key: str, position: Position) -> None:
        shape = self.shape
        if key in shape.unsupported:
            message = f"{shape.name} with the {shape.language.noun} {shown(key)}, which is not supported"
            self.report.add(Rule.UNSUPPORTED, position, message, shape.unsupported[key])
        elif key not in shape.known and not shape.any_key:
            meaningful = shape.language.meaningful
            near = _nearest(key, shape.known, shape.language.likeness)
            # An extension may have any name, but not that of a known one misspelt.
            if key.startswith(_EXTENSION) and not (near or "").startswith(_EXTENSION):
                return
            message = f"{shape.name} with the unknown {shape.language.noun} {shown(key)}"
            if meaningful is not None and key not in meaningful and near is None:
                self.report.note(shape.language.unknown, position, f"{message}, which is ignored")
                return
            self.report.add(shape.language.unknown, position, message, did_you_mean(key, shape.known))

    @property
    def position(self) -> Position:
        """Where the object begins."""
        return self.node.position

    def position_of(self, key: str) -> Position:
        """Where the value of `key` stands, or the object if it has none."""
        node = self.node.members.get(key)
        return self.node.position if node is None else node.position

    def key_position(self, key: str) -> Position:
        """Where `key` itself stands, which unlike its value is not shared by aliases; or the object."""
        return self.node.key_positions.get(key, self.node.position)

    def get(self, key: str) -> Node | None:
        """The value of `key`, whatever it is."""
        return self.node.members.get(key)

    def members(self) -> Iterator[tuple[str, Node]]:
        """All keys with their values, except extensions."""
        return ((key, node) for key, node in self.node.members.items() if not key.startswith(_EXTENSION))

    def optional_text(self, key: str) -> str | None:
        """The text of `key`; `None` without one."""
        node = self.node.members.get(key)
        if node is None:
            return None
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            quotes = isinstance(node, ScalarNode) and node.value is not None
            self._wrong_kind(key, node, "a text", "put it in quotes" if quotes else None)
            return None
        if control := _CONTROL.search(node.value):
            message = f"the text holds the control character U+{ord(control.group()):04X}"
            self.report.add(Rule.UNPRINTABLE_CHARACTER, node.position, message)
            return None
        return node.value

    def text(self, key: str) -> str:
        """The text of `key`, without the space around it; an empty one without any."""
        return (self.optional_text(key) or "").strip()

    def boolean(self, key: str) -> bool | None:
        """The boolean of `key`; `None` without one."""
        node = self.node.members.get(key)
        if node is None:
            return None
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        hint = None
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            meant = _BOOLEANS_OF_YAML_1_1.get(node.value.lower())
            hint = f"in YAML 1.2 that is a text; write {shown(meant)}" if meant is not None else None
        self._wrong_kind(key, node, "true or false", hint)
        return None

    def number(self, key: str) -> int | float | None:
        """The number of `key`; `None` without one."""
        node = self.node.members.get(key)
        if node is None:
            return None
        if isinstance(node, ScalarNode) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return node.value
        self._wrong_kind(key, node, "a number")
        return None

    def items(self, key: str) -> tuple[Node, ...]:
        """The items of the list of `key`; none without one."""
        node = self.node.members.get(key)
        if node is None:
            return ()
        if isinstance(node, ListNode):
            return node.items
        self._wrong_kind(key, node, "a list")
        return ()

    def texts(self, key: str) -> tuple[tuple[str, Position], ...]:
        """The texts in the list of `key`, each with its place; one that is given again is reported and left out."""
        found: dict[str, Position] = {}
        for node in self.items(key):
            if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
                self._wrong_kind(key, node, "a list of texts")
            elif node.value in found:
                self.report.add(Rule.REPEATED_ITEM, node.position, f"{shown(node.value)} is given twice")
            else:
                found[node.value] = node.position
        return tuple(found.items())

    def description(self) -> str:
        """The text of `description`, which has to say something."""
        text = self.optional_text("description")
        if text is not None and not text.strip():
            message = f"the description of the {self.shape.name} is empty"
            self.report.add(Rule.DESCRIPTION, self.position_of("description"), message)
        return (text or "").strip()

    def one_of(self, key: str, known: tuple[str, ...]) -> str | None:
        """The text of `key`, which has to be one of the `known` ones; `None` without one."""
        text = self.optional_text(key)
        if text is None or text in known:
            return text
        message = f"{shown(key)} of {self.shape.name} is {shown(text)}"
        self.report.add(Rule.UNKNOWN_VALUE, self.position_of(key), message, did_you_mean(text, known))
        return None

    def _wrong_kind(self, key: str, node: Node, expected: str, hint: str | None = None) -> None:
        message = f"{shown(key)} of {self.shape.name} is {kind_of(node)}, but {expected} is expected"
        self.report.add(self.shape.language.wrong_kind, node.position, message, hint)
