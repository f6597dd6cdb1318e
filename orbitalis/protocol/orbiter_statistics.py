"""What a state machine and its caller count."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OrbiterStatistics"]


@dataclass(slots=True, kw_only=True)
class OrbiterStatistics:
    """Counters of one orbiter, from its making on: what it did not do, and why."""

    misplaced: int = 0
    """Messages on a topic that is for others, such as a request on the discover topic."""
    refused: int = 0
    """Messages that broke the protocol: with a name, topic or header that cannot be, or of another than they say."""
    ignored: int = 0
    """Messages that were late, duplicated, foreign or of nobody known, and changed nothing."""
    too_fast: int = 0
    """Messages of remotes that sent more than `Limits.remote_events_per_second`."""
    too_fast_strangers: int = 0
    """Messages of others beyond `Limits.stranger_events_per_second`."""
    too_fast_operators: int = 0
    """Requests of operators beyond `limits.INTROSPECTION_ANSWERS_PER_SECOND`."""
    overloaded: int = 0
    """Messages that came while too much was still to be done."""
    duplicates: int = 0
    """Inputs and outputs that were not handled, since their number had come before, or is too old."""
    missing: int = 0
    """Inputs and outputs that have not come, as the numbers of others show; one that comes late counts no more."""
    expired: int = 0
    """Inputs that were not handled, since their core waited for the answer no more."""
    taken_back: int = 0
    """Inputs that were not handled, since their core had taken them back."""
    overloaded_answers: int = 0
    """Inputs dropped because too much waits, whose core was told so at once."""
    misled: int = 0
    """Messages of a second remote of the same name, on another bus."""
    namesakes: int = 0
    """Messages that showed that another orbiter has the identifier of this one, or that two remotes have one."""
    unread_schemas: int = 0
    """Queries and offers of operations whose schemas were too large, or too many new ones at a time."""
    crowded_out: int = 0
    """Unanswered offers and requests that had to make room for others."""
    turned_away: int = 0
    """Offers and requests that were not made since there was no room."""
    forgotten: int = 0
    """Remotes that were forgotten to make room for others."""
    failed_periodic_calls: int = 0
    """Calls of periodic operations that raised, or whose result could not be sent."""
