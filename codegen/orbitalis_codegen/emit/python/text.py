"""Texts of a specification as Python source: docstrings, string literals, and lists that have to fit a line.

A description is input: whatever it holds, it must not end the literal that it is put into. What is laid out here is
what `ruff format` would leave as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orbitalis_codegen.emit.wrapping import wrapped

__all__ = [
    "LINE_LENGTH",
    "bytes_literal",
    "docstring",
    "fit",
    "fit_if_possible",
    "fit_nested",
    "fit_string",
    "fits",
    "float_literal",
    "import_from",
    "literal",
    "sorted_names",
    "tuple_of",
    "unbroken",
]

LINE_LENGTH = 120
_INDENT = "    "


def literal(text: str) -> str:
    """Quote a text, with the quotes that take fewer escapes; what is not printable is escaped."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    if text.isprintable():
        return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def bytes_literal(content: bytes) -> str:
    """Quote bytes, with the quotes that take fewer escapes."""
    quote = "'" if content.count(b'"') > content.count(b"'") else '"'
    characters = (_escaped(chr(byte), quote) if byte < 0x7F else f"\\x{byte:02x}" for byte in content)
    return f"b{quote}{''.join(characters)}{quote}"


def float_literal(value: float) -> str:
    """Write a finite number."""
    return repr(float(value)).replace("e+", "e")


def fits(line: str, *, indent: int) -> bool:
    """Whether a line is short enough."""
    return indent + _width(line) <= LINE_LENGTH


def fit_string(opening: str, text: str, closing: str = "", *, indent: int) -> str:
    """Lay out what is assigned a text: in one line if it fits, else as literals that Python joins."""
    line = opening + literal(text) + closing
    if fits(line, indent=indent):
        return line
    inner = "\n" + " " * indent + _INDENT
    width = LINE_LENGTH - indent - len(_INDENT)
    return (
        f"{opening}(" + "".join(inner + part for part in _literals(text, width)) + "\n" + " " * indent + ")" + closing
    )


def _literals(text: str, width: int) -> Iterator[str]:
    """Quote a text in parts that are no wider than `width`."""
    start, taken = 0, _Measure()
    for end, character in enumerate(text):
        taken.add(character)
        if end > start and taken.width > width:
            yield literal(text[start:end])
            start, taken = end, _Measure()
            taken.add(character)
    yield literal(text[start:])


@dataclass(slots=True)
class _Measure:
    """How wide the literal of a text is that grows by one character after the other."""

    unquoted: int = 0
    """Columns without quotes, and without what quotes in it are escaped with."""
    single: int = 0
    double: int = 0

    def add(self, character: str) -> None:
        self.unquoted += 1 if " " <= character <= "~" and character != "\\" else _width(_escaped(character, ""))
        self.single += character == "'"
        self.double += character == '"'

    @property
    def width(self) -> int:
        """Columns of the literal, with the quotes that take fewer escapes."""
        return 2 + self.unquoted + min(self.single, self.double)


def unbroken(line: str, *, indent: int) -> str:
    """Leave a line in one piece however long it is, and tell the tools so: nothing in it has a layout of its own."""
    return line if fits(line, indent=indent) else f"{line}  # fmt: skip  # noqa: E501"


def docstring(text: str, *, indent: int) -> str:
    """Lay a description out as a docstring of lines that fit, the first without its indentation.

    `indent` counts spaces. A text without content gives a docstring that says so. Backslashes make it a raw string, as
    long as nothing in it needs an escape.
    """
    paragraphs = [line.replace("\t", " ").strip() for line in text.strip().splitlines()] or ["Not described."]
    is_raw = any("\\" in line for line in paragraphs) and all(_is_plain(line) for line in paragraphs)
    opening = 'r"""' if is_raw else '"""'
    if not is_raw:
        paragraphs = [_escaped_line(line) for line in paragraphs]
    width = LINE_LENGTH - indent
    if len(paragraphs) == 1 and _width(paragraphs[0]) + len(opening) + 3 <= width:
        return opening + paragraphs[0] + '"""'
    # A first line with room for the closing quotes would be one that the formatter puts them on.
    lines = list(wrapped(opening + paragraphs[0], width - 3, _width))
    lines += [line for paragraph in paragraphs[1:] for line in wrapped(paragraph, width, _width)]
    return "\n".join([lines[0], *(" " * indent + line if line else "" for line in [*lines[1:], '"""'])])


def fit(opening: str, items: Iterable[str], closing: str, *, indent: int = 0, spread: bool = False) -> str:
    """Lay out a bracketed list: in one line if it fits, else indented in the next, else one item a line.

    `spread` leaves the second form out, as literals and imports do. The first line comes without its indentation.
    """
    items = list(items)
    line = opening + ", ".join(items) + closing
    if indent + len(line) <= LINE_LENGTH:
        return line
    inner = "\n" + " " * indent + _INDENT
    joined = ", ".join(items)
    if not spread and indent + len(_INDENT) + len(joined) <= LINE_LENGTH:
        return opening + inner + joined + "\n" + " " * indent + closing
    return opening + "".join(f"{inner}{item}," for item in items) + "\n" + " " * indent + closing


def fit_if_possible(opening: str, items: Iterable[str], closing: str, *, indent: int = 0) -> str:
    """Lay out a bracketed list as :func:`fit` does, or leave it in one line where that does not help."""
    items = list(items)
    laid_out = fit(opening, items, closing, indent=indent)
    first, *others = laid_out.splitlines()
    if fits(first, indent=indent) and all(fits(line, indent=0) for line in others):
        return laid_out
    return unbroken(opening + ", ".join(items) + closing, indent=indent)


def fit_nested(openings: tuple[str, str], items: Iterable[str], closings: tuple[str, str], *, indent: int = 0) -> str:
    """Lay out a bracketed list that is the only argument of a call, as :func:`fit` does with one bracket."""
    items = list(items)
    line = "".join(openings) + ", ".join(items) + "".join(closings)
    if indent + len(line) <= LINE_LENGTH:
        return line
    inner = "\n" + " " * indent + _INDENT
    nested = fit(openings[1], items, closings[0], indent=indent + len(_INDENT), spread=True)
    return openings[0] + inner + nested + "\n" + " " * indent + closings[1]


def import_from(module: str, names: Iterable[str]) -> str:
    """Lay out the import of some names, sorted: in one line if it fits, else one name a line."""
    names = sorted_names(names, ignore_case=True)
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= LINE_LENGTH else fit(f"from {module} import (", names, ")", spread=True)


def sorted_names(names: Iterable[str], *, ignore_case: bool = False) -> list[str]:
    """Sort names as `ruff check` wants them: constants, then classes, then functions; numbers in them by value."""

    def key(name: str) -> tuple[bool, bool, list[tuple[int, str]], str]:
        is_constant = len(name) > 1 and name.isupper()
        parts: list[str] = re.findall(r"\d+|\D+", name.lower() if ignore_case else name)
        return (
            not is_constant,
            not name[:1].isupper(),
            [(int(part), "") if part.isdigit() else (-1, part) for part in parts],
            name,
        )

    return sorted(names, key=key)


def tuple_of(items: Iterable[str]) -> str:
    """Write a tuple of expressions in one line."""
    expressions = list(items)
    return f"({', '.join(expressions)}{',' if len(expressions) == 1 else ''})"


def _width(text: str) -> int:
    """Count the columns that a text takes, as `ruff` does."""
    if text.isascii():
        return len(text)
    wide, nothing = ("W", "F"), ("Mn", "Me", "Cf")
    return sum(
        0 if unicodedata.category(character) in nothing else 2 if unicodedata.east_asian_width(character) in wide else 1
        for character in text
    )


def _is_plain(line: str) -> bool:
    """Whether a line can stand in a raw docstring."""
    return line.isprintable() and '"""' not in line and not line.endswith(('"', "\\"))


def _escaped_line(line: str) -> str:
    # Other escapes than those of Unicode would ask for a raw string.
    escaped = "".join(
        character if character.isprintable() and character != "\\" else _unicode_escape(character) for character in line
    ).replace('"""', r"\u0022\u0022\u0022")
    return escaped[:-1] + r"\u0022" if escaped.endswith('"') else escaped


def _escaped(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return "\\" + character
    if character.isprintable():
        return character
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    if short is not None:
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else _unicode_escape(character)


def _unicode_escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
