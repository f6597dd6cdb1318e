"""Operations of the document: whose they are, what they carry where, and with which quality of service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.channels import ChannelDraft
from orbitalis_codegen.check.entries import entries
from orbitalis_codegen.check.messages import message_key
from orbitalis_codegen.check.names import Names
from orbitalis_codegen.check.shape import Checker, View, view_of
from orbitalis_codegen.diagnostic import did_you_mean, shown
from orbitalis_codegen.model import ROLES, Operation
from orbitalis_codegen.read.node import Node
from orbitalis_codegen.read.reference import Place
from orbitalis_codegen.rules import Rule

__all__ = ["Binding", "QualityOfService", "read_binding", "read_operations"]

QualityOfService = Literal[0, 1, 2]

_QUALITIES: Final[dict[int | float, QualityOfService]] = {0: 0, 1: 1, 2: 2}


@dataclass(frozen=True, slots=True)
class Binding:
    """How the events of a channel are published."""

    quality_of_service: QualityOfService
    retain: bool


def read_operations(
    checker: Checker, node: Node | None, channels: Mapping[str, ChannelDraft], document: str
) -> tuple[dict[str, Operation], dict[str, Binding]]:
    """The operations in the order of the document, and by channel the binding on which they agree."""
    reader = _Reader(checker, channels, document)
    operations = {
        key: operation
        for key, _, view in entries(
            checker, node, shapes.OPERATIONS, shapes.OPERATION, Names("operation", checker.report)
        )
        if (operation := reader.read(key, view)) is not None
    }
    reader.check_idle_channels()
    return operations, {channel: binding for channel, (binding, _) in reader.bindings.items()}


class _Reader:
    def __init__(self, checker: Checker, channels: Mapping[str, ChannelDraft], document: str) -> None:
        self._checker = checker
        self._report = checker.report
        self._channels = channels
        self._document = document
        self._served: set[str] = set()
        self._is_complete = True
        self.bindings: dict[str, tuple[Binding, str]] = {}
        """By channel the binding of its first operation, and which one that is."""

    def read(self, key: str, view: View) -> Operation | None:
        action = view.one_of("action", ("send", "receive"))
        channel = self._channel(view)
        node = view.get("bindings")
        bindings = None if node is None else self._checker.view(node, shapes.OPERATION_BINDINGS)
        binding = None if bindings is None else read_binding(self._checker, bindings)
        if channel is None:
            self._is_complete = False
        else:
            self._served.add(channel.key)
            if binding is not None:
                self._agree(key, view, channel, binding)
        reply_node = view.get("reply")
        reply = None if reply_node is None else self._checker.view(reply_node, shapes.REPLY)
        reply_channel = None if reply is None else self._channel(reply)
        roles = self._roles(view)
        messages = self._messages(view, channel)
        reply_messages = () if reply is None else self._messages(reply, reply_channel)
        if action is None or channel is None or binding is None:
            return None
        return Operation(
            key=key,
            action="send" if action == "send" else "receive",
            channel=channel.key,
            roles=roles,
            summary=view.text("summary"),
            description=view.text("description"),
            messages=messages,
            reply_channel=None if reply_channel is None else reply_channel.key,
            reply_messages=reply_messages,
            quality_of_service=binding.quality_of_service,
            retain=binding.retain,
        )

    def check_idle_channels(self) -> None:
        """Report every channel without an operation, if every operation says which its channel is."""
        for channel in self._channels.values():
            if self._is_complete and channel.key not in self._served:
                message = f"no operation is about the channel {shown(channel.key)}"
                self._report.add(Rule.IDLE_CHANNEL, channel.position, message)

    def _channel(self, view: View) -> ChannelDraft | None:
        """The channel that an operation or a reply names."""
        node = view.get("channel")
        target = None if node is None else self._checker.resolver.follow(node, shapes.CHANNEL.name)
        if node is None or target is None:
            return None
        match target.places[:1]:
            case (Place(file, ("channels", key)),) if file == self._document:
                return self._channels.get(key)
            case _:
                message = f"the {view.shape.name} does not refer to a channel of the document's own 'channels'"
                self._report.add(Rule.REFERENCE_KIND, node.position, message, "like $ref: '#/channels/name'")
                return None

    def _messages(self, view: View, channel: ChannelDraft | None) -> tuple[str, ...]:
        """Keys of the messages that an operation or a reply names; without any, all of the channel's."""
        if channel is None:
            return ()
        if view.get("messages") is None:
            return tuple(channel.messages.values())
        keys: list[str] = []
        for node in view.items("messages"):
            key = self._message(node, channel, view.shape.name)
            if key in keys:
                self._report.add(Rule.REPEATED_ITEM, node.position, f"the message {shown(key)} is named twice")
            elif key is not None:
                keys.append(key)
        return tuple(keys)

    def _message(self, node: Node, channel: ChannelDraft, what: str) -> str | None:
        """The message that an item of a list refers to, by way of the channel."""
        target = self._checker.resolver.follow(node, shapes.MESSAGE.name)
        if target is None:
            return None
        match target.places[:1]:
            case (Place(file, ("channels", channel.key, "messages", name)),) if file == self._document:
                return channel.messages.get(name)
            case _:
                found = message_key(target, self._document)
                names = [name for name, key in channel.messages.items() if key == found]
                hint = f"write '#/channels/{channel.key}/messages/{names[0]}'" if names else None
                message = f"a message of the {what} is not a reference to one of the channel {shown(channel.key)}"
                self._report.add(Rule.FOREIGN_MESSAGE, node.position, message, hint)
                return None

    def _roles(self, view: View) -> tuple[str, ...]:
        roles: list[str] = []
        items = view.items("tags")
        for node in items:
            tag = self._checker.view(node, shapes.TAG)
            role = None if tag is None else tag.optional_text("name")
            if tag is None or role is None:
                continue
            if role not in ROLES:
                message = f"the tag {shown(role)} of an operation is not a role"
                self._report.add(Rule.ROLE, tag.position_of("name"), message, did_you_mean(role, ROLES))
            elif role in roles:
                self._report.add(Rule.REPEATED_ITEM, node.position, f"the tag {shown(role)} is given twice")
            else:
                roles.append(role)
        if not items and view.get("tags") is not None:
            self._report.add(Rule.ROLE, view.position_of("tags"), "no tag says whose operation it is")
        return tuple(roles)

    def _agree(self, key: str, view: View, channel: ChannelDraft, binding: Binding) -> None:
        first, first_key = self.bindings.setdefault(channel.key, (binding, key))
        if first != binding:
            message = (
                f"{shown(key)} publishes to {shown(channel.key)} with {_described(binding)}, "
                f"{shown(first_key)} with {_described(first)}"
            )
            self._report.add(Rule.CHANNEL_BINDING, view.key_position("bindings"), message, "let them agree")


def read_binding(checker: Checker, bindings: View) -> Binding | None:
    """How bindings of an operation say that events are published; `None` if that cannot be used."""
    mqtt = bindings.get("mqtt")
    view = None if mqtt is None else view_of(mqtt, shapes.MQTT_OPERATION_BINDING, checker.report)
    if view is None:
        return None
    number = view.number("qos")
    # It may be left out, and MQTT then does not retain.
    retain = view.boolean("retain") if "retain" in view.node.members else False
    # 1.0 would pass for 1.
    quality = _QUALITIES.get(number) if isinstance(number, int) else None
    if number is not None and quality is None:
        message = f"the quality of service is {shown(number)}"
        checker.report.add(Rule.MQTT_BINDING, view.position_of("qos"), message, "MQTT knows 0, 1 and 2")
    return None if quality is None or retain is None else Binding(quality, retain)


def _described(binding: Binding) -> str:
    return f"qos {binding.quality_of_service} and retain {shown(binding.retain)}"
