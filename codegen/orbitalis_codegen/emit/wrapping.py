"""Texts of a specification, broken into lines, for any language."""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = ["wrapped"]


def wrapped(text: str, width: int, measure: Callable[[str], int] = len) -> Iterator[str]:
    """Break a text between words into lines no wider than `width`; a word that is wider gets a line for itself."""
    line, *words = text.split() or [""]
    for word in words:
        if measure(line) + 1 + measure(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}"
    yield line
