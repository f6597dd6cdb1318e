"""A socket that is connected with a broker, opened in a way that can be given up at any moment.

Nothing here waits in a thread that somebody has to wait for: asyncio joins the threads of its executor when the event
loop ends, and then a name server that does not answer would keep Ctrl-C from ending the program.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeAlias

from orbitalis.bus.mqtt_endpoint import Endpoint

__all__ = ["open_socket"]

_Addresses: TypeAlias = Sequence[tuple[Any, ...]]
"""What :func:`socket.getaddrinfo` returns."""

_NODELAY: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
_changing: Final = threading.Lock()
_lookups: Final[dict[tuple[str, int], Future[_Addresses]]] = {}
"""By host and port: the lookups under way. One that hangs is waited for by all who ask, and does not multiply."""


async def open_socket(endpoint: Endpoint) -> socket.socket:
    """Connect a socket with a broker, encrypted if the endpoint says so; it does not block.

    Cancelling it leaves nothing behind, except a lookup of the host's name that does not end: nobody waits for that.

    Raises:
        OSError: The host's name is not known, nobody listens there, or the two sides cannot agree on an encryption.
        ValueError: The host's name cannot be one.
    """
    sock = await _connect(await asyncio.wrap_future(_look_up(endpoint.host, endpoint.port)))
    try:
        sock.setsockopt(*_NODELAY)
        if endpoint.tls is not None:
            sock = await _encrypt(sock, endpoint.tls, endpoint.host)
    except BaseException:
        sock.close()
        raise
    return sock


def _look_up(host: str, port: int) -> Future[_Addresses]:
    """Begin to look a host's name up, or join in where somebody does."""
    with _changing:
        lookup = _lookups.get((host, port))
        if lookup is None:
            lookup = _lookups[host, port] = Future()
            # It cannot be cancelled by one of those who wait for it.
            lookup.set_running_or_notify_cancel()
            # The interpreter does not wait for the end of this thread.
            name = f"lookup of {host}"
            threading.Thread(target=_end_lookup, args=(host, port, lookup), name=name, daemon=True).start()
        return lookup


def _end_lookup(host: str, port: int, lookup: Future[_Addresses]) -> None:
    # A signal that this thread got would not wake up the main thread, which is the one that ends for Ctrl-C.
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    found: _Addresses = ()
    failure: Exception | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except Exception as error:  # raised where the lookup is awaited
        failure = error
    with _changing:
        del _lookups[host, port]
    if failure is None:
        lookup.set_result(found)
    else:
        lookup.set_exception(failure)


async def _connect(addresses: _Addresses) -> socket.socket:
    """Connect a socket with the first address that can be reached; raise the failure of the last one."""
    loop = asyncio.get_running_loop()
    failure = OSError("the host has no address")
    for family, kind, protocol, _, address in addresses:
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # this machine has no such network
            failure = error
            continue
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            # asyncio says "connect call failed" instead of what was wrong.
            failure = error if error.errno is None else OSError(error.errno, os.strerror(error.errno))
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


async def _encrypt(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """Agree on an encryption with the other side; the socket that is given is of no use any more."""
    loop = asyncio.get_running_loop()
    encrypted = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        while True:
            try:
                encrypted.do_handshake()
            except ssl.SSLWantReadError:
                await _ready(encrypted, loop.add_reader, loop.remove_reader)
            except ssl.SSLWantWriteError:
                await _ready(encrypted, loop.add_writer, loop.remove_writer)
            else:
                return encrypted
    except BaseException:
        encrypted.close()
        raise


async def _ready(sock: socket.socket, add: Callable[..., object], remove: Callable[[int], object]) -> None:
    """Wait until a socket can be read or written, as `add` and `remove` of the event loop say."""
    ready = asyncio.Event()
    add(sock.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        remove(sock.fileno())
