"""The languages in which contracts are emitted. The command line lists them, so nothing else is imported here."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["LANGUAGES", "Language"]

Language: TypeAlias = Literal["python", "typescript"]
LANGUAGES: Final[dict[str, Language]] = {"python": "python", "typescript": "typescript"}
"""By what the command line and settings call them; where none is named, it is `python`."""
