"""Texts of a specification as Python source: docstrings, string literals, and lists that have to fit a line.

A description is input: whatever it holds, it must not end the literal that it is put into. What is laid out here is
what `ruff format` would leave as it is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

__all__ = ["LINE_LENGTH", "docstring", "fit", "literal", "long_literal"]

LINE_LENGTH = 120
_INDENT = "    "


def literal(text: str) -> str:
    """Quote a text; what is not printable is escaped."""
    quote = "'" if '"' in text and "'" not in text else '"'
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def long_literal(text: str, *, indent: int) -> list[str]:
    """Quote a text as literals of one line each, which Python joins."""
    width = LINE_LENGTH - indent
    quote = "'" if '"' in text and "'" not in text else '"'
    lines: list[str] = []
    line = ""
    for character in text:
        escaped = _escaped(character, quote)
        if len(line) + len(escaped) > width - 2:
            lines.append(quote + line + quote)
            line = ""
        line += escaped
    return [*lines, quote + line + quote]


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


def _wrapped(text: str, width: int, first_indent: str = "") -> Sequence[str]:
    return textwrap.wrap(
        text, width, initial_indent=first_indent, break_long_words=False, break_on_hyphens=False
    ) or [first_indent]


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
