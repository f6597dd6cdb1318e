"""What beds and the gardener tell each other."""

from dataclasses import dataclass
from enum import Enum

from orbitalis import AvroMessageMixin, DateTimeMicro


class Soil(Enum):
    """How the soil feels."""

    DRY = "dry"
    MOIST = "moist"
    WET = "wet"


@dataclass(frozen=True)
class Climate(AvroMessageMixin):
    """What a bed has measured."""

    measured_at: DateTimeMicro
    celsius: float
    moisture: float
    soil: Soil


@dataclass(frozen=True)
class Watering(AvroMessageMixin):
    """An order to water."""

    litres: float
    reason: str | None = None


@dataclass(frozen=True)
class Watered(AvroMessageMixin):
    """What came of it."""

    litres: float
    soil: Soil
