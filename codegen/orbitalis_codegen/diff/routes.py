"""Channels and operations of two versions of the protocol: who sends what where, and how it is delivered."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orbitalis_codegen.diff.collected import Collected, only
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.model import Channel, Model, Operation

__all__ = ["compare_channels", "compare_operations"]

_PARAMETER = re.compile(r"\{[^{}]*\}")


def compare_channels(old: Model, new: Model, found: Collected) -> dict[str, str]:
    """Note what changed in channels; return the new key of each old one that there still is."""
    kept = {key: key for key in old.channels if key in new.channels}
    by_address = {channel.address: key for key, channel in only(new.channels, old.channels)}
    for key, channel in only(old.channels, new.channels):
        renamed = by_address.pop(channel.address, None)
        if renamed is None:
            message = f"the channel {key} is gone"
            keys = ("channels", key)
            affected = "peers of the old version that use it"
            found.add(ChangeRule.CHANNEL_REMOVED, Level.WIRE, keys, message, was=channel.address, affected=affected)
            continue
        kept[key] = renamed
        message = f"the channel {renamed} was called {key}"
        keys, old_keys = ("channels", renamed), ("channels", key)
        affected = "programs that use its generated names"
        rule = ChangeRule.CHANNEL_RENAMED
        found.add(rule, Level.SOURCE, keys, message, was=key, now=renamed, affected=affected, old_keys=old_keys)
    for key, channel in only(new.channels, old.channels):
        if key not in kept.values():
            keys = ("channels", key)
            found.add(ChangeRule.CHANNEL_ADDED, Level.NONE, keys, f"the channel {key} is new", now=channel.address)
    for key, now in kept.items():
        _channel(old, new, old.channels[key], new.channels[now], found)
    return kept


def _channel(old: Model, new: Model, before: Channel, after: Channel, found: Collected) -> None:
    keys, old_keys = ("channels", after.key), ("channels", before.key)
    _address(before, after, found)
    named = {parameter.name: parameter for parameter in before.parameters}
    for parameter in after.parameters:
        other = named.get(parameter.name)
        if other is not None and other.unknown != parameter.unknown:
            message = f"an unknown {parameter.name} of {after.key} is {parameter.unknown!r} and was {other.unknown!r}"
            found.add(
                ChangeRule.PLACEHOLDER_CHANGED,
                Level.WIRE,
                (*keys, "parameters", parameter.name, "x-unknown"),
                message,
                was=other.unknown or "",
                now=parameter.unknown or "",
                affected="peers of either version that are told such a topic",
                old_keys=(*old_keys, "parameters", parameter.name, "x-unknown"),
            )
    names = _identities(before.messages, old, new), _identities(after.messages, new, old)
    for name, key in only(names[0], names[1]):
        message = f"the channel {after.key} no longer carries {key}"
        affected = f"peers of the old version that send {key} there, or wait for it"
        rule = ChangeRule.CHANNEL_MESSAGE_REMOVED
        found.add(rule, Level.WIRE, (*keys, "messages", key), message, was=name, affected=affected)
    for name, key in only(names[1], names[0]):
        message = f"the channel {after.key} carries {key} as well"
        found.add(ChangeRule.CHANNEL_MESSAGE_ADDED, Level.NONE, (*keys, "messages", key), message, now=name)


def _identities(messages: Sequence[str], model: Model, other: Model) -> dict[str, str]:
    """Return the keys of messages by what they are known by in both versions: the key, or else the name on the wire."""
    return {key if key in other.messages else model.messages[key].name or key: key for key in messages}


def _address(before: Channel, after: Channel, found: Collected) -> None:
    if before.address == after.address:
        return
    keys, old_keys = ("channels", after.key, "address"), ("channels", before.key, "address")
    was, now = ([parameter.name for parameter in channel.parameters] for channel in (before, after))
    is_same = _PARAMETER.sub("{}", before.address) == _PARAMETER.sub("{}", after.address)
    is_swapped = sorted(was) == sorted(now)
    rule, level = ChangeRule.ADDRESS_CHANGED, Level.WIRE
    message = f"the address of {after.key} is {after.address} and was {before.address}"
    affected = "new peers with old ones: each publishes where the other one does not listen"
    if is_same and not is_swapped:
        rule, level = ChangeRule.PARAMETER_RENAMED, Level.SOURCE
        message = f"the parameters of {after.key} are called {', '.join(now)} and were {', '.join(was)}"
        affected = "programs that name arguments, and access lists that are made from parameters"
    found.add(rule, level, keys, message, was=before.address, now=after.address, affected=affected, old_keys=old_keys)


def compare_operations(old: Model, new: Model, channels: dict[str, str], found: Collected) -> None:
    """Note what changed in operations; `channels` has the new key of each old channel."""
    kept = {key: key for key in old.operations if key in new.operations}
    free = dict(only(new.operations, old.operations))
    for key, operation in only(old.operations, new.operations):
        renamed = next((other for other, one in free.items() if _is_same(operation, one, channels)), None)
        keys = ("operations", renamed or key)
        if renamed is None:
            who = " and ".join(f"{role}s" for role in operation.roles) or "peers"
            message = f"the operation {key} is gone: {who} no longer {operation.action} on {operation.channel}"
            affected = "peers of the old version on the other side of it"
            found.add(ChangeRule.OPERATION_REMOVED, Level.WIRE, keys, message, was=key, affected=affected)
            continue
        kept[key] = renamed
        del free[renamed]
        message = f"the operation {renamed} was called {key}"
        affected = "programs and documents that name it"
        old_keys = ("operations", key)
        rule = ChangeRule.OPERATION_RENAMED
        found.add(rule, Level.SOURCE, keys, message, was=key, now=renamed, affected=affected, old_keys=old_keys)
    for key in free:
        keys = ("operations", key)
        found.add(ChangeRule.OPERATION_ADDED, Level.NONE, keys, f"the operation {key} is new", now=key)
    for key, now in kept.items():
        _Operations(old, new, old.operations[key], new.operations[now], channels, found).compare()


def _is_same(old: Operation, new: Operation, channels: dict[str, str]) -> bool:
    return (old.action, channels.get(old.channel), old.roles) == (new.action, new.channel, new.roles)


class _Operations:
    """Compares one operation in two versions."""

    def __init__(
        self, old: Model, new: Model, before: Operation, after: Operation, channels: dict[str, str], found: Collected
    ) -> None:
        self._models = old, new
        self._before = before
        self._after = after
        self._channels = channels
        self._found = found

    def compare(self) -> None:
        """Note what changed."""
        before, after = self._before, self._after
        key = after.key
        if before.action != after.action:
            message = f"{key} is to {after.action} and was to {before.action}"
            affected = "peers of either version with those of the other one: both send, or both wait"
            self._add(
                ChangeRule.ACTION_CHANGED, Level.WIRE, ("action",), message, before.action, after.action, affected
            )
        if self._channels.get(before.channel) != after.channel:
            message = f"{key} is about the channel {after.channel} and was about {before.channel}"
            affected = "new peers with old ones: one publishes where the other one does not listen"
            rule = ChangeRule.OPERATION_MOVED
            self._add(rule, Level.WIRE, ("channel",), message, before.channel, after.channel, affected)
        self._roles()
        self._delivery()
        self._replies()
        was, now = self._known(before.messages, after.messages)
        # A message that the channel has lost as well, or has got, is told there.
        channels = self._models[0].channels[before.channel], self._models[1].channels[after.channel]
        carried = self._known(channels[0].messages, channels[1].messages)
        for name, message_key in only(was, now):
            if name in carried[1]:
                level, affected = self._of_lost_message()
                message = f"{key} no longer {after.action}s {message_key}"
                rule = ChangeRule.OPERATION_MESSAGE_REMOVED
                self._add(rule, level, ("messages",), message, name, "", affected)
        for name, message_key in only(now, was):
            if name in carried[0]:
                message = f"{key} {after.action}s {message_key} as well"
                self._add(ChangeRule.OPERATION_MESSAGE_ADDED, Level.NONE, ("messages",), message, "", name, "")

    def _known(self, before: Sequence[str], after: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        old, new = self._models
        return _identities(before, old, new), _identities(after, new, old)

    def _of_lost_message(self) -> tuple[Level, str]:
        """Return how bad it is that an operation is no longer about a message, and for whom."""
        if self._after.action == "receive":
            return Level.WIRE, "peers of the old version that send it: nobody of the new version takes it"
        return Level.BEHAVIOUR, "peers of the old version that wait for it"

    def _roles(self) -> None:
        for role in self._before.roles:
            if role not in self._after.roles:
                message = f"{self._after.key} is no longer an operation of {role}s"
                affected = f"{role}s of the old version: a broker with the new access lists refuses it"
                self._add(ChangeRule.ROLE_REMOVED, Level.WIRE, ("tags",), message, role, "", affected)
        for role in self._after.roles:
            if role not in self._before.roles:
                message = f"{self._after.key} is an operation of {role}s as well"
                self._add(ChangeRule.ROLE_ADDED, Level.NONE, ("tags",), message, "", role, "")

    def _delivery(self) -> None:
        before, after = self._before, self._after
        was, now = before.quality_of_service, after.quality_of_service
        if was != now:
            rule = ChangeRule.QOS_RAISED if now > was else ChangeRule.QOS_LOWERED
            message = f"the quality of service of {after.key} is {now} and was {was}"
            effect = "more packets for each event" if now > was else "events that were delivered may be lost"
            affected = f"peers of either version with those of the other one: {effect}"
            self._add(rule, Level.BEHAVIOUR, ("bindings", "mqtt", "qos"), message, was, now, affected)
        if before.retain != after.retain:
            rule = ChangeRule.RETAIN_SET if after.retain else ChangeRule.RETAIN_CLEARED
            message = f"what {after.key} {after.action}s is {'retained' if after.retain else 'no longer retained'}"
            affected = "peers of either version that subscribe later"
            retained = before.retain, after.retain
            self._add(rule, Level.BEHAVIOUR, ("bindings", "mqtt", "retain"), message, *retained, affected)

    def _replies(self) -> None:
        before, after = self._before, self._after
        was, now = before.reply_channel, after.reply_channel
        if was is None and now is None:
            return
        if was is None or now is None:
            rule = ChangeRule.REPLY_ADDED if was is None else ChangeRule.REPLY_REMOVED
            message = f"{after.key} {'has a reply' if was is None else 'has no reply any more'}: {now or was}"
            affected = "peers of the new version that wait for the reply of old ones"
            if now is None:
                affected = "peers of the old version that wait for the reply of new ones"
            self._add(rule, Level.BEHAVIOUR, ("reply",), message, was or "", now or "", affected)
            return
        if self._channels.get(was) != now:
            message = f"the reply to {after.key} comes on {now} and came on {was}"
            affected = "peers of either version that wait for the reply of the other one"
            self._add(ChangeRule.REPLY_MOVED, Level.BEHAVIOUR, ("reply", "channel"), message, was, now, affected)
        replies = self._known(before.reply_messages, after.reply_messages)
        for name, key in only(replies[0], replies[1]):
            message = f"the reply to {after.key} is no longer {key}"
            affected = "peers of the old version that wait for it"
            rule = ChangeRule.REPLY_MESSAGE_REMOVED
            self._add(rule, Level.BEHAVIOUR, ("reply", "messages"), message, name, "", affected)
        for name, key in only(replies[1], replies[0]):
            message = f"the reply to {after.key} may be {key} as well"
            affected = "peers of the old version, which do not take it for a reply"
            rule = ChangeRule.REPLY_MESSAGE_ADDED
            self._add(rule, Level.BEHAVIOUR, ("reply", "messages"), message, "", name, affected)

    def _add(
        self,
        rule: ChangeRule,
        level: Level,
        keys: Sequence[str],
        message: str,
        was: object,
        now: object,
        affected: str,
    ) -> None:
        self._found.add(
            rule,
            level,
            ("operations", self._after.key, *keys),
            message,
            was=was,
            now=now,
            affected=affected,
            old_keys=("operations", self._before.key, *keys),
        )
