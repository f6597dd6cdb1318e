"""The table of channels and operations."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.emit.typescript import environment, names, text
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
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationView:
    """An operation."""

    key: str
    action: str
    roles: tuple[str, ...]
    channel: str
    messages: tuple[str, ...]
    reply_channel: str
    reply_messages: tuple[str, ...]


def emit_channels(model: Model) -> str:
    """Emit every channel and operation with its bindings."""
    constants = names.unique_names(
        ((key, names.constant_name(key)) for key in model.channels), taken=("CHANNELS", "OPERATIONS")
    )

    def types(keys: tuple[str, ...]) -> tuple[str, ...]:
        messages = (model.messages[key] for key in keys)
        return tuple(text.literal(one.name or one.key) for one in messages if one.record is not None)

    channels = [
        _ChannelView(
            constant=constants[channel.key],
            key=channel.key,
            address=channel.address,
            messages=types(channel.messages),
            carries_any=any(model.messages[key].record is None for key in channel.messages),
            quality_of_service=channel.quality_of_service,
            retain=channel.retain,
            comment=text.comment(channel.description or f"Channel `{channel.key}`."),
        )
        for channel in model.channels.values()
    ]
    operations = [
        _OperationView(
            key=operation.key,
            action=operation.action,
            roles=tuple(map(text.literal, operation.roles)),
            channel=constants[operation.channel],
            messages=types(operation.messages),
            reply_channel="null" if operation.reply_channel is None else constants[operation.reply_channel],
            reply_messages=types(operation.reply_messages),
        )
        for operation in model.operations.values()
    ]
    roles = sorted({role for operation in operations for role in operation.roles})
    return environment.render("channels.ts.jinja2", channels=channels, operations=operations, roles=roles)
