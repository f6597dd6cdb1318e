"""Texts of a specification as Python source: docstrings, string literals, and lists that have to fit a line.

A description is input: whatever it holds, it must not end the literal that it is put into. What is laid out here is
what `ruff format` would leave as it is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["LINE_LENGTH", "docstring", "fit", "fit_nested", "fit_string", "import_from", "literal", "tuple_of"]

LINE_LENGTH = 120
_INDENT = "    "


def literal(text: str) -> str:
    """Quote a text, with the quotes that take fewer escapes; what is not printable is escaped."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def fit_string(opening: str, text: str, closing: str = "", *, indent: int) -> str:
    """Lay out what is assigned a text: in one line if it fits, else as literals that Python joins."""
    line = opening + literal(text) + closing
    if indent + len(line) <= LINE_LENGTH:
        return line
    inner = "\n" + " " * indent + _INDENT
    width = LINE_LENGTH - indent - len(_INDENT)
    return (
        f"{opening}(" + "".join(inner + part for part in _literals(text, width)) + "\n" + " " * indent + ")" + closing
    )


def _literals(text: str, width: int) -> Iterator[str]:
    """Quote a text in parts that are no wider than `width`."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or len(literal(text[start : end + 1])) > width:
            yield literal(text[start:end])
            start = end


def docstring(text: str, *, indent: int) -> str:
    """Lay a description out as a docstring of lines that fit, the first without its indentation.

    `indent` counts spaces. A text without content gives a docstring that says so.
    """
    paragraphs = [_escaped_line(line.strip()) for line in text.strip().splitlines()] or ["Not described."]
    width = LINE_LENGTH - indent
    if len(paragraphs) == 1 and len(paragraphs[0]) + 6 <= width:
        return '"""' + paragraphs[0] + '"""'
    wrapped = [_wrapped(paragraphs[0], width - 3, first_indent='"""')]
    wrapped += [_wrapped(paragraph, width) for paragraph in paragraphs[1:]]
    lines = [line for lines in wrapped for line in lines]
    return ("\n" + " " * indent).join([*lines, '"""']).replace("\n" + " " * indent + "\n", "\n\n")


def fit(opening: str, items: Iterable[str], closing: str, *, indent: int = 0, spread: bool = False) -> str:
    """Lay out a bracketed list: in one line if it fits, else indented in the next, else one item a line.

    `spread` leaves the second form out, as lists of imports do. The first line comes without its indentation.
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
    # Constants come first, then classes, then functions, each without regard to case.
    names = sorted(names, key=lambda name: (not name.isupper(), not name[:1].isupper(), name.lower()))
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= LINE_LENGTH else fit(f"from {module} import (", names, ")", spread=True)


def tuple_of(items: Iterable[str]) -> str:
    """Write a tuple of expressions in one line."""
    expressions = list(items)
    return f"({', '.join(expressions)}{',' if len(expressions) == 1 else ''})"


def _wrapped(text: str, width: int, first_indent: str = "") -> Sequence[str]:
    return textwrap.wrap(text, width, initial_indent=first_indent, break_long_words=False, break_on_hyphens=False) or [
        first_indent
    ]


def _escaped_line(line: str) -> str:
    escaped = "".join(_escaped(character, "") for character in line.replace("\t", " "))
    escaped = escaped.replace('"""', r"\"\"\"")
    if escaped.startswith('"'):
        escaped = "\\" + escaped
    if escaped.endswith('"') and not escaped.endswith('\\"'):
        escaped = escaped[:-1] + r"\""
    return escaped


def _escaped(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return "\\" + character
    if character.isprintable():
        return character
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    if short is not None:
        return short
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
