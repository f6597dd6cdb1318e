"""The module `topics`: the layout of the topics of each channel."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.emit.typescript import environment, names, text
from orbitalis_codegen.model import Channel, Model

__all__ = ["emit_topics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParameterView:
    """A parameter, which fills one level of an address."""

    key: str
    name: str
    unknown: str | None
    comment: str

    @property
    def annotation(self) -> str:
        """Of its values."""
        return "string" if self.unknown is None else "string | null"

    @property
    def definition(self) -> str:
        """What the layout is told of it."""
        unknown = "" if self.unknown is None else f", unknown: {text.literal(self.unknown)}"
        return f"{{ name: {text.literal(self.key)}, property: {text.literal(self.name)}{unknown} }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChannelView:
    """The topics of a channel."""

    constant: str
    type_name: str
    comment: str
    address: str
    parameters: tuple[_ParameterView, ...]

    @property
    def definition(self) -> str:
        """The statement that makes the layout."""
        opening = f"export const {self.constant} = new TopicLayout<{self.type_name}>("
        parameters = text.bracketed("[", (one.definition for one in self.parameters), "]", indent=2)
        return text.bracketed(opening, [text.literal(self.address), parameters, "IDENTIFIER_BYTES"], ");")


def emit_topics(model: Model) -> str:
    """Emit the layout of the topics of each channel."""
    constants = names.unique_names((key, f"{names.type_name(key)}Topic") for key in model.channels)
    return environment.render(
        "topics.ts.jinja2",
        channels=[_channel(channel, constants[channel.key]) for channel in model.channels.values()],
    )


def _channel(channel: Channel, constant: str) -> _ChannelView:
    properties = names.unique_names((one.name, names.property_name(one.name)) for one in channel.parameters)
    return _ChannelView(
        constant=constant,
        type_name=f"{constant}Parameters",
        comment=text.comment(
            f"Topics of channel `{channel.key}`: `{channel.address}`.\n\n{channel.description.strip()}".strip()
        ),
        address=channel.address,
        parameters=tuple(
            _ParameterView(
                key=one.name,
                name=properties[one.name],
                unknown=one.unknown,
                comment=text.comment(one.description, indent=2),
            )
            for one in channel.parameters
        ),
    )
