"""Broken specifications that a text file cannot hold, or not readably."""

from __future__ import annotations

from collections.abc import Iterator

from tests.codegen.broken.cases import LAMPS, Broken, Change

__all__ = ["computed_cases"]

DOCUMENT = "asyncapi.yaml"
COLOR = "schemas/Color.avsc"
TEXT = "schemas/Text.avsc"


def replaced(file: str, old: str, new: str) -> Change:
    """Change a part of a line."""
    content = (LAMPS / file).read_text(encoding="utf-8")
    assert content.count(old) == 1, f"{old!r} in {file}"
    return Change(file, b"", content.replace(old, new).encode())


def computed_cases() -> Iterator[Broken]:
    """Compute all cases."""
    yield Broken("ORB102", "five megabytes", [Change(TEXT, b"", "»".encode() + b" " * 5_000_000)], "than 4194304 bytes")
    latin = "asyncapi: 3.0.0\ninfo:\n  title: L»".encode() + b"\xe4mpchen\n"
    yield Broken("ORB103", "Latin-1", [Change(DOCUMENT, b"", latin)], "the byte 0xe4")
    marked = "»".encode() + (LAMPS / TEXT).read_text(encoding="utf-8").encode("utf-8-sig")
    hint = "save it as UTF-8 without one"
    yield Broken("ORB103", "byte order mark", [Change(TEXT, b"", marked)], "begins with a byte order mark", hint)
    wide = "»".encode() + "{}".encode("utf-16")
    yield Broken("ORB103", "UTF-16", [Change(TEXT, b"", wide)], "begins with a byte order mark", hint)
    yield Broken("ORB104", "control character", [replaced(TEXT, '"Text"', '"Te»\x07xt"')], "U+0007")
    separator = replaced(DOCUMENT, "Who sends the command.", "Who sends»\u2028the command.")
    yield Broken("ORB104", "line break that only some know", [separator], "U+2028")
    yield Broken("ORB105", "schema file with spaces only", [Change(TEXT, b"", "»\n \n".encode())], "empty")

    lists = replaced(DOCUMENT, "title: Lamps", "title: " + "[" * 98 + "»[]" + "]" * 98)
    yield Broken("ORB110", "nesting in YAML", [lists], "more than 100 levels deep")
    aliases = "x-a: &a " + "[" * 90 + "]" * 90 + "\nx-b: " + "[" * 10 + "»*a" + "]" * 10
    yield Broken("ORB110", "nesting by an alias", [replaced(DOCUMENT, "3.0.0", f"3.0.0\n{aliases}")], "100 levels deep")
    arrays = replaced(TEXT, '"string"', "[" * 97 + "»[]" + "]" * 97)
    yield Broken("ORB110", "nesting in JSON", [arrays], "more than 100 levels deep")
    values = replaced(COLOR, '"fields"', '"doc": [' + "0," * 99_996 + '»0], "fields"')
    yield Broken("ORB111", "list of 100,000 items", [values], "the file has more than 100000 values")
    yield Broken("ORB113", "integer of 5000 digits", [replaced(COLOR, "255", "»" + "9" * 5000)], "64 bits do not hold")

    long = replaced(DOCUMENT, "lamps/{lamp}/status", "»" + "ü" * 32766 + "/{lamp}/s")
    yield Broken("ORB428", "address of 65536 bytes", [long], "at least 65536 bytes", "'topic_bytes' allows 65535")

    chain = "".join(
        f"    t{number}:\n      $ref: {'»' if number == 50 else ''}'#/components/tags/t{number + 1}'\n"
        for number in range(51)
    )
    tags = replaced(
        DOCUMENT, "  operationBindings:\n", f"  tags:\n{chain}    t51:\n      name: core\n  operationBindings:\n"
    )
    yield Broken("ORB209", "chain of 51 references", [tags], "more than 50 others")
    deep = '{"type": "array", "items": ' * 70 + '"int"' + "}" * 70
    status = replaced("schemas/Status.avsc", '{"type": "int", "logicalType": "date"}', deep)
    marked_status = Change(status.file, b"", status.new.replace(b'"Status",\n', '»"Status",\n'.encode()))
    yield Broken("ORB317", "types within types", [marked_status], "more than 64 levels deep")
