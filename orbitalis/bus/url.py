"""URLs of event buses."""

from __future__ import annotations

import math
import os
import re
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from orbitalis.arguments import check_seconds
from orbitalis.bus.client import EventBusClient
from orbitalis.errors import BusUrlError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

__all__ = ["ENVIRONMENT_VARIABLE", "WAIT_VARIABLE", "connect", "connect_by_environment", "is_left_alone"]

ENVIRONMENT_VARIABLE: Final = "ORBITALIS_BUS"
"""The environment variable that names the bus if no URL is given."""
WAIT_VARIABLE: Final = "ORBITALIS_BUS_WAIT"
"""The environment variable that says how many seconds to wait for a broker, if `wait` is not given."""
_FORMS = (
    "local://, local://name, mqtt://user:password@host:1883 or mqtts://user:password@host:8883, "
    "the last with ?authority=FILE&certificate=FILE&key=FILE where it takes them"
)
_EXAMPLE = "mqtt://localhost:1883"
_HOW_SEVERAL = "several URLs are separated by blanks or commas, and each begins with its scheme"
_TLS_OPTIONS = ("authority", "certificate", "key")
_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_SEPARATOR: Final = re.compile(r"(?<![\s,])[\s,]++(?=[A-Za-z][A-Za-z0-9+.-]*://)")
"""Separator of two URLs. A password may contain a comma, but not a comma before a scheme."""


def connect(
    url: str | None = None,
    *urls: str,
    identifier: str | None = None,
    tls: ssl.SSLContext | None = None,
    wait: float | None = None,
) -> EventBusClient:
    """Return a client, not connected yet, of the bus that a URL names, or of all the buses that several URLs name.

    - `local://` is the default bus inside this process, and `local://name` is another one;
    - `mqtt://host:1883` is an MQTT broker, with credentials `mqtt://user:password@host`;
    - `mqtts://host:8883` is the same over TLS. The broker has to show a certificate of an authority that this machine
      trusts, or of one in a PEM file: `mqtts://host?authority=FILE`. With `certificate=FILE&key=FILE`, this client
      shows a certificate, too. The key may be in the same file. `tls` is an alternative to these options.

    Without `url`, the client uses the environment variable `ORBITALIS_BUS`, and without that `local://`. One text may
    contain several URLs, separated by blanks or commas.

    Percent-encode user and password if they contain a blank or any of `/ ? # @ : %`, and files if they contain a blank
    or any of `& # % + ;`. Without `identifier`, the client makes up one of its own. With several buses, the client is a
    :class:`SeveralEventBusClient`. The name of each bus is its URL, with the port and without user, password and files.

    `wait` is the number of seconds for which the first connect tries again while there is no broker yet. Without it,
    the client uses the environment variable `ORBITALIS_BUS_WAIT`. With 0, or without both, it fails at once.

    Raises:
        BusUrlError: A URL names no bus, two URLs name the same bus, or a file does not exist, cannot be read or has the
            wrong content.
        TypeError: A URL is not a text, or `wait` is not a number.
        ValueError: `wait` or `ORBITALIS_BUS_WAIT` is not a number of seconds from 0 on.
    """
    seconds = _seconds_to_wait() if wait is None else wait
    check_seconds("wait", seconds)
    for given in (url, *urls):
        _check_text(given)
    if url is None and (named := os.environ.get(ENVIRONMENT_VARIABLE)) is not None:
        try:
            return _connect((named, *urls), identifier, tls, seconds)
        except BusUrlError as error:
            # Nobody who reads the program sees it.
            raise BusUrlError(f"with the environment variable {ENVIRONMENT_VARIABLE}: {error}") from None
    return _connect(("local://" if url is None else url, *urls), identifier, tls, seconds)


def connect_by_environment() -> EventBusClient:
    """Return what :func:`connect` does, for an orbiter that is given no client.

    What is wrong with the environment is raised as a :class:`BusUrlError` when the client is to connect.
    """
    try:
        return connect()
    except ValueError as error:
        from orbitalis.bus.unusable import UnusableEventBusClient

        return UnusableEventBusClient(str(error))


def is_left_alone(client: EventBusClient) -> bool:
    """Return whether a client is on the bus that this process has, with no environment variable that names another."""
    from orbitalis.bus.local import LocalEventBus, LocalEventBusClient

    return (
        ENVIRONMENT_VARIABLE not in os.environ
        and isinstance(client, LocalEventBusClient)
        and client.bus is LocalEventBus.named()
    )


def _check_text(given: object) -> None:
    if given is not None and not isinstance(given, str):
        raise TypeError(
            f"the URL of an event bus must be a text, got a {type(given).__name__}: write connect('{_EXAMPLE}'), or "
            f"connect('{_EXAMPLE}', 'local://') for several"
        )


def _seconds_to_wait() -> float:
    """Return what the environment says of waiting for a broker."""
    text = os.environ.get(WAIT_VARIABLE, "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ValueError(
            f"the environment variable {WAIT_VARIABLE} must be a number of seconds, such as 30, got {text!r}"
        )
    return seconds


def _connect(given: tuple[str, ...], identifier: str | None, tls: ssl.SSLContext | None, wait: float) -> EventBusClient:
    texts = [text for one in given for text in _SEPARATOR.split(one.strip())]
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
    members = {name: _client(bus, identifier, tls, wait) for name, bus in buses.items()}
    if len(members) == 1:
        return next(iter(members.values()))
    from orbitalis.bus.several import SeveralEventBusClient

    return SeveralEventBusClient(members, identifier=identifier)


class _Bus(NamedTuple):
    """What a URL says."""

    scheme: str
    host: str
    """Of a bus within this process, the name that it goes by."""
    port: int = 0
    username: str | None = None
    password: str | None = None
    tls_options: Mapping[str, str] = MappingProxyType({})
    """Files, by the names of their options."""

    @property
    def name(self) -> str:
        """The URL without what is secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}" if self.port else f"{self.scheme}://{host}"


def _read(url: str) -> _Bus:
    if not url:
        _refuse("is empty; without any, the bus is local://")
    if any(character.isspace() for character in url):
        _refuse(f"contains a blank; {_HOW_SEVERAL}")
    if "://" not in url:
        _refuse("has no scheme, such as mqtt://")
    parts = _split(url)
    if parts is None:
        _refuse("cannot be read")
    if (parts.query and parts.scheme != "mqtts") or parts.fragment or parts.path not in ("", "/"):
        _refuse("ends neither with the host nor with the port; a user or password with / ? or # is percent-encoded")
    if "," in parts.netloc.rpartition("@")[2]:
        _refuse(f"contains a comma behind the host; {_HOW_SEVERAL}")
    match parts.scheme:
        case "local":
            return _local(parts)
        case "mqtt" | "mqtts":
            return _mqtt(parts)
        case scheme:
            _refuse(f"has the unknown scheme {scheme!r}")


def _local(parts: SplitResult) -> _Bus:
    if "@" in parts.netloc or ":" in parts.netloc:
        _refuse("has more than a name, but a bus within a process has neither credentials nor port")
    return _Bus(scheme="local", host=parts.netloc)


def _mqtt(parts: SplitResult) -> _Bus:
    if not parts.hostname:
        _refuse("has no host")
    from urllib.parse import unquote

    port = _port(parts)
    if port == 0:
        _refuse("has a port that is no number from 1 to 65535; a password is followed by @ and the host")
    return _Bus(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _DEFAULT_PORTS[parts.scheme],
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        tls_options=_options(parts) if parts.scheme == "mqtts" else {},
    )


def _client(bus: _Bus, identifier: str | None, tls: ssl.SSLContext | None, wait: float) -> EventBusClient:
    if bus.scheme == "local":
        from orbitalis.bus.local import LocalEventBus, LocalEventBusClient

        return LocalEventBusClient(LocalEventBus.named(bus.host), identifier=identifier)
    # Takes 100 ms, which a program within one process need not spend.
    from orbitalis.bus.mqtt import MqttEventBusClient

    return MqttEventBusClient(
        bus.host,
        bus.port,
        identifier=identifier,
        username=bus.username,
        password=bus.password,
        tls=_tls(bus.tls_options, tls) if bus.scheme == "mqtts" else None,
        wait=wait,
    )


def _tls(options: Mapping[str, str], given: ssl.SSLContext | None) -> ssl.SSLContext:
    if given is not None:
        if options:
            _refuse("has options of TLS, yet `tls` is given, which stands for all of them")
        return given
    if "key" in options and "certificate" not in options:
        _refuse("has the option key without the option certificate")
    authority, certificate, key = (options.get(name) for name in _TLS_OPTIONS)
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as error:
        _refuse(f"names an authority that is of no use: {_blame(error, authority)}")
    if certificate is not None:
        try:
            # Without a password, a key that is encrypted would have one asked for on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except OSError as error:
            files = certificate if key is None else f"{certificate} and {key}"
            _refuse(f"names a certificate and a key that are of no use: {_blame(error, files)}")
    return context


def _options(parts: SplitResult) -> Mapping[str, str]:
    from urllib.parse import parse_qsl

    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    # A name that is not known is not shown: it may be a piece of a password.
    if (parts.query and not pairs) or not options.keys() <= set(_TLS_OPTIONS):
        _refuse(f"has an option that is none of {', '.join(_TLS_OPTIONS)}")
    if len(options) < len(pairs):
        _refuse("has an option twice")
    if empty := [name for name, value in options.items() if not value]:
        _refuse(f"has the option {empty[0]} without a file: write {empty[0]}=FILE")
    if odd := [name for name, value in options.items() if not value.isprintable()]:
        _refuse(f"has the option {odd[0]} with a character that cannot be printed, such as %00")
    return options


def _blame(error: OSError, files: str | None) -> str:
    if isinstance(error, ssl.SSLError):
        return f"{files}: expected PEM, not encrypted, and a key that is the certificate's ({error.reason or error})"
    return f"{files}: {error.strerror or error}"


# Where a URL is broken, there is no telling what in it is the password. So nothing of it is shown, and the errors of
# the library, which show some of it, are not even the context of ours.


def _split(url: str) -> SplitResult | None:
    # Importing it takes long, and a client that is given needs no URL.
    from urllib.parse import urlsplit

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
