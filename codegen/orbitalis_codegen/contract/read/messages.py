"""Messages of a contract, before their schemas are looked into."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.check.shape import Checker, View, view_of
from orbitalis_codegen.contract.read import shapes
from orbitalis_codegen.contract.read.traits import with_traits
from orbitalis_codegen.diagnostic import Position
from orbitalis_codegen.read.node import Node, ObjectNode
from orbitalis_codegen.read.reference import Target

__all__ = ["MessageDraft", "Messages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A message whose schemas have not been looked into."""

    identity: int
    """Of the object that defines it: two drafts with one identity are the same message."""
    key: str
    """Its key in the document; empty where it has none."""
    view: View
    has_payload: bool
    is_error: bool

    @property
    def position(self) -> Position:
        """Where it is defined."""
        return self.view.position


class Messages:
    """Reads each message once, however many operations refer to it."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._drafts: dict[int, MessageDraft] = {}

    def read(self, node: Node, key: str) -> MessageDraft | None:
        """The message that `node` is or refers to; `None` if it is none, which is reported.

        The `key` is that under which it is mentioned; it has another one where references lead to.
        """
        target = self._checker.resolver.follow(node)
        if target is None:
            return None
        known = self._drafts.get(id(target.node))
        if known is None:
            view = view_of(target.node, shapes.MESSAGE, self._checker.report)
            if view is None:
                return None
            known = self._drafts[id(target.node)] = self._read(view.node, _key_of(target) or key)
        return known

    def _read(self, node: ObjectNode, key: str) -> MessageDraft:
        view = View(with_traits(self._checker, node, shapes.MESSAGE_TRAIT), shapes.MESSAGE, self._checker.report)
        return MessageDraft(
            identity=id(node),
            key=key or view.text("name"),
            view=view,
            has_payload=view.get("payload") is not None,
            is_error=view.boolean("x-error") or False,
        )


def _key_of(target: Target) -> str:
    """The last key that references have led through, positions in lists left out; empty if there is none."""
    keys = [place.keys[-1] for place in target.places if place.keys and not place.keys[-1].isdecimal()]
    return keys[-1] if keys else ""
