"""What is logged carries, as attributes of its record, whom and what it is about: :class:`FieldLogger`.

All loggers are those of the standard library, below `orbitalis`, each with the name of its module.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

__all__ = ["FIELDS", "FieldLogger"]

FIELDS: Final = ("orbiter", "remote", "operation", "connection", "bus", "topic", "event")
"""Attributes that every record has; `None` where it is not about one."""


class FieldLogger(logging.LoggerAdapter[logging.Logger]):
    """Logs with fields: those that it was made with, and those that a call gives as `extra`."""

    def __init__(self, logger: logging.Logger, **fields: str | None) -> None:
        """Log to `logger` with some of :data:`FIELDS`."""
        super().__init__(logger, {**dict.fromkeys(FIELDS), **fields})

    def about(self, **fields: str | None) -> None:
        """Log with these fields from now on, beside the others."""
        self.extra = {**(self.extra or {}), **fields}

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the fields to a call."""
        given: Mapping[str, object] = kwargs.get("extra") or {}
        return msg, {**kwargs, "extra": {**(self.extra or {}), **given}}
