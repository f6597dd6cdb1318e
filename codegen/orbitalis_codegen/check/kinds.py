"""Kinds of values: each is a check that reports what is not of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from orbitalis_codegen.check.shape import Checker, Shape, view_of
from orbitalis_codegen.diagnostic import did_you_mean, shown
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, kind_of
from orbitalis_codegen.read.reference import is_reference
from orbitalis_codegen.rules import Rule

__all__ = [
    "BOOLEAN",
    "EMAIL",
    "INTEGER",
    "TEXT",
    "URI",
    "Check",
    "a_reference",
    "an_object",
    "anything",
    "by_type",
    "check_members",
    "choice",
    "list_of",
    "map_of",
    "nullable",
    "one_of",
    "shaped",
    "text_like",
]

Check = Callable[[Checker, str, Node], None]
"""Reports a value that is not of a kind, given what it is called."""


def anything(checker: Checker, what: str, node: Node) -> None:
    """Take everything."""


def an_object(checker: Checker, what: str, node: Node) -> None:
    """Take objects, whatever they hold."""
    if not isinstance(node, ObjectNode):
        _refuse(checker, what, node, "an object")


def a_reference(checker: Checker, what: str, node: Node) -> None:
    """Take references, which are followed elsewhere."""
    if not is_reference(node):
        _refuse(checker, what, node, "a reference")


def one_of(expected: str, *classes: type) -> Check:
    """Values of some classes of Python; an object and a list are nodes."""

    def check(checker: Checker, what: str, node: Node) -> None:
        """Report a value that is not of this kind."""
        value = node.value if isinstance(node, ScalarNode) else node
        if type(value) not in classes:
            _refuse(checker, what, node, expected)

    return check


def choice(*values: str | int) -> Check:
    """One of some values."""

    def check(checker: Checker, what: str, node: Node) -> None:
        if not isinstance(node, ScalarNode) or type(node.value) is not type(values[0]):
            _refuse(checker, what, node, "a text" if isinstance(values[0], str) else "an integer")
        elif node.value not in values:
            known = list(map(str, values))
            message = f"{what} is {shown(node.value)}"
            checker.report.add(Rule.UNKNOWN_VALUE, node.position, message, did_you_mean(str(node.value), known))

    return check


def text_like(pattern: str, meaning: str) -> Check:
    """A text that a pattern fits as a whole; `meaning` says what that is."""
    compiled = re.compile(pattern)

    def check(checker: Checker, what: str, node: Node) -> None:
        """Report a value that is not of this kind."""
        TEXT(checker, what, node)
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and not compiled.fullmatch(node.value):
            message = f"{what} is {shown(node.value)}, which is not {meaning}"
            checker.report.add(Rule.UNKNOWN_VALUE, node.position, message)

    return check


def nullable(inner: Check) -> Check:
    """Null, or what another kind takes."""

    def check(checker: Checker, what: str, node: Node) -> None:
        if not isinstance(node, ScalarNode) or node.value is not None:
            inner(checker, what, node)

    return check


def list_of(inner: Check) -> Check:
    """Lists of what another kind takes."""

    def check(checker: Checker, what: str, node: Node) -> None:
        if not isinstance(node, ListNode):
            _refuse(checker, what, node, "a list")
            return
        for item in node.items:
            inner(checker, f"an item of {what}", item)

    return check


def map_of(inner: Check) -> Check:
    """Objects whose keys are names of the document's choice, or a reference."""

    def check(checker: Checker, what: str, node: Node) -> None:
        if is_reference(node):
            return
        an_object(checker, what, node)
        if isinstance(node, ObjectNode):
            for key, member in node.members.items():
                inner(checker, f"{key!r} of {what}", member)

    return check


def shaped(shape: Shape, kinds: Mapping[str, Check]) -> Check:
    """Objects of a shape, or a reference, whose target is looked at where it stands."""

    def check(checker: Checker, what: str, node: Node) -> None:
        view = None if is_reference(node) else view_of(node, shape, checker.report)
        if view is not None:
            check_members(checker, shape.name, view.node, kinds)

    return check


def by_type(name: str, kinds: Mapping[str, Check]) -> Check:
    """Objects whose kind their `type` says, or a reference."""
    known = choice(*kinds)

    def check(checker: Checker, what: str, node: Node) -> None:
        if is_reference(node):
            return
        view = view_of(node, Shape(name=name, required=("type",), any_key=True), checker.report)
        type_ = None if view is None else view.get("type")
        if type_ is not None:
            known(checker, f"'type' of {name}", type_)
            if isinstance(type_, ScalarNode) and isinstance(type_.value, str) and type_.value in kinds:
                kinds[type_.value](checker, what, node)

    return check


def check_members(checker: Checker, name: str, node: ObjectNode, kinds: Mapping[str, Check]) -> None:
    """Hold the values of an object, which is called `name`, against their kinds."""
    for key, kind in kinds.items():
        member = node.members.get(key)
        if member is not None:
            kind(checker, f"{key!r} of {name}", member)


def _refuse(checker: Checker, what: str, node: Node, expected: str) -> None:
    message = f"{what} is {kind_of(node)}, but {expected} is expected"
    is_unquoted = expected == "a text" and isinstance(node, ScalarNode) and node.value is not None
    # In the words of `View`: what that reads as well is reported once.
    checker.report.add(Rule.WRONG_KIND, node.position, message, "put it in quotes" if is_unquoted else None)


TEXT: Final = one_of("a text", str)
"""Texts."""
BOOLEAN: Final = one_of("true or false", bool)
"""Booleans."""
INTEGER: Final = one_of("an integer", int)
"""Integers."""
URI: Final = text_like(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", "a URI")
"""Texts that are URIs, such as the address of a page."""
EMAIL: Final = text_like(r"[^@\s]+@[^@\s]+", "the address of a mailbox")
"""Texts that are addresses of mailboxes."""
