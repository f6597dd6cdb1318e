"""Numbers, as YAML and JSON share them: integers of 64 bits and finite doubles."""

from __future__ import annotations

import math

__all__ = ["decimal_number"]

_LONGEST_INTEGER = 20
"""Digits of 2**64; converting takes the square of them."""


def decimal_number(text: str) -> int | float | None:
    """The value of a decimal number's text, or `None` if 64 bits do not hold it."""
    if not any(character in text for character in ".eE"):
        digits = text.lstrip("+-").lstrip("0")
        if len(digits) > _LONGEST_INTEGER:
            return None
        integer = int(text)
        return integer if -(2**63) <= integer < 2**64 else None
    number = float(text)
    return number if math.isfinite(number) else None
