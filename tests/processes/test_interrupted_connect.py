"""Programs that are ended while they connect to a broker that does not answer: they end at once."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.timeout(60)

_AT_ONCE = 1.0
"""Seconds within which a program ends; it would connect for 60."""
_CAUSES = ["no answer to SYN", "no handshake", "no acknowledgement", "no name server"]


@pytest.fixture(params=_CAUSES)
def cause(request: pytest.FixtureRequest) -> str:
    """Give what a broker leaves undone."""
    name: str = request.param
    return name


@pytest.fixture
def port(cause: str) -> Iterator[int]:
    """Give the port of a broker that does not answer."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        if cause == "no answer to SYN":
            # Who comes when nobody else has been let in gets no answer.
            while True:
                sock = stack.enter_context(socket.socket())
                sock.setblocking(False)
                sock.connect_ex(listener.getsockname())
                if not select.select([], [sock], [], 0.2)[1]:
                    break
        yield listener.getsockname()[1]


def _launch(way: str, cause: str, port: int) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.processes.connecting", way, cause, str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "connecting\n"
    if cause == "no name server":
        assert program.stdout.readline() == "looking up\n"
    return program


def _end_of(program: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a program says from now on, as output and as error; it has to end at once."""
    with program:
        began = time.monotonic()
        try:
            output, errors = program.communicate(timeout=20)
        finally:
            program.kill()
        assert time.monotonic() - began < _AT_ONCE
    return output, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_program_that_runs_orbiters(cause: str, port: int, number: signal.Signals) -> None:
    program = _launch("run", cause, port)
    program.send_signal(number)
    assert _end_of(program) == ("", "")
    assert program.returncode == 0


def test_ctrl_c_ends_a_program_that_starts_an_orbiter(cause: str, port: int) -> None:
    program = _launch("start", cause, port)
    program.send_signal(signal.SIGINT)
    output, errors = _end_of(program)
    assert output == ""
    assert errors.endswith("KeyboardInterrupt\n")


def test_a_start_that_takes_too_long_is_given_up(cause: str, port: int) -> None:
    output, errors = _end_of(_launch("give up", cause, port))
    assert (output, errors) == ("given up\n", "")


def test_a_program_ends_whatever_still_connects(cause: str, port: int) -> None:
    output, errors = _end_of(_launch("go on", cause, port))
    assert (output, errors) == ("going on\n", "")
