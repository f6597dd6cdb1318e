"""Operations of a contract: what each takes, answers with and raises, before schemas are looked into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from orbitalis_codegen.check.names import Names
from orbitalis_codegen.check.shape import Checker, View, view_of
from orbitalis_codegen.contract.read import shapes
from orbitalis_codegen.contract.read.messages import MessageDraft, Messages
from orbitalis_codegen.contract.read.notes import ignore
from orbitalis_codegen.contract.read.traits import with_traits
from orbitalis_codegen.diagnostic import Position, did_you_mean, shown
from orbitalis_codegen.read.node import ListNode, Node
from orbitalis_codegen.rules import Rule

__all__ = ["OperationDraft", "read_operations"]

_LONGEST_KEY: Final = 255
"""Characters, as the protocol allows the name of an operation to have."""
_KEY: Final = re.compile(r"[A-Za-z][\x20-\x22\x24-\x2a\x2c-\x2e\x30-\x7e]*")
"""A letter, then what can be printed, without what separates the levels of topics: `#`, `+` and `/`."""
_MADE_OTHERWISE: Final = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDraft:
    """An operation with its messages."""

    key: str
    view: View
    position: Position
    """Where its key stands."""
    has_input: bool
    inputs: tuple[MessageDraft, ...]
    outputs: tuple[MessageDraft, ...]
    errors: tuple[MessageDraft, ...]


def read_operations(checker: Checker, messages: Messages, document: View) -> tuple[OperationDraft, ...]:
    """The operations in the order of the document."""
    node = document.get("operations")
    target = None if node is None else checker.resolver.follow(node)
    view = None if target is None else view_of(target.node, shapes.OPERATIONS, checker.report)
    if view is None or not any(True for _ in view.members()):
        if node is None or view is not None:
            position = document.position if node is None else node.position
            hint = "operations say what the plugin does: action receive, or send"
            checker.report.add(Rule.CONTRACT_EMPTY, position, "the document has no operations", hint)
        return ()
    reader = _Reader(checker, messages)
    return tuple(
        draft
        for key, member in view.members()
        if (draft := reader.read(key, view.key_position(key), member)) is not None
    )


class _Reader:
    def __init__(self, checker: Checker, messages: Messages) -> None:
        self._checker = checker
        self._report = checker.report
        self._messages = messages
        self._names = Names("operation", checker.report)
        self._channels: dict[int, tuple[MessageDraft, ...] | None] = {}

    def read(self, key: str, position: Position, node: Node) -> OperationDraft | None:
        if self._check_key(key, position):
            self._names.take(_MADE_OTHERWISE.sub("_", key), position)
        target = self._checker.resolver.follow(node)
        plain = None if target is None else view_of(target.node, shapes.OPERATION, self._report)
        if plain is None:
            return None
        merged = with_traits(self._checker, plain.node, shapes.OPERATION_TRAIT)
        view = plain if merged is plain.node else View(merged, shapes.OPERATION, self._report)
        ignore(view, "bindings", "security", "tags", "externalDocs")
        action = view.one_of("action", ("send", "receive"))
        messages = self._messages_of(view, key)
        if action is None or messages is None:
            return None
        return (
            self._sent(key, view, position, messages)
            if action == "send"
            else self._called(key, view, position, messages)
        )

    def _check_key(self, key: str, position: Position) -> bool:
        if _KEY.fullmatch(key) and len(key) <= _LONGEST_KEY:
            return True
        message = f"the key {shown(key)} names a method and, in topics, the operation, and cannot be a name there"
        hint = f"a letter first; no '/', '+' or '#'; ASCII only; at most {_LONGEST_KEY} characters"
        self._report.add(Rule.UNUSABLE_KEY, position, message, hint)
        return False

    def _called(self, key: str, view: View, position: Position, messages: tuple[MessageDraft, ...]) -> OperationDraft:
        if view.one_of("x-input", ("empty",)) is not None:
            if not view.items("messages"):
                messages = ()
            else:
                message = f"the operation {shown(key)} lists the messages that it takes, and says that it takes none"
                self._report.add(
                    Rule.CONTRACT_EMPTY_INPUT, view.position_of("x-input"), message, "leave out one of them"
                )
        replies = self._replies(view, key) or ()
        errors = tuple(message for message in replies if message.is_error)
        for error in errors:
            if not error.has_payload:
                message = f"the declared error {shown(error.key or key)} has no payload"
                self._report.add(
                    Rule.CONTRACT_ERROR, error.position, message, "give it a record, which says what failed"
                )
        return OperationDraft(
            key=key,
            view=view,
            position=position,
            has_input=True,
            inputs=self._alternatives(key, messages),
            outputs=self._alternatives(key, tuple(message for message in replies if not message.is_error)),
            errors=errors,
        )

    def _sent(self, key: str, view: View, position: Position, messages: tuple[MessageDraft, ...]) -> OperationDraft:
        if view.get("x-input") is not None:
            message = f"the operation {shown(key)} is not called: its action is 'send'"
            self._report.add(Rule.CONTRACT_EMPTY_INPUT, view.position_of("x-input"), message, "take 'x-input' away")
        if view.get("reply") is not None:
            note = "replies to what a plugin sends are ignored: an output is not answered"
            self._report.note(Rule.CONTRACT_IGNORED, view.key_position("reply"), note)
        outputs = tuple(message for message in messages if message.has_payload)
        if not messages:
            message = f"the operation {shown(key)} sends no message"
            hint = "list the messages in its channel"
            self._report.add(Rule.CONTRACT_NO_PAYLOAD, position, message, hint)
        for draft in messages:
            if not draft.has_payload:
                message = f"the operation {shown(key)} sends a message without a payload"
                hint = "give it one, such as a record without fields"
                self._report.add(Rule.CONTRACT_NO_PAYLOAD, draft.position, message, hint)
        return OperationDraft(
            key=key, view=view, position=position, has_input=False, inputs=(), outputs=outputs, errors=()
        )

    def _alternatives(self, key: str, messages: tuple[MessageDraft, ...]) -> tuple[MessageDraft, ...]:
        """The messages that have a payload; one without stands for nothing, and alone."""
        found = tuple(message for message in messages if message.has_payload)
        for draft in messages if found else ():
            if not draft.has_payload:
                message = f"the operation {shown(key)} has this message without a payload beside others with one"
                hint = "give it a payload, such as a record without fields"
                self._report.add(Rule.CONTRACT_NO_PAYLOAD, draft.position, message, hint)
        return found

    def _replies(self, view: View, key: str) -> tuple[MessageDraft, ...] | None:
        node = view.get("reply")
        target = None if node is None else self._checker.resolver.follow(node)
        reply = None if target is None else view_of(target.node, shapes.REPLY, self._report)
        if reply is None:
            return None
        ignore(reply, "address")
        return self._messages_of(reply, key)

    def _messages_of(self, view: View, key: str) -> tuple[MessageDraft, ...] | None:
        """The messages of an operation or a reply, its own or all of its channel; `None` if some cannot be used."""
        node = view.get("channel")
        of_channel = () if node is None else self._channel(node)
        if view.get("messages") is None:
            return of_channel
        is_complete = isinstance(view.get("messages"), ListNode)
        known = None if node is None or of_channel is None else {message.identity for message in of_channel}
        found: dict[int, MessageDraft] = {}
        for item in view.items("messages"):
            draft = self._messages.read(item, "")
            if draft is None:
                is_complete = False
                continue
            if known is not None and draft.identity not in known:
                message = f"the message {shown(draft.key)} of the operation {shown(key)} is not one of its channel"
                keys = [other.key for other in of_channel or ()]
                self._report.add(Rule.FOREIGN_MESSAGE, item.position, message, did_you_mean(draft.key, keys))
            found[draft.identity] = draft
        return tuple(found.values()) if is_complete else None

    def _channel(self, node: Node) -> tuple[MessageDraft, ...] | None:
        """The messages of a channel; `None` if it or one of them cannot be used, which is reported."""
        target = self._checker.resolver.follow(node)
        if target is None:
            return None
        if id(target.node) not in self._channels:
            view = view_of(target.node, shapes.CHANNEL, self._report)
            self._channels[id(target.node)] = None if view is None else self._of_channel(view)
        return self._channels[id(target.node)]

    def _of_channel(self, channel: View) -> tuple[MessageDraft, ...] | None:
        ignore(channel, "address", "parameters", "servers", "bindings", "tags", "externalDocs")
        node = channel.get("messages")
        if node is None:
            return ()
        target = self._checker.resolver.follow(node)
        view = None if target is None else view_of(target.node, shapes.CHANNEL_MESSAGES, self._report)
        if view is None:
            return None
        drafts = [self._messages.read(member, key) for key, member in view.members()]
        found = {draft.identity: draft for draft in drafts if draft is not None}
        return tuple(found.values()) if None not in drafts else None
