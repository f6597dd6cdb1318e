"""Hears what Python and the library complain about meanwhile, and tells what nobody has done on purpose."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from orbitalis.errors import OrbitalisError
from tests.simulation.shaky_orbiters import Mischief

__all__ = ["Eavesdropper"]

_ON_PURPOSE = (Mischief, OrbitalisError, asyncio.CancelledError)


class Eavesdropper(logging.Handler):
    """Collects errors of the event loop, warnings of Python, and exceptions that were logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    @contextmanager
    def listening(self) -> Generator[None]:
        """Listen meanwhile, to logs of the library in place of others."""
        logger = logging.getLogger("orbitalis")
        propagate, level, handlers = logger.propagate, logger.level, logger.handlers
        logger.propagate, logger.handlers = False, [self]
        logger.setLevel(logging.WARNING)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
                # What nobody has asked a task for is told when that is destroyed.
                gc.collect()
            finally:
                logger.propagate, logger.handlers = propagate, handlers
                logger.setLevel(level)
                self.heard += [f"warning: {one.message}" for one in caught]

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, _ON_PURPOSE):
            self.heard.append(f"{record.getMessage()}: {type(error).__name__}: {error}")

    def take(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what would be told the exception handler of an event loop."""
        error = context.get("exception")
        self.heard.append(f"event loop: {context.get('message')} {type(error).__name__}: {error}")
