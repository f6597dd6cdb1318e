"""What the environment says of the programs of the greenhouse."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

PREFIX = "GREENHOUSE_"


class SettingsError(ValueError):
    """An environment variable is missing, or has a value that is of no use."""


@dataclass(frozen=True)
class Settings:
    """The settings that all programs share. The URL of the bus is in ORBITALIS_BUS, which `connect` reads."""

    identifier: str
    silence: float = 30.0
    """After how many seconds without a sign of life another one is taken for dead."""
    close_timeout: float = 5.0
    """How many seconds a graceful stop may take."""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return what the environment says."""
        identifier = environment.get(f"{PREFIX}IDENTIFIER", "")
        if not identifier:
            raise SettingsError(f"set {PREFIX}IDENTIFIER to the name of this program, such as tomatoes")
        return cls(
            identifier=identifier,
            silence=_seconds(environment, "SILENCE", cls.silence),
            close_timeout=_seconds(environment, "CLOSE_TIMEOUT", cls.close_timeout),
        )


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(f"{PREFIX}{name}", str(default))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"{PREFIX}{name} must be a number of seconds above 0, such as {default}, got {text!r}")
    return seconds
