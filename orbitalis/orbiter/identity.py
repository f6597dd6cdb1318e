"""Who an orbiter is: its incarnation, and whether the broker lets it be that."""

from __future__ import annotations

import secrets

from orbitalis.bus.client import EventBusClient
from orbitalis.errors import BusRefusedError
from orbitalis.log import FieldLogger

__all__ = ["check_identity", "new_incarnation"]


def new_incarnation() -> str:
    """Return a text that no other call gives, in this process or another, and that nobody can guess."""
    return secrets.token_hex(16)


async def check_identity(client: EventBusClient, topic: str, identifier: str, role: str, logger: FieldLogger) -> None:
    """Report a broker that does not let an orbiter be who it says; what brokers refuse later may go unnoticed.

    `topic` is one that only this orbiter in its role may publish to, and to which nobody subscribes.
    """
    try:
        await client.check_may_publish(topic)
    except BusRefusedError as error:
        logger.error(
            "%s may not publish as itself. A broker that binds topics to users expects the identifier as the "
            "user's name, and the user has to be one of the %ss: %s",
            identifier,
            role,
            error,
        )
