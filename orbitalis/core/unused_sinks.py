"""Sinks of operations that a core does not require, told once in its log when it starts."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

from orbitalis.arguments import nearest
from orbitalis.log import FieldLogger

__all__ = ["warn_of_unused_sinks"]

_logger = FieldLogger(logging.getLogger(__name__))

_TOLD: Final = 10
"""Sinks of which the log tells."""


def warn_of_unused_sinks(identifier: str, sinks: Collection[str], requirements: Collection[str]) -> None:
    """Log a warning if there are sinks, given by operation name, that no output can reach.

    It is no error: a requirement may be added later, and one class of cores may have sinks for several of them.
    """
    unused = [name for name in sinks if name not in requirements]
    if not unused:
        return
    missing = [name for name in requirements if name not in sinks]
    told = ", ".join(f"'{name}'{nearest(name, missing)}" for name in unused[:_TOLD])
    if len(unused) > _TOLD:
        told += f", and {len(unused) - _TOLD} more"
    _logger.warning(
        "%s has sinks for operations that it does not require, so these sinks get no outputs: %s",
        identifier,
        told,
        extra={"orbiter": identifier},
    )
