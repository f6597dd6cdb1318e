"""Two versions of the protocol: all that changed, and whom that affects."""

from __future__ import annotations

from orbitalis_codegen.diff.change import Change
from orbitalis_codegen.diff.collected import Collected, both, only
from orbitalis_codegen.diff.growth import Carrier, compare_growth
from orbitalis_codegen.diff.places import Places
from orbitalis_codegen.diff.routes import compare_channels, compare_operations
from orbitalis_codegen.diff.rules import ChangeRule, Level
from orbitalis_codegen.diff.schemas import Spot
from orbitalis_codegen.diff.settings import compare_numbers, compare_requirements, compare_states
from orbitalis_codegen.model import ROLES, Message, Model

__all__ = ["compare_models"]


def compare_models(old: Model, new: Model, before: Places, after: Places) -> list[Change]:
    """Return what changed between two versions of the protocol; the places are theirs."""
    found = Collected(before, after)
    _version(old, new, found)
    channels = compare_channels(old, new, found)
    compare_operations(old, new, channels, found)
    _messages(old, new, found)
    _classes(old, new, found)
    compare_numbers(old, new, found)
    compare_states(old, new, found)
    compare_requirements(old, new, found)
    return found.changes


def _version(old: Model, new: Model, found: Collected) -> None:
    was, now = (tuple(map(int, model.version.split("."))) for model in (old, new))
    message = f"the version is {new.version} and was {old.version}"
    rule, level, affected = ChangeRule.VERSION_RAISED, Level.NONE, ""
    if was[0] != now[0]:
        rule, level = ChangeRule.OTHER_PROTOCOL, Level.WIRE
        affected = "new peers with old ones: neither takes messages of the other one"
    elif now < was:
        rule, level = ChangeRule.VERSION_LOWERED, Level.BEHAVIOUR
        affected = "peers that go by the version"
    if was != now:
        keys = ("info", "version")
        found.add(rule, level, keys, message, was=old.version, now=new.version, affected=affected)


def _messages(old: Model, new: Model, found: Collected) -> None:
    kept = {key: key for key in old.messages if key in new.messages}
    free = {message.name: key for key, message in only(new.messages, old.messages) if message.name is not None}
    for key, message in only(old.messages, new.messages):
        renamed = free.pop(message.name, None) if message.name is not None else None
        keys = ("components", "messages", renamed or key)
        if renamed is None:
            affected = "peers of the old version that send it, or wait for it"
            rule = ChangeRule.MESSAGE_REMOVED
            found.add(rule, Level.WIRE, keys, f"the message {key} is gone", was=message.name or key, affected=affected)
            continue
        kept[key] = renamed
        rule = ChangeRule.MESSAGE_RENAMED
        affected = f"programs that use the class {key}"
        text = f"the message {renamed} was called {key}"
        old_keys = ("components", "messages", key)
        found.add(rule, Level.SOURCE, keys, text, was=key, now=renamed, affected=affected, old_keys=old_keys)
    for key, message in only(new.messages, old.messages):
        if key not in kept.values():
            keys = ("components", "messages", key)
            text = f"the message {key} is new"
            found.add(ChangeRule.MESSAGE_ADDED, Level.NONE, keys, text, now=message.name or key)
    for key, now in kept.items():
        _message(old, new, old.messages[key], new.messages[now], found)
    _payload(old, new, old.envelope, new.envelope, found, is_envelope=True)


def _message(old: Model, new: Model, before: Message, after: Message, found: Collected) -> None:
    keys, old_keys = ("components", "messages", after.key), ("components", "messages", before.key)
    either = "peers of either version with those of the other one"
    if before.record is None or after.record is None:
        if before.record != after.record:
            rule = ChangeRule.PAYLOAD_GAINED if before.record is None else ChangeRule.PAYLOAD_LOST
            text = f"the message {after.key} {'has' if before.record is None else 'no longer has'} a payload of its own"
            names = before.record or "", after.record or ""
            where = (*keys, "payload"), (*old_keys, "payload")
            found.add(rule, Level.WIRE, where[0], text, was=names[0], now=names[1], affected=either, old_keys=where[1])
        return
    if before.name != after.name:
        text = f"the message {after.key} is called {after.name} on the wire and was called {before.name}"
        found.add(
            ChangeRule.MESSAGE_TYPE_CHANGED,
            Level.WIRE,
            (*keys, "name"),
            text,
            was=before.name or "",
            now=after.name or "",
            affected=either,
            old_keys=(*old_keys, "name"),
        )
    was, now = _format(before), _format(after)
    if was != now:
        text = f"the payload of {after.key} goes out as {now} and went out as {was}"
        found.add(
            ChangeRule.PAYLOAD_FORMAT_CHANGED,
            Level.WIRE,
            (*keys, "x-payload"),
            text,
            was=was,
            now=now,
            affected=either,
            old_keys=(*old_keys, "x-payload"),
        )
    _payload(old, new, before, after, found)


def _format(message: Message) -> str:
    """Return how a payload goes out, and whether it may grow: what users send does not."""
    parts = message.payload_format, message.payload_layout, "that grows" if message.versions else ""
    return " ".join(filter(None, parts))


def _payload(
    old: Model, new: Model, before: Message, after: Message, found: Collected, *, is_envelope: bool = False
) -> None:
    assert before.record is not None
    assert after.record is not None
    if before.schema == after.schema:
        return
    # Everything that anybody sends travels in the envelope.
    writers, readers = (("peer",), ("peer",)) if is_envelope else _sides(new, after.key)
    carrier = Carrier(after.record, writers, readers)
    for one in compare_growth(carrier, old.types, new.types, before.record, (old.version, new.version)):
        difference = one.difference
        found.add_type(
            difference.rule,
            one.level,
            difference.path,
            difference.message,
            was=difference.was,
            now=difference.now,
            spots=(difference.before, difference.after),
            encounters=one.encounters,
        )


def _sides(model: Model, key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the roles of those who send a message, and of those who receive it."""
    sides: dict[str, dict[str, None]] = {"send": {}, "receive": {}}
    for operation in model.operations.values():
        if key in operation.messages:
            sides[operation.action].update(dict.fromkeys(operation.roles))
    return tuple(sides["send"]) or ROLES, tuple(sides["receive"]) or ROLES


def _classes(old: Model, new: Model, found: Collected) -> None:
    for name, before, after in both(old.types, new.types):
        if before.class_name != after.class_name:
            text = f"the class of {name} is {after.class_name} and was {before.class_name}"
            spots = Spot(name), Spot(name)
            affected = f"programs that use the class {before.class_name}"
            names = before.class_name, after.class_name
            rule = ChangeRule.CLASS_RENAMED
            found.add_type(rule, Level.SOURCE, name, text, was=names[0], now=names[1], spots=spots, affected=affected)
