"""The lamps: what all have in common, the plain ones of brand X, and those of brand Y with dimmer and meter."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from examples.lamps.messages import BrightnessMessage, EnergyMessage, StatusMessage
from orbitalis import Event, Input, Output, Plugin, operation

__all__ = ["LampPlugin", "LampXPlugin", "LampYPlugin"]


@dataclass
class LampPlugin(Plugin, ABC):
    """Any lamp. It can be asked how it is; how it is switched, each brand says for itself."""

    is_on: bool = field(default=False, init=False)
    power: float = field(default=1.0, init=False)
    """Brightness, more than 0 and at most 1."""

    @operation(name="get_status", input=Input.empty(), output=Output.from_message(StatusMessage))
    async def get_status(self, topic: str, event: Event[None]) -> None:
        """Answer the core that has asked: the topic says which connection that is."""
        connections = await self.retrieve_and_touch_connections("get_status", input_topic=topic)
        status = StatusMessage(lamp_identifier=self.identifier, is_on=self.is_on, power=self.power)
        await self.send_result_to_all(connections, status)

    @abstractmethod
    async def turn_on(self, topic: str, event: Event[BrightnessMessage | None]) -> None:
        """Begin to shine."""

    @abstractmethod
    async def turn_off(self, topic: str, event: Event[None]) -> None:
        """Shine no more."""

    async def change(self, *, is_on: bool | None = None, power: float | None = None) -> None:
        """Switch or dim the lamp, as far as it can be dimmed."""
        self.is_on = self.is_on if is_on is None else is_on
        self.power = self.power if power is None else min(max(power, 0.01), 1.0)
        await self._on_change()

    async def _on_change(self) -> None:
        """Called when the lamp was switched or dimmed."""


@dataclass
class LampXPlugin(LampPlugin):
    """A lamp of brand X: on or off, and nothing else."""

    @operation(name="turn_on", input=Input.empty())
    async def turn_on(self, topic: str, event: Event[BrightnessMessage | None]) -> None:
        """Begin to shine."""
        await self.change(is_on=True)

    @operation(name="turn_off", input=Input.empty())
    async def turn_off(self, topic: str, event: Event[None]) -> None:
        """Shine no more."""
        await self.change(is_on=False)


@dataclass
class LampYPlugin(LampPlugin):
    """A lamp of brand Y: it can be dimmed, and meters the energy that it uses."""

    kw: float = 0.06
    """What it takes at full brightness."""
    _kwh: float = field(default=0.0, init=False, repr=False)
    """What was used until `_metered_at`."""
    _metered_at: float = field(default_factory=time.monotonic, init=False, repr=False)

    @operation(name="turn_on", input=Input(schemas=[BrightnessMessage.avro_schema()], support_empty_schema=True))
    async def turn_on(self, topic: str, event: Event[BrightnessMessage | None]) -> None:
        """Begin to shine: as brightly as before, or as the event says."""
        await self.change(is_on=True, power=None if event.payload is None else event.payload.power)

    @operation(name="turn_off", input=Input.empty())
    async def turn_off(self, topic: str, event: Event[None]) -> None:
        """Shine no more."""
        await self.change(is_on=False)

    @operation(name="set_brightness", input=Input.from_message(BrightnessMessage))
    async def set_brightness(self, topic: str, event: Event[BrightnessMessage]) -> None:
        """Shine as brightly as is asked for, now or when next on."""
        await self.change(power=event.payload.power)

    @operation(name="get_energy", input=Input.empty(), output=Output.from_message(EnergyMessage))
    async def get_energy(self, topic: str, event: Event[None]) -> None:
        """Answer the core that has asked with what the meter shows."""
        connections = await self.retrieve_and_touch_connections("get_energy", input_topic=topic)
        energy = EnergyMessage(lamp_identifier=self.identifier, kwh=self.meter())
        await self.send_result_to_all(connections, energy)

    async def change(self, *, is_on: bool | None = None, power: float | None = None) -> None:
        """Switch or dim the lamp, after its use so far was metered."""
        self.meter()
        await super().change(is_on=is_on, power=power)

    def meter(self) -> float:
        """Bring the meter up to date, and return the kilowatt-hours that it shows."""
        now = time.monotonic()
        if self.is_on:
            self._kwh += self.kw * self.power * (now - self._metered_at) / 3600
        self._metered_at = now
        return self._kwh
