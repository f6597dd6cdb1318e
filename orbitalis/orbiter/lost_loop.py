"""The end of an orbiter whose event loop was closed before it was stopped."""

from __future__ import annotations

from typing import Final

from orbitalis.log import FieldLogger
from orbitalis.orbiter.loop import OrbiterLoop
from orbitalis.orbiter.runtime import Runtime
from orbitalis.protocol.effects import ComplianceChanged, ConnectionClosed, PendingRequestDiscarded, RemoteLost

__all__ = ["end_without_loop"]

_FOR_THE_USER: Final = (ComplianceChanged, ConnectionClosed, PendingRequestDiscarded, RemoteLost)
"""Effects that can still be carried out. What is for the bus cannot be sent any more."""


def end_without_loop(identifier: str, loop: OrbiterLoop, runtime: Runtime, logger: FieldLogger) -> None:
    """Drop what waits in an event loop that is closed, and end the connections for the user alone; say so."""
    logger.warning(
        "%s was not stopped before its event loop was closed: its remotes are told nothing, and take it for dead when "
        "it has been silent for long enough",
        identifier,
    )
    loop.let_go()
    runtime.let_go()
    runtime.queues.let_go()
    runtime.delivery.let_go()
    runtime.submit([effect for effect in runtime.machine.stop() if isinstance(effect, _FOR_THE_USER)])
