"""Typed operations through hierarchies of classes, in generic plugins, and with annotations that are read later."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

from orbitalis import AvroMessageMixin, Core, Input, Output, Plugin, Policy, operation
from orbitalis.bus import LocalEventBus
from tests.support.events import Collector
from tests.support.orbiters import all_connected, on, running


@dataclass(frozen=True)
class LevelMessage(AvroMessageMixin):
    level: float


@dataclass(frozen=True)
class SwitchMessage(AvroMessageMixin):
    on: bool


class Base(Plugin):
    @operation(name="base_name", default_policy=Policy(maximum=1))
    @abstractmethod
    async def first(self, text: str) -> str: ...

    @operation
    async def second(self, number: int) -> int:
        return number


class Keeping(Base):
    async def first(self, text: str) -> str:
        return f"kept {text}"

    async def second(self, number: int) -> int:
        return 2 * await super().second(number)


class Replacing(Keeping):
    @operation
    async def first(self, text: str) -> str:
        return f"replaced {text}"

    second = None  # type: ignore[assignment]


class Mixin:
    async def second(self, number: int) -> int:
        return 1000


class WithMixin(Mixin, Keeping): ...


async def test_a_method_that_overrides_keeps_the_declaration_or_replaces_it(bus: LocalEventBus) -> None:
    with pytest.raises(TypeError, match="abstract"):
        Base(eventbus_client=on(bus))  # type: ignore[abstract]
    keeping, replacing = Keeping(eventbus_client=on(bus)), Replacing(eventbus_client=on(bus))
    assert set(keeping.operations) == {"base_name", "second"}
    assert keeping.operations["base_name"].policy == Policy(maximum=1)
    assert keeping.operations["base_name"].input == Input.string()
    assert set(replacing.operations) == {"first"}
    assert await keeping.first("x") == "kept x"
    assert await keeping.second(1) == 2
    assert await replacing.first("x") == "replaced x"
    mixed = WithMixin(eventbus_client=on(bus))
    assert mixed.operations["second"].output == Output.int64()
    core, sink = Core(eventbus_client=on(bus), with_loop=False), Collector()
    core.with_requirement(Base.second, minimum=1, override_sink=sink)
    async with running(mixed, core):
        await all_connected(core, [mixed], "second")
        await core.execute(Base.second, 1, any=True)
        await sink.wait_for(1)
        assert sink.values == [1000]


class Documented(Plugin):
    @operation
    @abstractmethod
    async def shine(self) -> None:
        """Shine.

        As bright as it can.
        """

    @operation
    async def fade(self) -> None:
        """Fade."""


class Silent(Documented):
    async def shine(self) -> None: ...

    @operation
    async def fade(self) -> None: ...


class Outspoken(Silent):
    async def shine(self) -> None:
        """Glow."""


def test_a_method_without_a_docstring_inherits_the_documentation(bus: LocalEventBus) -> None:
    silent, outspoken = Silent(eventbus_client=on(bus)).operations, Outspoken(eventbus_client=on(bus)).operations

    assert silent["shine"].documentation == "Shine.\n\nAs bright as it can."
    assert [one["fade"].documentation for one in (silent, outspoken)] == ["Fade.", "Fade."]
    assert outspoken["shine"].documentation == "Glow."


M = TypeVar("M", LevelMessage, SwitchMessage)
N = TypeVar("N", LevelMessage, SwitchMessage)


class Echo(Plugin, Generic[M]):
    @operation
    async def echo(self, payload: M | None) -> M | None:
        return payload


class EchoAgain(Echo[N], Generic[N]): ...


class LevelEcho(EchoAgain[LevelMessage]): ...


class SwitchEcho(Echo[SwitchMessage]):
    async def echo(self, payload: SwitchMessage | None) -> SwitchMessage | None:
        return SwitchMessage(on=True)


def test_a_generic_plugin_is_read_where_it_is_specialised(bus: LocalEventBus) -> None:
    assert LevelEcho(eventbus_client=on(bus)).operations["echo"].input == (
        Input.from_message(LevelMessage) | Input.empty()
    )
    assert LevelEcho.echo.output == Output.from_message(LevelMessage)
    assert SwitchEcho(eventbus_client=on(bus)).operations["echo"].output == Output.from_message(SwitchMessage)
    with pytest.raises(TypeError, match=r"Echo\.echo has annotations with an open type variable: derive a class"):
        Echo[LevelMessage](eventbus_client=on(bus))


# Annotations that are postponed, as all are here


class BeforeItsMessage(Plugin):
    @operation
    async def late(self, payload: LateMessage) -> None: ...

    @operation
    async def never(self) -> NowhereMessage: ...  # type: ignore[name-defined] # noqa: F821


@dataclass(frozen=True)
class LateMessage(AvroMessageMixin):
    text: str


def test_annotations_that_cannot_be_read_yet_are_read_later(bus: LocalEventBus) -> None:
    assert BeforeItsMessage.late.input == Input.from_message(LateMessage)
    with pytest.raises(TypeError, match=r"BeforeItsMessage\.never has annotations that cannot be read: .*Nowhere"):
        BeforeItsMessage(eventbus_client=on(bus))


def test_a_class_in_a_function_finds_what_is_there() -> None:
    @dataclass(frozen=True)
    class InnerMessage(AvroMessageMixin):
        text: str

    class Inner(Plugin):
        @dataclass(frozen=True)
        class InmostMessage(AvroMessageMixin):
            text: str

        @operation
        async def it(self, payload: InnerMessage) -> InmostMessage | None:
            return None

    assert Inner.it.input == Input.from_message(InnerMessage)
    assert Inner.it.output == Output.from_message(Inner.InmostMessage)
