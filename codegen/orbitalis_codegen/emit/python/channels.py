"""The table of channels and operations."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.emit.python import environment, names, text
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import Model

__all__ = ["emit_channels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChannelView:
    """A channel."""

    constant: str
    key: str
    address: str
    messages: tuple[str, ...]
    carries_any: bool
    quality_of_service: int
    retain: bool
    docstring: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationView:
    """An operation."""

    key: str
    action: str
    roles: str
    channel: str
    messages: tuple[str, ...]
    reply_channel: str
    reply_messages: tuple[str, ...]


def emit_channels(model: Model, types: Types) -> str:
    """Emit every channel and operation with its bindings."""
    constants = names.unique_names(
        ((key, names.constant_name(key)) for key in model.channels),
        taken=("CHANNELS", "OPERATIONS", *types.class_names.values()),
    )

    def classes(keys: tuple[str, ...]) -> tuple[str, ...]:
        records = (model.messages[key].record for key in keys)
        return tuple(types.class_names[record] for record in records if record is not None)

    channels = [
        _ChannelView(
            constant=constants[channel.key],
            key=channel.key,
            address=channel.address,
            messages=classes(channel.messages),
            carries_any=any(model.messages[key].record is None for key in channel.messages),
            quality_of_service=channel.quality_of_service,
            retain=channel.retain,
            docstring=text.docstring(channel.description or f"Channel `{channel.key}`.", indent=0),
        )
        for channel in model.channels.values()
    ]
    operations = [
        _OperationView(
            key=operation.key,
            action=operation.action,
            roles=text.tuple_of(map(text.literal, operation.roles)),
            channel=constants[operation.channel],
            messages=classes(operation.messages),
            reply_channel="None" if operation.reply_channel is None else constants[operation.reply_channel],
            reply_messages=classes(operation.reply_messages),
        )
        for operation in model.operations.values()
    ]
    used = {name for channel in channels for name in channel.messages}
    used.update(name for view in operations for name in (*view.messages, *view.reply_messages))
    return environment.render(
        "channels.py.jinja2",
        channels=channels,
        operations=operations,
        classes=used,
        exported=text.sorted_names(["CHANNELS", "OPERATIONS", "Channel", "Operation", *constants.values()]),
    )
