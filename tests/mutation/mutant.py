"""A mutant: one place in which the code is broken, to see whether the tests notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mutant"]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """In `file` the text `old`, which stands there once, becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    known_fault: int | None = None
    survives_because: str = ""
    """Why no test can tell, where none can."""

    def apply(self, root: Path) -> None:
        """Change the file below `root`."""
        path = root / self.file
        text = path.read_text()
        assert text.count(self.old) == 1, f"{self.name}: {text.count(self.old)} places in {self.file}"
        path.write_text(text.replace(self.old, self.new))
