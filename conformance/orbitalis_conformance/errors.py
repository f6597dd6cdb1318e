"""What can go wrong in a case, told apart by whose fault it is."""

from __future__ import annotations

__all__ = ["CaseError", "Fault", "ToolError"]


class Fault(Exception):
    """The subject did what it must not, or did not what it must; the text says what was expected and what came."""

    def __init__(self, text: str, requirements: tuple[str, ...] = ()) -> None:
        """Say what is wrong, and which requirements say so, if it is not those of the case."""
        super().__init__(text)
        self.requirements = requirements


class ToolError(Exception):
    """Something that is no fault of the subject: the broker, the command, or the tester itself."""


class CaseError(ToolError):
    """A case is not written as it has to be; the text says where."""
