"""What the lamps and the core tell each other: dataclasses, whose Avro schemas follow from the annotations."""

from __future__ import annotations

from dataclasses import dataclass

from orbitalis import AvroMessageMixin

__all__ = ["BrightnessMessage", "EnergyMessage", "StatusMessage"]


@dataclass(frozen=True)
class StatusMessage(AvroMessageMixin):
    """How a lamp is."""

    lamp_identifier: str
    is_on: bool
    power: float
    """Brightness, more than 0 and at most 1; that at which it shines when it is on."""


@dataclass(frozen=True)
class BrightnessMessage(AvroMessageMixin):
    """How bright a lamp shall be."""

    power: float
    """More than 0, at most 1."""


@dataclass(frozen=True)
class EnergyMessage(AvroMessageMixin):
    """What a lamp has used so far."""

    lamp_identifier: str
    kwh: float
