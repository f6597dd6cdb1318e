"""The counters of an orbiter: :class:`OrbiterStatistics`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OrbiterStatistics"]


@dataclass(slots=True, kw_only=True)
class OrbiterStatistics:
    """Counters of one orbiter, since it was made. They count messages and work that it has refused or dropped."""

    misplaced: int = 0
    """Messages on a topic for other messages, such as a request on the discover topic."""
    refused: int = 0
    """Messages that broke the protocol: an invalid name, topic or header, or another sender than they name."""
    ignored: int = 0
    """Messages without effect: late, duplicated, foreign, or of an unknown remote."""
    too_fast: int = 0
    """Messages of remotes that sent more than `Limits.remote_events_per_second`."""
    too_fast_strangers: int = 0
    """Messages of strangers beyond `Limits.stranger_events_per_second`."""
    too_fast_operators: int = 0
    """Requests of operators beyond `limits.INTROSPECTION_ANSWERS_PER_SECOND`."""
    overloaded: int = 0
    """Messages that were dropped because too much work waited."""
    duplicates: int = 0
    """Inputs and outputs that were not handled because their number had arrived before, or was too old."""
    missing: int = 0
    """Inputs and outputs that have not arrived, as sequence numbers show. Late ones are not counted any more."""
    expired: int = 0
    """Inputs that were not handled because their time was over."""
    taken_back: int = 0
    """Inputs that were not handled because their core had taken them back."""
    overloaded_answers: int = 0
    """Inputs that were dropped because too many inputs wait, and whose core was told so at once."""
    misled: int = 0
    """Messages of a second remote with the same identifier, on another bus."""
    namesakes: int = 0
    """Messages that showed that another orbiter has this identifier, or that two remotes have the same one."""
    unread_schemas: int = 0
    """Queries and offers whose schemas were not read because they were too large, or too many were new."""
    crowded_out: int = 0
    """Unanswered offers and requests that were forgotten to make room for others."""
    turned_away: int = 0
    """Offers and requests that were not made because there was no room."""
    forgotten: int = 0
    """Remotes that were forgotten to make room for others."""
    failed_periodic_calls: int = 0
    """Calls of periodic operations that raised, or whose result could not be sent."""
