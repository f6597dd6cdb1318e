"""URLs of event buses."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from typing import Final, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from orbitalis.bus.client import EventBusClient
from orbitalis.bus.several import SeveralEventBusClient
from orbitalis.errors import BusUrlError

__all__ = ["ENVIRONMENT_VARIABLE", "connect"]

ENVIRONMENT_VARIABLE: Final = "ORBITALIS_BUS"
"""What names the bus where no URL is given."""
_FORMS = "local://, local://name, mqtt://user:password@host:1883 or mqtts://user:password@host:8883"
_HOW_SEVERAL = "several URLs are separated by blanks or commas, and each begins with its scheme"
_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_SEPARATOR: Final = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
"""What stands between two URLs. A comma may be in a password, but no comma with a scheme behind it."""


def connect(
    url: str | None = None, *urls: str, identifier: str | None = None, tls: ssl.SSLContext | None = None
) -> EventBusClient:
    """Return a client, not connected yet, of the bus that a URL names, or of all the buses that several URLs name.

    - `local://` is the bus within this process, and `local://name` another one;
    - `mqtt://host:1883` is an MQTT broker, with credentials `mqtt://user:password@host`;
    - `mqtts://host:8883` is the same over TLS. Without `tls`, the authorities that this machine trusts are trusted.

    Without `url`, the environment variable `ORBITALIS_BUS` takes its place, and without that `local://`. One text may
    hold several URLs, separated by blanks or commas.

    User and password are percent-encoded where they contain a blank or any of `/ ? # @ : %`. Without `identifier`, the
    client makes up one of its own. The client of several buses is a :class:`SeveralEventBusClient`; each bus is called
    by its URL, with the port and without user and password.

    Raises:
        BusUrlError: A URL names no bus, or two name the same.
    """
    first = os.environ.get(ENVIRONMENT_VARIABLE, "local://") if url is None else url
    texts = [text for given in (first, *urls) for text in _SEPARATOR.split(given.strip())]
    buses: dict[str, _Bus] = {}
    for place, text in enumerate(texts, 1):
        try:
            bus = _read(text)
            if bus.name in buses:
                _refuse(f"names {bus.name}, which another one names already")
        except BusUrlError as error:
            if len(texts) == 1:
                raise
            raise BusUrlError(f"number {place} of {len(texts)}: {error}") from None
        buses[bus.name] = bus
    if tls is not None and not any(bus.scheme == "mqtts" for bus in buses.values()):
        _refuse("names a connection without TLS, yet `tls` is given: write mqtts://")
    members = {name: _client(bus, identifier, tls) for name, bus in buses.items()}
    if len(members) == 1:
        return next(iter(members.values()))
    return SeveralEventBusClient(members, identifier=identifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bus:
    """What a URL says."""

    scheme: str
    host: str
    """Of a bus within this process, the name that it goes by."""
    port: int = 0
    username: str | None = None
    password: str | None = None

    @property
    def name(self) -> str:
        """The URL without what is secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}" if self.port else f"{self.scheme}://{host}"


def _read(url: str) -> _Bus:
    if any(character.isspace() for character in url):
        _refuse(f"contains a blank; {_HOW_SEVERAL}")
    parts = _split(url)
    if parts is None:
        _refuse("cannot be read")
    if parts.query or parts.fragment or parts.path not in ("", "/"):
        _refuse("ends neither with the host nor with the port; a user or password with / ? or # is percent-encoded")
    if "," in parts.netloc.rpartition("@")[2]:
        _refuse(f"contains a comma behind the host; {_HOW_SEVERAL}")
    match parts.scheme:
        case "local":
            return _local(parts)
        case "mqtt" | "mqtts":
            return _mqtt(parts)
        case "":
            _refuse("has no scheme")
        case scheme:
            _refuse(f"has the unknown scheme {scheme!r}")


def _local(parts: SplitResult) -> _Bus:
    if "@" in parts.netloc or ":" in parts.netloc:
        _refuse("has more than a name, but a bus within a process has neither credentials nor port")
    return _Bus(scheme="local", host=parts.netloc)


def _mqtt(parts: SplitResult) -> _Bus:
    if not parts.hostname:
        _refuse("has no host")
    port = _port(parts)
    if port == 0:
        _refuse("has a port that is no number from 1 to 65535; a password is followed by @ and the host")
    return _Bus(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _DEFAULT_PORTS[parts.scheme],
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _client(bus: _Bus, identifier: str | None, tls: ssl.SSLContext | None) -> EventBusClient:
    if bus.scheme == "local":
        from orbitalis.bus.local import LocalEventBus, LocalEventBusClient

        return LocalEventBusClient(LocalEventBus.named(bus.host), identifier=identifier)
    # Takes 100 ms, which whoever stays within one process need not spend.
    from orbitalis.bus.mqtt import MqttEventBusClient

    if bus.scheme == "mqtt":
        tls = None
    elif tls is None:
        tls = ssl.create_default_context()
    return MqttEventBusClient(
        bus.host, bus.port, identifier=identifier, username=bus.username, password=bus.password, tls=tls
    )


# Where a URL is broken, there is no telling what in it is the password. So nothing of it is shown, and the errors of
# the library, which show some of it, are not even the context of ours.


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return 0


def _refuse(reason: str) -> NoReturn:
    raise BusUrlError(f"the URL of the event bus {reason}; expected {_FORMS}")
