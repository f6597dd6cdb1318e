"""References (`$ref`) between the objects of a document and across its files."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final, NoReturn
from urllib.parse import unquote

from orbitalis_codegen.diagnostic import Position, Report, did_you_mean, shown
from orbitalis_codegen.read.files import SourceFiles
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of
from orbitalis_codegen.rules import Rule

__all__ = ["DATA_KEYS", "LONGEST_CHAIN", "Place", "Resolver", "Target", "is_reference"]

REFERENCE_KEY = "$ref"
DATA_KEYS: Final = ("examples", "default", "const", "enum")
"""Keys whose values are of the document's own making, so that `$ref` is no reference in them."""
LONGEST_CHAIN = 50
"""References that lead from one to the next."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_BAD_ESCAPE = re.compile(r"~(?![01])")
_UNUSABLE_IN_PATH = re.compile(r"[\x00-\x1f\x7f\\?]")

# Where objects of a kind stand in the root document; `*` is any key.
_KINDS: Final[dict[tuple[str, ...], str]] = {
    ("servers", "*"): "server",
    ("channels", "*"): "channel",
    ("channels", "*", "messages", "*"): "message",
    ("channels", "*", "parameters", "*"): "parameter",
    ("operations", "*"): "operation",
    ("operations", "*", "bindings"): "operation bindings",
    ("operations", "*", "reply"): "reply",
    ("operations", "*", "tags", "*"): "tag",
    ("components", "schemas", "*"): "schema",
    ("components", "servers", "*"): "server",
    ("components", "channels", "*"): "channel",
    ("components", "operations", "*"): "operation",
    ("components", "messages", "*"): "message",
    ("components", "messages", "*", "payload"): "schema",
    ("components", "parameters", "*"): "parameter",
    ("components", "replies", "*"): "reply",
    ("components", "operationBindings", "*"): "operation bindings",
    ("components", "tags", "*"): "tag",
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a reference names: a file and the keys that lead to a value in it."""

    file: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(["#", *(key.replace("~", "~0").replace("/", "~1") for key in self.keys)])


@dataclass(frozen=True, slots=True)
class Target:
    """Where references led to."""

    node: Node
    """The value itself, which is no reference."""
    places: tuple[Place, ...]
    """Every place on the way, the last one being that of `node`; empty if no reference was followed."""


class _Unresolved(Exception):
    """A reference leads nowhere; the reason is reported."""


def is_reference(node: Node) -> bool:
    """Whether the node stands for another one."""
    return isinstance(node, ObjectNode) and REFERENCE_KEY in node.members


class Resolver:
    """Follows references, those through and to other references among them.

    For documents of users: keys beside a reference are noted and ignored, and a pointer into a schema file may be the
    name of the type that stands there.
    """

    def __init__(self, files: SourceFiles, document: str, report: Report, *, of_users: bool = False) -> None:
        self._files = files
        self._document = document
        self._report = report
        self._of_users = of_users

    def follow(self, node: Node, kind: str | None = None) -> Target | None:
        """What `node` stands for, which has to be of `kind`; `None` if that is not to be had, which is reported."""
        try:
            return self._follow(node, kind, set())
        except _Unresolved:
            return None

    def _follow(self, node: Node, kind: str | None, passed: set[int]) -> Target:
        places: list[Place] = []
        while isinstance(node, ObjectNode) and REFERENCE_KEY in node.members:
            position = node.members[REFERENCE_KEY].position
            if id(node) in passed:
                self._fail(Rule.REFERENCE_CYCLE, position, "the reference leads back to itself")
            if len(passed) >= LONGEST_CHAIN:
                message = f"the reference leads through more than {LONGEST_CHAIN} others"
                self._fail(Rule.REFERENCE_CYCLE, position, message)
            passed.add(id(node))
            place = self._parse(node)
            node = self._look_up(place, position, passed)
            if kind is not None:
                self._expect_kind(place, kind, position)
            places.append(place)
        return Target(node, tuple(places))

    def _fail(self, rule: Rule, position: Position, message: str, hint: str | None = None) -> NoReturn:
        self._report.add(rule, position, message, hint)
        raise _Unresolved

    def _parse(self, node: ObjectNode) -> Place:
        value = node.members[REFERENCE_KEY]
        for key, position in node.key_positions.items():
            if key != REFERENCE_KEY and self._of_users:
                self._report.note(Rule.REFERENCE_SIBLINGS, position, "keys beside a reference are ignored")
            elif key != REFERENCE_KEY:
                ignored = f"the key {shown(key)} stands beside a reference, where it would be ignored"
                self._report.add(Rule.REFERENCE_SIBLINGS, position, ignored)
        if not isinstance(value, ScalarNode) or not isinstance(value.value, str):
            self._fail(Rule.REFERENCE_SYNTAX, value.position, f"a reference is a text, not {kind_of(value)}")
        path, hash_sign, pointer = value.value.partition("#")
        path, pointer = unquote(path), unquote(pointer)
        if self._of_users and _NAME.fullmatch(pointer):
            # AsyncAPI shows references to types in schema files like 'Users.avsc/#User'.
            path, pointer = path.rstrip("/"), f"/{pointer}"
        message: str | None = None
        if not path and not hash_sign:
            message = "a reference is empty"
        elif _SCHEME.match(path) or path.startswith("//"):
            scheme = path.partition(":")[0].lower()
            what = f"references by {scheme}" if scheme in ("http", "https") else "references to URLs"
            whole = "a contract is made of files of its project"
            if not self._of_users:
                whole = "a specification is made of files below its root"
            message = f"{what} are not supported: {shown(value.value)}; {whole}"
        elif _UNUSABLE_IN_PATH.search(path):
            message = f"{shown(path)} is not a path"
        elif pointer and not pointer.startswith("/"):
            message = f"{shown(pointer)} is not a JSON pointer: it does not begin with '/'"
        elif _BAD_ESCAPE.search(pointer):
            message = f"{shown(pointer)} is not a JSON pointer: '~' is followed by neither 0 nor 1"
        if message is not None:
            hint = "like '#/components/messages/Name' or './schemas/Name.avsc'"
            if self._of_users and _SCHEME.match(path):
                hint = "save what it leads to beside the document, and refer to that file, like './schemas/Name.avsc'"
            self._fail(Rule.REFERENCE_SYNTAX, value.position, message, hint)
        file = value.position.file
        if path:
            file = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
            if path.startswith("/") or not self._files.holds(file):
                where = "the project" if self._of_users else "the root"
                rule = "a contract is made of files below the folder of its project" if self._of_users else None
                self._fail(Rule.REFERENCE_OUTSIDE, value.position, f"{shown(path)} leads out of {where}", rule)
        keys = tuple(key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:])
        return Place(file, keys)

    def _expect_kind(self, place: Place, kind: str, position: Position) -> None:
        if place.file != self._document or (place.keys and place.keys[0].startswith("x-")):
            return
        found = next((name for keys, name in _KINDS.items() if _matches(place.keys, keys)), None)
        if found != kind:
            expected = next((str(Place("", keys)) for keys, name in _KINDS.items() if name == kind), None)
            message = f"{place} is the place of {_with_article(found)}, where {_with_article(kind)} is expected"
            self._fail(Rule.REFERENCE_KIND, position, message, expected and f"expected {expected}")

    def _look_up(self, place: Place, mentioned: Position, passed: set[int]) -> Node:
        node = self._files.read(place.file, mentioned)
        if node is None:
            raise _Unresolved
        if self._of_users and len(place.keys) == 1 and (named := _named_type(node, place.keys[0])) is not None:
            return named
        for depth, key in enumerate(place.keys):
            if is_reference(node):
                node = self._follow(node, None, passed).node
            match node:
                case ObjectNode(members) if key in members:
                    node = members[key]
                case ListNode(items) if key.isascii() and key.isdecimal() and len(key) < 10 and int(key) < len(items):
                    node = items[int(key)]
                case _:
                    known = node.members if isinstance(node, ObjectNode) else ()
                    container = Place(place.file, place.keys[:depth])
                    where = f"{container} of {place.file}" if place.file != mentioned.file else str(container)
                    hint = did_you_mean(key, known)
                    self._fail(Rule.UNKNOWN_REFERENCE, mentioned, f"there is no {shown(key)} in {where}", hint)
        return node


def _named_type(node: Node, name: str) -> Node | None:
    """The Avro type of that name which a file defines, by itself or in a list; `None` if there is none."""
    for item in node.items if isinstance(node, ListNode) else (node,):
        match item:
            case ObjectNode(members={"name": ScalarNode(value=str(own)), "type": _} as members) if name not in members:
                namespace = members.get("namespace")
                full = f"{namespace.value}.{own}" if isinstance(namespace, ScalarNode) else own
                if name in (own, own.rpartition(".")[2], full):
                    return item
            case _:
                pass
    return None


def _matches(keys: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(keys) == len(pattern) and all(part in ("*", key) for key, part in zip(keys, pattern, strict=True))


def _with_article(kind: str | None) -> str:
    if kind is None:
        return "something else"
    if kind.endswith("s"):
        return kind
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
