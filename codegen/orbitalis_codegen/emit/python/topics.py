"""Builders and parsers of topics, made from the addresses of the channels."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis_codegen.emit.python import environment, names, records, text
from orbitalis_codegen.emit.python.records import Slot
from orbitalis_codegen.model import Channel, Model

__all__ = ["emit_topics"]

_NAMES_IN_USE = ("check_level", "cls", "join", "parts", "re", "topic")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParameterView:
    """A parameter, which fills one level of an address."""

    key: str
    name: str
    index: int
    """Of its level."""
    level: str
    """What its level is called while a topic is built."""
    unknown: str | None
    docstring: str

    @property
    def annotation(self) -> str:
        """Of the parameter."""
        return "str" if self.unknown is None else "str | None"

    @property
    def slot(self) -> Slot:
        """The field that holds it."""
        return Slot(name=self.name, annotation=self.annotation)

    @property
    def check(self) -> str:
        """Which function makes a level of it."""
        if self.unknown is not None:
            return "_level_or"
        return "_first_level" if self.index == 0 else "check_level"

    @property
    def build_arguments(self) -> tuple[str, ...]:
        """Of that function."""
        return self._arguments(self.name)

    @property
    def parse(self) -> str:
        """Which function takes its level."""
        return self.check if self.unknown is None else "_parsed_level"

    @property
    def parse_arguments(self) -> tuple[str, ...]:
        """Of that function."""
        return self._arguments(f"parts[{self.index}]")

    def _arguments(self, value: str) -> tuple[str, ...]:
        arguments = (text.literal(self.key), value)
        return arguments if self.unknown is None else (*arguments, text.literal(self.unknown))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChannelView:
    """The topics of a channel."""

    class_name: str
    docstring: str
    address: str
    parameters: tuple[_ParameterView, ...]
    build_return: str
    join_docstring: str
    join_return: str
    filter_return: str

    @property
    def slots(self) -> str:
        """The line that declares the slots."""
        return records.slots(one.slot for one in self.parameters)

    @property
    def signature(self) -> str:
        """The first line of `__init__`."""
        return records.signature(one.slot for one in self.parameters)

    @property
    def build_parameters(self) -> tuple[str, ...]:
        """Parameters of `build`."""
        given = tuple(parameter.slot.parameter for parameter in self.parameters)
        return ("*", *given) if given else ()

    @property
    def own_arguments(self) -> tuple[str, ...]:
        """Arguments of `build` for an instance."""
        return tuple(f"{parameter.name}=self.{parameter.name}" for parameter in self.parameters)

    @property
    def join_parameters(self) -> tuple[str, ...]:
        """Parameters of `join`, in the order of the address."""
        given = tuple(f"{one.name}: str" for one in sorted(self.parameters, key=lambda one: one.index))
        return (*given, "/") if given else ()

    @property
    def filter_parameters(self) -> tuple[str, ...]:
        """Parameters of `filter`."""
        given = tuple(f"{parameter.name}: str | None = None" for parameter in self.parameters)
        return ("*", *given) if given else ()


def emit_topics(model: Model) -> str:
    """Emit a class for the topics of each channel."""
    class_names = names.unique_names((key, f"{names.class_name(key)}Topic") for key in model.channels)
    channels = [_channel(channel, class_names[channel.key]) for channel in model.channels.values()]
    return (
        environment.render(
            "topics.py.jinja2",
            channels=channels,
            exported=text.sorted_names(["UNPUBLISHABLE", "check_level", *class_names.values()]),
            has_placeholder=any(one.unknown is not None for channel in channels for one in channel.parameters),
            has_first_level=any(one.check == "_first_level" for channel in channels for one in channel.parameters),
        ).rstrip("\n")
        + "\n"
    )


def _channel(channel: Channel, class_name: str) -> _ChannelView:
    levels = channel.address.split("/")
    field_names = names.unique_names(
        (one.name, names.field_name(one.name, _NAMES_IN_USE)) for one in channel.parameters
    )
    level_names = names.unique_names(
        ((one.name, f"{field_names[one.name]}_level") for one in channel.parameters),
        taken=(*_NAMES_IN_USE, *field_names.values()),
    )
    parameters = tuple(
        _ParameterView(
            key=parameter.name,
            name=field_names[parameter.name],
            index=levels.index(f"{{{parameter.name}}}"),
            level=level_names[parameter.name],
            unknown=parameter.unknown,
            docstring=text.docstring(parameter.description, indent=4),
        )
        for parameter in channel.parameters
    )
    by_index = {parameter.index: parameter for parameter in parameters}
    built = [one.level if (one := by_index.get(index)) else text.literal(level) for index, level in enumerate(levels)]
    filtered = [
        f"_any_level({text.literal(one.key)}, {one.name})" if (one := by_index.get(index)) else text.literal(level)
        for index, level in enumerate(levels)
    ]
    return _ChannelView(
        class_name=class_name,
        docstring=text.docstring(
            f"Topics of channel `{channel.key}`: `{channel.address}`.\n\n{channel.description.strip()}".strip(),
            indent=4,
        ),
        address=channel.address,
        parameters=parameters,
        build_return=_joined(built),
        join_docstring=text.docstring(_join_description(parameters), indent=8),
        join_return=text.unbroken(_template(levels, by_index), indent=8),
        filter_return=_joined(filtered),
    )


def _joined(levels: list[str]) -> str:
    """Write the statement that returns the levels put together."""
    return text.fit_nested(('return "/".join(', "["), levels, ("]", ")"), indent=8)


def _join_description(parameters: tuple[_ParameterView, ...]) -> str:
    """Describe `join`."""
    if not parameters:
        return "Build a topic."
    unknown = "".join(
        f" `{one.unknown}` stands for {one.name} if that is not known." for one in parameters if one.unknown is not None
    )
    return "Build a topic without a check: its levels must be ones that :meth:`build` takes." + unknown


def _template(levels: list[str], parameters: dict[int, _ParameterView]) -> str:
    """Write the statement that returns the levels put together by one literal."""
    if not parameters:
        return f"return {text.literal('/'.join(levels))}"
    filled = "/".join(
        f"{{{one.name}}}" if (one := parameters.get(index)) else level.replace("{", "{{").replace("}", "}}")
        for index, level in enumerate(levels)
    )
    return f"return f{text.literal(filled)}"
