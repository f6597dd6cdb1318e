"""A real MQTT broker for tests: mosquitto on a free loopback port, that can be killed, frozen and started again."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Broker", "TlsFiles", "find_mosquitto", "unused_port"]

#: Below the ports that the kernel hands out, or a client that tries again while the broker is down may, once in a
#: while, be given that very port for its own end and connect to itself.
_PORTS = range(20_000, 32_000)
_START_TIMEOUT = 20.0
_HOST = "127.0.0.1"


def find_mosquitto() -> str:
    """Return the path of the broker's program. A machine without it cannot run these tests, and is told so."""
    path = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"]))
    if path is None:
        raise AssertionError(
            "mosquitto is missing: neither in PATH nor in /usr/sbin; install Debian's package mosquitto"
        )
    return path


def unused_port() -> int:
    """Return a loopback port on which nothing listens."""
    while True:
        # Not the chance that tests have fixed: several processes look for ports at a time.
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
        return port


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of a broker that speaks TLS."""

    authority: Path
    """Certificate of the authority that clients have to trust."""
    certificate: Path
    key: Path


class Broker:
    """One mosquitto; what is published in vain is lost when it ends, unless it is persistent."""

    def __init__(
        self,
        folder: Path,
        *,
        users: Mapping[str, str] | None = None,
        access: str | None = None,
        max_packet_size: int | None = None,
        message_size_limit: int | None = None,
        tls: TlsFiles | None = None,
        is_persistent: bool = False,
        no_delay: bool = False,
        has_websockets: bool = False,
    ) -> None:
        """Prepare a broker, which :meth:`start` starts.

        `folder` takes its files and has to exist. With `users` (password by name) only these get in, else everybody.
        `access` is the text of an access control list. `max_packet_size` is in bytes, and so is `message_size_limit`,
        of which clients are not told. One that is persistent saves every change to its folder, and begins with what it
        finds there. With `no_delay` it does not wait for acknowledgements of its network packets before it sends the
        next. `has_websockets` gives it a second listener, at `websocket_url`.
        """
        self.host = _HOST
        self.port = unused_port()
        self.users = users
        """Counts from the next start on, as do `access` and `is_persistent`."""
        self.access = access
        self.is_persistent = is_persistent
        self.log: list[str] = []
        """Every line that it logged, over all its lives."""
        self._folder = folder
        self._max_packet_size = max_packet_size
        self._message_size_limit = message_size_limit
        self._tls = tls
        self._no_delay = no_delay
        self._websocket_port = unused_port() if has_websockets else None
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._running = threading.Event()

    @property
    def url(self) -> str:
        """Its URL, without credentials."""
        return f"{'mqtt' if self._tls is None else 'mqtts'}://{self.host}:{self.port}"

    @property
    def websocket_url(self) -> str:
        """The URL of its listener for WebSockets, such as browsers take."""
        assert self._websocket_port is not None, "the broker has no listener for WebSockets"
        return f"ws://{self.host}:{self._websocket_port}"

    def start(self) -> None:
        """Start it, on the same port as before, and wait until it accepts connections."""
        assert self._process is None, "the broker is running already"
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        self._running.clear()
        self._process = subprocess.Popen(
            [find_mosquitto(), "-c", configuration],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._reader = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
        self._reader.start()
        if not self._running.wait(_START_TIMEOUT) or self._process.poll() is not None:
            self.kill()
            raise AssertionError("mosquitto did not start; it logged:\n" + "\n".join(self.log[-20:]))

    def stop(self) -> None:
        """End it in an orderly way: it closes its connections first."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stop it from doing anything, with all its connections open, until :meth:`thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        while process.returncode is None:
            # More than once: in the moment after it says that it is running, mosquitto overlooks a signal.
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        assert self._reader is not None
        self._reader.join()

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self.log.append(line.rstrip())
                if line.rstrip().endswith("running"):
                    self._running.set()
        # It ended: nobody need wait for the start any more.
        self._running.set()

    def _configuration(self) -> str:
        lines = [
            f"listener {self.port} {self.host}",
            f"persistence {'true' if self.is_persistent else 'false'}",
            f"persistence_location {self._folder}/",
            "autosave_on_changes true",
            "autosave_interval 1",
            "log_dest stderr",
            "log_type all",
            # Without it, a broker started by root becomes somebody who cannot read the files below.
            "user root",
            f"allow_anonymous {'true' if self.users is None else 'false'}",
        ]
        if self.users is not None:
            passwords = self._folder / "passwords"
            passwords.write_text("".join(_password_line(*user) for user in self.users.items()), encoding="utf-8")
            passwords.chmod(0o600)
            lines.append(f"password_file {passwords}")
        if self.access is not None:
            access = self._folder / "access"
            access.write_text(self.access, encoding="utf-8")
            access.chmod(0o600)
            lines.append(f"acl_file {access}")
        if self._no_delay:
            lines.append("set_tcp_nodelay true")
        if self._max_packet_size is not None:
            lines.append(f"max_packet_size {self._max_packet_size}")
        if self._message_size_limit is not None:
            lines.append(f"message_size_limit {self._message_size_limit}")
        if self._tls is not None:
            lines += [f"certfile {self._tls.certificate}", f"keyfile {self._tls.key}"]
        if self._websocket_port is not None:
            lines += [f"listener {self._websocket_port} {self.host}", "protocol websockets"]
        return "\n".join(lines) + "\n"


def _password_line(name: str, password: str) -> str:
    salt = os.urandom(12)
    rounds = 101
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"{name}:$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"
