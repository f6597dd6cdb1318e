"""What an implementation may leave out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["FEATURES", "unknown_feature"]

FEATURES: Final = (
    "core",
    "plugin",
    "headers",
    "topic_layout",
    "sequence_numbers",
    "avro",
    "announcements",
    "late_offers",
    "wills",
    "introspection",
    "resolution",
    "requests",
    "cancels",
    "deadlines",
    "limits",
    "older_peers",
)
"""What a subject may lack, and a case may need."""


def unknown_feature(names: Iterable[object]) -> str | None:
    """Return what is wrong with a list of features, and which ones there are; `None` if all of them are known."""
    for name in names:
        if name not in FEATURES:
            return f"there is no feature {name!r}; there are {', '.join(FEATURES)}"
    return None
