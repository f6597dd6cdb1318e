"""The orbiters that the command is tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from orbitalis import AvroMessageMixin, Core, Orbiter, Plugin, operation
from orbitalis.operations.policy import Policy

__all__ = ["Colour", "Dimmer", "Home", "Lamp", "Light", "State", "running"]


class Colour(StrEnum):
    """What a lamp can look like."""

    WARM = "WARM"
    COLD = "COLD"


@dataclass(frozen=True)
class Light(AvroMessageMixin):
    """How a lamp is to shine."""

    level: float
    colour: Colour = Colour.WARM


@dataclass(frozen=True)
class State(AvroMessageMixin):
    """How a lamp shines."""

    level: float
    colour: Colour


class Lamp(Plugin):
    """A lamp that can be dimmed."""

    @operation
    async def light(self, light: Light) -> State:
        """Shine.

        Levels are from 0 to 1.
        """
        if not 0 <= light.level <= 1:
            raise ValueError(f"no such level: {light.level}")
        return State(level=light.level, colour=light.colour)

    @operation
    async def name(self) -> str:
        """Say what it is called."""
        return self.identifier

    @operation(default_policy=Policy(maximum=0))
    async def secret(self, text: str) -> str:
        """Be lent to nobody."""
        return text


class Dimmer(Plugin):
    """A lamp that takes other messages."""

    @operation
    async def light(self, level: int) -> int:
        """Shine, from 0 to 100."""
        return level


class Home(Core):
    """Needs lamps."""


@asynccontextmanager
async def running(*orbiters: Orbiter) -> AsyncIterator[None]:
    """Run orbiters."""
    async with AsyncExitStack() as stack:
        for orbiter in orbiters:
            await stack.enter_async_context(orbiter)
        yield
