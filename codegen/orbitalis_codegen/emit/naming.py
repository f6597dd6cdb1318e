"""Names of a specification, taken apart and kept apart, for any language."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

__all__ = ["snake_case", "unique", "unique_names"]


def snake_case(name: str) -> str:
    """Turn `OfferMessage`, `closeAck` or `HTTPServer2` into `offer_message`, `close_ack`, `http_server2`."""
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"\W", "_", separated).lower()


def unique(name: str, taken: Collection[str]) -> str:
    """Append underscores to a name until nothing else has it."""
    while name in taken:
        name += "_"
    return name


def unique_names(names: Iterable[tuple[str, str]], taken: Iterable[str] = ()) -> dict[str, str]:
    """Give each key a name that no other has; of several that want the same, the first gets it."""
    result: dict[str, str] = {}
    used = set(taken)
    for key, wanted in names:
        result[key] = unique(wanted, used)
        used.add(result[key])
    return result
