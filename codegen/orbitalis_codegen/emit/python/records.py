"""What the source of each class that is a record has: its slots and its `__init__`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orbitalis_codegen.emit.python import text

__all__ = ["Slot", "signature", "slots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A field of a record."""

    name: str
    annotation: str
    default: str | None = None
    """Source of the default value; `None` if a value is required."""
    is_factory: bool = False
    """Whether `default` has to be evaluated for each instance."""

    @property
    def declaration(self) -> str:
        """The line that declares it, in the body of the class."""
        return text.unbroken(f"{self.name}: {self.annotation}", indent=4)

    @property
    def assignment(self) -> str:
        """The line of `__init__` that sets it."""
        value = f"{self.default} if {self.name} is ABSENT else {self.name}" if self.is_made_anew else self.name
        return text.unbroken(f"_set(self, {text.literal(self.name)}, {value})", indent=8)

    @property
    def refusal(self) -> str:
        """The lines of `__init__` that refuse a text where several belong, or nothing."""
        if not self.takes_texts:
            return ""
        name = text.literal(self.name)
        return f"if type({self.name}) is TEXT:\n            raise not_several({name}, {self.name})"

    @property
    def takes_texts(self) -> bool:
        """Whether it has several texts: a text alone would be taken for its letters."""
        return self.annotation.startswith("Sequence[str]")

    @property
    def parameter(self) -> str:
        """The parameter of `__init__`."""
        # A text is a sequence of texts to type checkers as well.
        annotation = self.annotation.replace("Sequence[str]", "list[str] | tuple[str, ...]", self.takes_texts)
        start = f"{self.name}: {annotation}"
        if self.default is None:
            return start
        return f"{start} = ABSENT" if self.is_made_anew else f"{start} = {self.default}"

    @property
    def is_made_anew(self) -> bool:
        """Whether `__init__` makes the default value, as it does with one that no signature has room for."""
        return self.default is not None and (
            self.is_factory or not text.fits(f"{self.name}: {self.annotation} = {self.default},", indent=8)
        )


def slots(fields: Iterable[Slot]) -> str:
    """Lay out the line that declares the slots of a record."""
    names = sorted((field.name for field in fields), key=_natural)
    if len(names) == 1:
        return f"__slots__ = ({text.literal(names[0])},)"
    return text.fit("__slots__ = (", map(text.literal, names), ")", indent=4, spread=True)


def signature(fields: Iterable[Slot]) -> str:
    """Lay out the first line of `__init__`, of at least one field."""
    return text.fit_if_possible(
        "def __init__(", ["self", "*", *(field.parameter for field in fields)], ") -> None:", indent=4
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort names as `ruff check` wants slots: numbers in them by value."""
    parts: list[str] = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
