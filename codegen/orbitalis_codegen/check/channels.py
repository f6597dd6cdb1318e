"""Channels of the document: addresses, parameters and messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orbitalis_codegen.check import shapes
from orbitalis_codegen.check.addresses import Address, check_collisions, check_length, read_address
from orbitalis_codegen.check.entries import entries
from orbitalis_codegen.check.messages import message_key
from orbitalis_codegen.check.names import Names
from orbitalis_codegen.check.shape import Checker, View, view_of
from orbitalis_codegen.diagnostic import Position, did_you_mean, shown
from orbitalis_codegen.model import Limit, Parameter
from orbitalis_codegen.read.node import Node
from orbitalis_codegen.read.reference import is_reference
from orbitalis_codegen.rules import Rule

__all__ = ["ChannelDraft", "read_channels"]


@dataclass(frozen=True, slots=True)
class ChannelDraft:
    """A channel without its quality of service, which its operations say."""

    key: str
    address: str
    description: str
    parameters: tuple[Parameter, ...]
    messages: dict[str, str]
    """Keys in `components.messages` by the channel's own keys."""
    position: Position
    """Where its key stands."""


def read_channels(
    checker: Checker,
    node: Node | None,
    messages: Collection[str],
    limits: Mapping[str, Limit],
    document: str,
) -> dict[str, ChannelDraft]:
    """The channels, in the order of the document; `messages` are the keys of those that exist."""
    topic_bytes = limits.get("topic_bytes")
    drafts: dict[str, ChannelDraft] = {}
    addresses: dict[str, Address] = {}
    names = Names("channel", checker.report)
    for key, position, view in entries(checker, node, shapes.CHANNELS, shapes.CHANNEL, names):
        text = view.optional_text("address")
        address = None if text is None else read_address(text, view.position_of("address"), checker.report)
        if address is not None:
            addresses[key] = address
            if topic_bytes is not None and topic_bytes.maximum > 0:
                check_length(address, topic_bytes.maximum, checker.report)
        drafts[key] = ChannelDraft(
            key=key,
            address=text or "",
            description=view.text("description"),
            parameters=_read_parameters(checker, view, address),
            messages=_read_messages(checker, view, messages, document),
            position=position,
        )
    check_collisions(addresses, checker.report)
    return drafts


def _read_parameters(checker: Checker, channel: View, address: Address | None) -> tuple[Parameter, ...]:
    """The parameters in the order of the address."""
    node = channel.get("parameters")
    container = None if node is None else view_of(node, shapes.PARAMETERS, checker.report)
    declared: dict[str, Parameter] = {}
    for key, _, view in entries(checker, node, shapes.PARAMETERS, shapes.PARAMETER, Names("parameter", checker.report)):
        declared[key] = Parameter(
            name=key, description=view.text("description"), unknown=_read_placeholder(checker, view)
        )
    if address is None:
        return ()
    # A parameter with a mistake of its own is declared all the same.
    keys = [] if container is None else [key for key, _ in container.members()]
    for name in address.parameters:
        if name not in keys:
            message = f"the parameter {shown(name)} of the address is not declared under 'parameters'"
            hint = did_you_mean(name, set(keys) - set(address.parameters))
            checker.report.add(Rule.UNDECLARED_PARAMETER, address.position, message, hint)
    for name in keys:
        if container is not None and name not in address.parameters:
            message = f"the parameter {shown(name)} does not stand in the address {shown(address.text)}"
            hint = did_you_mean(name, set(address.parameters) - set(keys))
            checker.report.add(Rule.UNUSED_PARAMETER, container.key_position(name), message, hint)
    return tuple(declared[name] for name in address.parameters if name in declared)


def _read_placeholder(checker: Checker, parameter: View) -> str | None:
    unknown = parameter.optional_text("x-unknown")
    if unknown is not None and (not unknown or not unknown.isprintable() or set(unknown) & set("/+#")):
        message = f"{shown(unknown)} cannot stand in a level of a topic"
        hint = "it is printable, not empty and has none of / + #"
        checker.report.add(Rule.PLACEHOLDER, parameter.position_of("x-unknown"), message, hint)
        return None
    return unknown


def _read_messages(checker: Checker, channel: View, known: Collection[str], document: str) -> dict[str, str]:
    node = channel.get("messages")
    container = None if node is None else view_of(node, shapes.MESSAGES, checker.report)
    messages: dict[str, str] = {}
    if container is None:
        return messages
    for name, member in container.members():
        target = checker.resolver.follow(member, shapes.MESSAGE.name)
        if target is None:
            continue
        key = message_key(target, document) if is_reference(member) else None
        if key is None:
            message = f"the message {shown(name)} is not a reference into 'components.messages'"
            hint = f"define it there, and write $ref: '#/components/messages/{name}'"
            checker.report.add(Rule.INLINE_MESSAGE, member.position, message, hint)
        elif key in messages.values():
            message = f"the message {shown(key)} is already one of the channel's"
            checker.report.add(Rule.REPEATED_ITEM, container.key_position(name), message)
        elif key in known:
            messages[name] = key
    return messages
