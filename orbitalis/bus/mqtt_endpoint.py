"""Where an MQTT broker is, and what to say of it when there is no connection with it."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Final

from aiomqtt.exceptions import MqttConnectError

from orbitalis.errors import BusError, BusRefusedError, BusUnavailableError

__all__ = ["ENDED_INSTEAD", "Endpoint"]

ENDED_INSTEAD: Final = "the broker ended the connection instead of answering"
_TLS_ALERT: Final = re.compile(r"\[SSL: \w*ALERT\w*\]")
"""How errors begin that say what the other side has against us."""
_HUNG_UP: Final = re.compile(rf"reset by peer|{ENDED_INSTEAD}", re.IGNORECASE)
_PASSING_REFUSALS: Final = ("Server unavailable", "Server busy", "Quota exceeded", "Connection rate exceeded")


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """Where a broker is, and how it is talked to; the identifier may change between two connections."""

    host: str
    port: int
    identifier: str
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None
    keepalive: float
    connect_timeout: float

    def __str__(self) -> str:
        """Show what is safe to be logged."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtt' if self.tls is None else 'mqtts'}://{host}:{self.port}"

    def failure(self, error: Exception) -> BusError:
        """Return what to raise for an error that connecting has met."""
        match error:
            case MqttConnectError():
                reason = str(error)
                is_passing = any(text in reason for text in _PASSING_REFUSALS)
                kind = BusUnavailableError if is_passing else BusRefusedError
                return kind(f"{self} refuses client {self.identifier!r}: {reason}")
            case TimeoutError():
                reason = f"no answer within {self.connect_timeout:g} s"
            case _:
                reason = str(error) or type(error).__name__
                if _TLS_ALERT.search(reason):
                    return BusRefusedError(f"{self} refuses this client's certificate, or its lack: {reason}")
                if self.tls is None and _HUNG_UP.search(reason):
                    reason += "; so does a broker that expects TLS: its URL begins with mqtts://"
        return BusUnavailableError(f"cannot connect to {self}: {reason}")
