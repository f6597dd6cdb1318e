"""Serves the page and its WebSockets on this machine, to those who know the token: :func:`serve_dashboard`."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from orbitalis.dashboard.brokers import BrokerAddress, BrokerStream, reach
from orbitalis.dashboard.gate import Gate, GateRole, RefusedError
from orbitalis.dashboard.packets import LARGEST_FRAME
from orbitalis.errors import BusError
from orbitalis_avro.errors import TopicError
from orbitalis_wire.topics import check_level

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

__all__ = ["HOST", "Dashboard", "Party", "serve_dashboard"]

HOST: Final = "127.0.0.1"
"""The one address of the page."""
_FILES: Final = {
    "": ("index.html", "text/html; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
}
_CALLER: Final = re.compile(r"core/([a-z0-9]{1,32})")
_HTTP_PORT: Final = 80
_POLICY_VIOLATED: Final = 1008
_TRY_AGAIN: Final = 1013
_REASON_BYTES: Final = 120
"""What a WebSocket may say when it closes is shorter than 124 bytes."""
_CLOSE_SECONDS: Final = 1
"""For which a page that does not listen is waited for."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Party:
    """Whom the page acts as at a broker."""

    address: BrokerAddress
    identifier: str | None
    """What access lists know it by; `None`: it is made up."""


@dataclass(slots=True, kw_only=True)
class Dashboard:
    """The page, and what it may do."""

    operator: Party
    """The one that looks."""
    caller: Party | None
    """The one that calls operations; `None` if the page may not call any."""
    port: int = 0
    """0 for any that is free, until it is served."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """The secret in the URL of the page: requests without it are refused."""
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    """A part of all identifiers that are made up, so that those of two dashboards differ."""

    @property
    def origin(self) -> str:
        """The origin of the page, as browsers write it: without the port that is the one of HTTP anyway."""
        return f"http://{HOST}" if self.port == _HTTP_PORT else f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"{self.origin}/{self.token}/"

    @property
    def operator_identifier(self) -> str:
        """The identifier of the operator as which the page asks orbiters."""
        return self.operator.identifier or f"dashboard-{self.run}"

    def settings(self) -> Mapping[str, object]:
        """Return what the page is told when it is opened, to be sent as JSON."""
        caller = self.caller
        return {
            "bus": str(self.operator.address),
            "operator": self.operator_identifier,
            "callers": None if caller is None else caller.identifier or f"dashboard-{self.run}-",
            "hasOneCaller": caller is not None and caller.identifier is not None,
        }

    def gate(self, path: str) -> tuple[Party, Gate] | None:
        """Return for whom a WebSocket is, and what may pass; `None` if there is none at this path."""
        caller = _CALLER.fullmatch(path)
        if path == "operator":
            return self.operator, self._gate(self.operator, "operator", self.operator_identifier)
        if self.caller is not None and caller is not None:
            identifier = self.caller.identifier or f"dashboard-{self.run}-{caller[1]}"
            return self.caller, self._gate(self.caller, "core", identifier)
        return None

    @staticmethod
    def _gate(party: Party, role: GateRole, identifier: str) -> Gate:
        endpoint = party.address.endpoint
        # The page does not choose it: a broker throws out the client that has the same one.
        client = f"{re.sub('[^0-9A-Za-z_-]', '_', identifier)[:100]}-{secrets.token_hex(8)}"
        return Gate(role, identifier, client=client, username=endpoint.username, password=endpoint.password)


@asynccontextmanager
async def serve_dashboard(dashboard: Dashboard) -> AsyncGenerator[None, None]:
    """Serve the page until the end of the block; the port is known within it.

    Raises:
        ImportError: The extra `dashboard` is not installed.
        OSError: The port is in use.
        ValueError: An identifier cannot be one.
    """
    from websockets.asyncio.server import serve
    from websockets.typing import Subprotocol

    for party in (dashboard.operator, dashboard.caller):
        if party is not None and party.identifier is not None:
            _check(party.identifier)
    service = _Service(dashboard)
    async with serve(
        service.relay,
        HOST,
        dashboard.port,
        subprotocols=[Subprotocol("mqtt")],
        process_request=service.answer,
        compression=None,
        max_size=LARGEST_FRAME,
        close_timeout=_CLOSE_SECONDS,
        server_header=None,
        logger=logging.getLogger(f"{__name__}.websockets"),
    ) as server:
        dashboard.port = next(iter(server.sockets)).getsockname()[1]
        try:
            yield
        finally:
            service.end()


def _check(identifier: str) -> None:
    try:
        check_level("identifier", identifier)
    except TopicError as error:
        raise ValueError(f"identifier {error.value!r} cannot be used: {error.reason}") from None


class _Service:
    """Answers requests, and relays WebSockets."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        folder = files("orbitalis.dashboard") / "page"
        self._relays: set[asyncio.Task[object]] = set()
        """Under way."""
        self._problem: str | None = None
        """Why the operator's broker could not be reached when that was last tried."""
        self._files = {path: ((folder / name).read_bytes(), kind) for path, (name, kind) in _FILES.items()}

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a request for the page; let one for a WebSocket pass."""
        refusal = self._refusal(request)
        if refusal is not None:
            return _response(HTTPStatus.FORBIDDEN, f"{refusal}\n".encode(), "text/plain; charset=utf-8", {})
        _, path = _split(request)
        if "Upgrade" in request.headers:
            if request.headers.get_all("Origin") != [self._dashboard.origin]:
                return _response(HTTPStatus.FORBIDDEN, b"this page may not connect\n", "text/plain", {})
            if self._dashboard.gate(path) is not None:
                return None
            reason = b"calls are not allowed: `orbitalis dashboard --allow-calls` allows them\n"
            return _response(HTTPStatus.FORBIDDEN, reason, "text/plain", {})
        if path == "settings.json":
            return self._own(json.dumps(self._dashboard.settings()).encode(), "application/json")
        if path == "bus.json":
            return self._own(json.dumps({"problem": self._problem}).encode(), "application/json")
        if path in self._files:
            return self._own(*self._files[path])
        return _response(HTTPStatus.NOT_FOUND, b"there is no such page\n", "text/plain", {})

    def _refusal(self, request: Request) -> str | None:
        """Return what is wrong with who asks, if anything is."""
        origin = self._dashboard.origin
        # A name that leads here, and is another one to browsers, would make this page one of its site.
        if request.headers.get_all("Host") != [origin.removeprefix("http://")]:
            return f"the dashboard is at {origin} and under no other name"
        if any(one != origin for one in request.headers.get_all("Origin")):
            return "the dashboard is for no other site"
        token, _ = _split(request)
        if not hmac.compare_digest(token.encode(), self._dashboard.token.encode()):
            return "the token is missing or wrong: open the URL that `orbitalis dashboard` has printed"
        return None

    def _own(self, body: bytes, kind: str) -> Response:
        origin = self._dashboard.origin
        policy = (
            f"default-src 'none'; script-src {origin}; style-src {origin}; "
            f"connect-src {origin} {origin.replace('http', 'ws', 1)}; img-src data:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )
        return _response(HTTPStatus.OK, body, kind, {"Content-Security-Policy": policy})

    async def relay(self, connection: ServerConnection) -> None:
        """Relay one WebSocket to the broker, until one of them ends it."""
        assert connection.request is not None
        _, path = _split(connection.request)
        found = self._dashboard.gate(path)
        if found is None or connection.subprotocol is None:
            await connection.close(_POLICY_VIOLATED, "expected the subprotocol mqtt")
            return
        party, gate = found
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        try:
            async with reach(party.address) as broker:
                if party is self._dashboard.operator:
                    self._problem = None
                await _relay(connection, broker, gate)
        except RefusedError as error:
            _LOG.warning("what the page sends is refused: %s", error)
            await connection.close(_POLICY_VIOLATED, _short(str(error)))
        except BusError as error:
            if party is self._dashboard.operator:
                self._problem = str(error)
            _LOG.warning("%s", error)
            await connection.close(_TRY_AGAIN, _short(str(error)))
        finally:
            self._relays.discard(task)

    def end(self) -> None:
        """End all relays, also those that still try to reach a broker."""
        for one in self._relays:
            one.cancel()


async def _relay(connection: ServerConnection, broker: BrokerStream, gate: Gate) -> None:
    """Relay in both directions until one side ends.

    Raises:
        RefusedError: The page has sent what it must not.
    """
    from websockets.exceptions import ConnectionClosed

    async def down() -> None:
        while data := await broker.read():
            await connection.send(data)

    async def up() -> None:
        async for data in connection:
            if isinstance(data, str):
                raise RefusedError("MQTT takes binary frames, and this is a text")
            await broker.write(gate.take(data))

    directions = [asyncio.create_task(down()), asyncio.create_task(up())]
    try:
        done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
    except (ConnectionClosed, OSError):
        pass
    finally:
        for one in directions:
            one.cancel()
        await asyncio.gather(*directions, return_exceptions=True)


def _split(request: Request) -> tuple[str, str]:
    """Return the token in the path of a request, and what follows it, without a query."""
    token, _, path = request.path.removeprefix("/").partition("/")
    return token, path.partition("?")[0]


def _short(text: str) -> str:
    return text.encode()[:_REASON_BYTES].decode(errors="ignore")


def _response(status: HTTPStatus, body: bytes, kind: str, more: Mapping[str, str]) -> Response:
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    headers = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Connection": "close",
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            **more,
        }
    )
    return Response(status, status.phrase, headers, body)
