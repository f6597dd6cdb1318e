"""`orbitalis dashboard`: serves the page that shows what is on a bus, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import webbrowser
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import urlsplit

from orbitalis.bus.mqtt import MqttEventBusClient
from orbitalis.cli.asking import client_of, operator_of, run_async
from orbitalis.cli.failure import CommandError, Exit
from orbitalis.cli.showing import print_json, print_text
from orbitalis.dashboard.brokers import BrokerAddress, reach
from orbitalis.dashboard.server import Dashboard, Party, serve_dashboard

__all__ = ["run"]

_SCHEMES: Final = {"ws": ("mqtt", 80), "wss": ("mqtts", 443)}
"""By scheme of a WebSocket: that of MQTT with the same options, and the port where none is named."""


def run(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    try:
        return run_async(_run, options)
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "websockets":
            raise
        raise CommandError(
            Exit.MISUSED, "the dashboard takes the package websockets: pip install 'orbitalis-sdk[dashboard]'"
        ) from None


async def _run(options: argparse.Namespace) -> int:
    if not options.allow_calls and (options.core_bus is not None or options.core_identifier is not None):
        raise CommandError(Exit.MISUSED, "--core-bus and --core-identifier are for calls: add --allow-calls")
    address = _address(options.bus) if options.websocket is None else _websocket(options.websocket)
    caller = None
    if options.allow_calls:
        core_address = address if options.core_bus is None else _address(options.core_bus)
        caller = Party(core_address, options.core_identifier)
    dashboard = Dashboard(operator=Party(address, options.identifier), caller=caller, port=options.port)
    if address.path is None:
        # Says at once what a broker has against the operator.
        async with operator_of(options):
            pass
    else:
        async with reach(address):
            pass
    if caller is not None and caller.address is not address:
        async with reach(caller.address):
            pass
    await _serve(dashboard, options)
    return Exit.OK


async def _serve(dashboard: Dashboard, options: argparse.Namespace) -> None:
    logging.basicConfig(format="%(message)s")
    logging.getLogger("orbitalis.dashboard").setLevel(logging.WARNING)
    logging.getLogger("orbitalis.dashboard.server.websockets").setLevel(logging.CRITICAL)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(serve_dashboard(dashboard))
        except OSError as error:
            reason = error.strerror or error
            raise CommandError(Exit.MISUSED, f"port {dashboard.port} cannot be used: {reason}") from None
        except ValueError as error:
            raise CommandError(Exit.MISUSED, str(error)) from None
        if options.json:
            print_json({"url": dashboard.url, "allows_calls": dashboard.caller is not None}, is_line=True)
        else:
            may = "looks, and may call operations" if dashboard.caller else "only looks"
            print_text(f"{dashboard.url}\nshows {dashboard.operator.address} until Ctrl-C; the page {may}")
        if options.open:
            webbrowser.open(dashboard.url)
        await asyncio.Event().wait()


def _address(url: str | None) -> BrokerAddress:
    client = client_of(url)
    if not isinstance(client, MqttEventBusClient):
        raise CommandError(Exit.MISUSED, "expected the URL of one broker, such as mqtt://localhost:1883")
    return BrokerAddress(client.endpoint)


def _websocket(url: str) -> BrokerAddress:
    """Return the address of a listener for WebSockets, whose URL has what that of MQTT has, and a path."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _SCHEMES:
        # Nothing of the URL is shown, since there may be a password in it.
        raise CommandError(
            Exit.MISUSED, "--websocket takes a URL such as ws://HOST:9001 or wss://user:password@HOST:443/mqtt"
        )
    scheme, default = _SCHEMES[parts.scheme]
    host = parts.netloc if port is not None else f"{parts.netloc.removesuffix(':')}:{default}"
    return BrokerAddress(
        _address(parts._replace(scheme=scheme, netloc=host, path="").geturl()).endpoint, parts.path or "/"
    )
