"""Why the schema of a writer and that of a reader do not go together."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One difference that a reader does not get over."""

    verb: str
    """What differs, such as `is`, `is called` or `has logical type`."""
    writer: str | None
    """What the writer writes; `None` where it has nothing of the kind."""
    reader: str | None
    """What the reader reads; `None` where the writer's schema alone is refused."""
    path: str = ""
    """Path of the field, such as `Status.position.x`; `[]` are the items of an array, `{}` those of a map."""

    def inside(self, part: str) -> Refusal:
        """Return the same difference, seen from one level further out."""
        return replace(self, path=part + self.path)
