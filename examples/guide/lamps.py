"""A hierarchy of plugins: what all lamps have in common, and two brands of them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from orbitalis import (
    AvroMessageMixin,
    Constraint,
    Core,
    Event,
    Input,
    OperationRequirement,
    Output,
    Plugin,
    Policy,
    build_new_local_client,
    operation,
)

__all__ = [
    "LampPlugin",
    "LampStatus",
    "LampXPlugin",
    "LampYPlugin",
    "StatusMessage",
    "TurnOffLampYMessage",
    "TurnOnLampYMessage",
    "main",
]


class LampStatus(StrEnum):
    """What a lamp can be."""

    ON = "on"
    OFF = "off"


@dataclass
class StatusMessage(AvroMessageMixin):
    """How a lamp is."""

    lamp_identifier: str
    status: str
    created_at: datetime | None = None
    """A default of this moment would be in the schema, which then were another one in every process."""

    def __post_init__(self) -> None:
        if self.created_at is None:
            self.created_at = datetime.now(UTC).replace(microsecond=0)  # such a field carries milliseconds


@dataclass
class LampPlugin(Plugin, ABC):
    """What lamps of all brands can do; how they are switched is up to the brand."""

    kw: float
    """What the lamp takes while it is on."""
    status: LampStatus = LampStatus.OFF
    on_at: datetime | None = None
    """Since when it is on."""
    total_kwh: float = 0.0
    """What it has taken so far."""
    changes: asyncio.Queue[LampStatus] = field(default_factory=asyncio.Queue)
    """For those that wait until it is switched."""

    @property
    def is_on(self) -> bool:
        """Whether it shines."""
        return self.status is LampStatus.ON

    @property
    def is_off(self) -> bool:
        """Whether it does not."""
        return self.status is LampStatus.OFF

    def turn_on(self) -> None:
        """Shine."""
        self.status = LampStatus.ON
        self.on_at = self.on_at or datetime.now(UTC)
        self.changes.put_nowait(self.status)

    def turn_off(self) -> None:
        """Shine no more, and add up what that took."""
        self.status = LampStatus.OFF
        if self.on_at is not None:
            self.total_kwh += self.current_kw * (datetime.now(UTC) - self.on_at).total_seconds() / 3600
            self.on_at = None
        self.changes.put_nowait(self.status)

    @property
    def current_kw(self) -> float:
        """What it takes at the moment, if it is on."""
        return self.kw

    @operation(name="get_status", input=Input.empty(), output=Output.from_message(StatusMessage))
    async def get_status_event_handler(self, topic: str, event: Event[None]) -> None:
        """Tell the core that asks how the lamp is."""
        connection = self._find_connection_or_fail(input_topic=topic, operation_name="get_status")
        async with connection.lock:
            connection.touch()
        assert connection.has_output
        await self.send_result_to_all([connection], StatusMessage(self.identifier, str(self.status)))

    @abstractmethod
    async def turn_on_event_handler(self, topic: str, event: Event[Any]) -> None:
        """Handle the operation that turns the lamp on."""

    @abstractmethod
    async def turn_off_event_handler(self, topic: str, event: Event[Any]) -> None:
        """Handle the operation that turns the lamp off."""


@dataclass
class LampXPlugin(LampPlugin):
    """A lamp of brand X, which is on or off."""

    @operation(name="turn_on", input=Input.empty())
    async def turn_on_event_handler(self, topic: str, event: Event[None]) -> None:
        """Turn the lamp on."""
        self.turn_on()

    @operation(name="turn_off", input=Input.empty())
    async def turn_off_event_handler(self, topic: str, event: Event[None]) -> None:
        """Turn the lamp off."""
        self.turn_off()


@dataclass(frozen=True)
class TurnOnLampYMessage(AvroMessageMixin):
    """Turns on a lamp of brand Y."""

    power: float = 1.0
    """How brightly: more than 0, at most 1."""

    def __post_init__(self) -> None:
        if not 0 < self.power <= 1:
            raise ValueError(f"power is more than 0 and at most 1, got {self.power}")


@dataclass(frozen=True)
class TurnOffLampYMessage(AvroMessageMixin):
    """Turns off a lamp of brand Y."""

    reset_consumption: bool = False
    """Whether it shall forget what it has taken so far."""


@dataclass(kw_only=True)
class LampYPlugin(LampPlugin):
    """A lamp of brand Y, which can be dimmed."""

    power: float = 1.0

    @property
    def current_kw(self) -> float:
        """What it takes as bright as it is."""
        return self.power * self.kw

    @operation(name="turn_on", input=Input.from_message(TurnOnLampYMessage))
    async def turn_on_event_handler(self, topic: str, event: Event[TurnOnLampYMessage]) -> None:
        """Turn the lamp on, as brightly as is asked for."""
        self.power = event.payload.power
        self.turn_on()

    @operation(name="turn_off", input=Input.from_schema(TurnOffLampYMessage.avro_schema()))
    async def turn_off_event_handler(self, topic: str, event: Event[TurnOffLampYMessage]) -> None:
        """Turn the lamp off."""
        self.turn_off()
        if event.payload.reset_consumption:
            self.total_kwh = 0.0


async def main() -> None:
    """Switch a lamp of each brand."""
    lamp_x = LampXPlugin(
        identifier="lamp_x", eventbus_client=build_new_local_client(), with_loop=False, raise_exceptions=True, kw=24
    ).with_custom_policy(operation_name="turn_on", policy=Policy(allowlist=["smart_home"]))
    lamp_y = LampYPlugin(
        identifier="lamp_y", eventbus_client=build_new_local_client(), with_loop=False, raise_exceptions=True, kw=42
    )
    requirements = {
        name: OperationRequirement(
            Constraint(
                mandatory=["lamp_x", "lamp_y"],
                inputs=[Input.empty(), Input.from_message(message_class)],
                outputs=[Output.no_output()],
            )
        )
        for name, message_class in (("turn_on", TurnOnLampYMessage), ("turn_off", TurnOffLampYMessage))
    }
    smart_home = Core(
        identifier="smart_home", eventbus_client=build_new_local_client(), operation_requirements=requirements
    )
    async with lamp_x, lamp_y, smart_home:
        await smart_home.compliant_event.wait()

        await smart_home.execute_using_plugin("turn_on", "lamp_x")
        await smart_home.execute_using_plugin("turn_on", "lamp_y", TurnOnLampYMessage(power=0.5))
        print(f"{await lamp_x.changes.get()}, {await lamp_y.changes.get()} at {lamp_y.power}")

        # What is sent says which lamps it is for.
        chosen = await smart_home.execute_sending_all("turn_off", TurnOffLampYMessage(reset_consumption=True))
        print(f"{await lamp_y.changes.get()}: {', '.join(chosen)}, {lamp_y.total_kwh} kWh")


if __name__ == "__main__":
    asyncio.run(main())
