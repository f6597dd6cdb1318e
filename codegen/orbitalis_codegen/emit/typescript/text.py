"""Texts of a specification as TypeScript source: comments, string literals, and lists that have to fit a line.

A description is input: whatever it holds, it must not end the comment that it is put into.
"""

from __future__ import annotations

from collections.abc import Iterable

from orbitalis_codegen.emit.wrapping import wrapped

__all__ = ["LINE_LENGTH", "assigned", "bracketed", "comment", "imported", "literal", "number_literal"]

LINE_LENGTH = 120
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}


def literal(text: str) -> str:
    """Quote a text, with the quotes that take fewer escapes; what is not printable is escaped."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def number_literal(value: float) -> str:
    """Write a finite number."""
    digits, _, exponent = repr(value).partition("e")
    return digits.removesuffix(".0") + (f"e{int(exponent)}" if exponent else "")


def assigned(opening: str, value: str, *, indent: int = 0) -> str:
    """Lay out what a property or constant is given: in one line if it fits, else the value in the next."""
    line = f"{opening} {value}"
    return line if indent + len(line) <= LINE_LENGTH else f"{opening}\n{' ' * (indent + 2)}{value}"


def comment(text: str, *, indent: int = 0) -> str:
    """Lay a description out as a documentation comment of lines that fit, the first without its indentation."""
    paragraphs = [_plain(line) for line in text.strip().splitlines()] or ["Not described."]
    width = LINE_LENGTH - indent - 3
    if len(paragraphs) == 1 and len(paragraphs[0]) + 4 <= width:
        return f"/** {paragraphs[0]} */"
    lines = [line for paragraph in paragraphs for line in wrapped(paragraph, width)]
    margin = "\n" + " " * indent + " *"
    return "/**" + "".join(f"{margin} {line}" if line else margin for line in lines) + f"{margin}/"


def bracketed(opening: str, items: Iterable[str], closing: str, *, indent: int = 0, broken: bool = False) -> str:
    """Lay out a bracketed list: in one line if it fits, else one item a line. The first line is not indented.

    As `prettier` does, several objects get a line each. `broken` is one item a line whatever fits.
    """
    items = list(items)
    line = opening + ", ".join(items) + closing
    are_objects = len(items) > 1 and all(item.startswith("{") for item in items)
    if indent + len(line) <= LINE_LENGTH and "\n" not in line and not are_objects and not broken:
        return line
    inner = "\n" + " " * (indent + 2)
    return opening + "".join(f"{inner}{item}," for item in items) + "\n" + " " * indent + closing


def imported(opening: str, names: Iterable[str], module: str) -> str:
    """Lay out the import of some names, sorted: in one line if it fits, else one name a line; nothing for no names."""
    names = sorted(dict.fromkeys(names), key=lambda name: (name.removeprefix("type ").lower(), name))
    if not names:
        return ""
    ending = f"from {literal(module)};"
    line = f"{opening} {{ {', '.join(names)} }} {ending}"
    return line if len(line) <= LINE_LENGTH else bracketed(f"{opening} {{", names, f"}} {ending}", broken=True)


def _plain(line: str) -> str:
    words = " ".join(line.split())
    printable = "".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in words)
    return printable.replace("*/", "*\\/")


def _escaped(character: str, quote: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character == quote:
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"
