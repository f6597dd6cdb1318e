"""Identifiers of events in a net of machines."""

from __future__ import annotations

from collections.abc import Callable


class NetIdentifiers:
    """Gives one machine new identifiers of its net, and knows which it got."""

    def __init__(self, new_identifier: Callable[[], str]) -> None:
        self._new_identifier = new_identifier
        self._given: set[str] = set()

    def __call__(self) -> str:
        """Return an identifier that is new."""
        identifier = self._new_identifier()
        self._given.add(identifier)
        return identifier

    def has_given(self, identifier: str) -> bool:
        """Return whether the machine got an identifier."""
        return identifier in self._given
