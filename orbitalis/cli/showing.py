"""What the command writes: tables with `rich` on a terminal, plain text elsewhere, and JSON for programs."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

__all__ = ["ago", "as_json", "print_json", "print_table", "print_text", "printable", "seconds_shown", "when"]

_GAP: Final = "  "
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def print_json(value: object, *, is_line: bool = False) -> None:
    """Write a value as JSON: on one line, or so that people can read it."""
    print(json.dumps(as_json(value), ensure_ascii=False, indent=None if is_line else 2), flush=is_line)


def as_json(value: object) -> Any:
    """Return what JSON has for a value: an object for a dataclass, base64 for bytes, ISO 8601 for a time."""
    match value:
        case datetime():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case str():
            # A lone surrogate cannot be written.
            return value.encode(errors="replace").decode()
        case Mapping():
            named = cast("Mapping[object, object]", value)
            return {str(key): as_json(inner) for key, inner in named.items()}
        case list() | tuple():
            return [as_json(inner) for inner in cast("Sequence[object]", value)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


def printable(text: object) -> str:
    """Return a text that others have chosen without what would steer a terminal."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(text))


def print_text(text: str = "") -> None:
    """Write lines; whatever steers a terminal is escaped."""
    print("\n".join(map(printable, text.split("\n"))))


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table: with rich where that is installed and this is a terminal, else in columns of plain text."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty() and _print_rich(titles, cells):
        return
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    for row in (titles, *cells):
        print(_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rich(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    try:
        # Here, since it takes long, and may be missing.
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
    return True


def ago(moment: datetime) -> str:
    """Return how long ago a time was, such as `3 min`."""
    return _since(moment, "")


def when(moment: datetime) -> str:
    """Return when a time was, such as `3 min ago`, or `now`."""
    return _since(moment, " ago")


def _since(moment: datetime, suffix: str) -> str:
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}{suffix}"
    return "now" if seconds > -5 else f"{-seconds:.0f} s ahead of this clock"


def seconds_shown(seconds: float) -> str:
    """Return a time of a few seconds in milliseconds."""
    return f"{1000 * seconds:.1f} ms"
