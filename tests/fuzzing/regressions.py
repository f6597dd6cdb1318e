"""Inputs that once showed a fault, from `regressions.txt`: target and hexadecimal digits, a case a line."""

from __future__ import annotations

from pathlib import Path

__all__ = ["REGRESSIONS", "line_of"]

_FILE = Path(__file__).with_name("regressions.txt")


def _read() -> list[tuple[str, bytes]]:
    lines = (line for line in _FILE.read_text().splitlines() if line and not line.startswith("#"))
    return [(name, bytes.fromhex(digits)) for name, _, digits in (line.partition(": ") for line in lines)]


def line_of(name: str, data: bytes) -> str:
    """Return the line to add for an input."""
    return f"{name}: {data.hex()}"


REGRESSIONS = _read()
