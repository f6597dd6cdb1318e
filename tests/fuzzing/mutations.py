"""What is done to inputs that are right, so that they are right no more, or only just."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from tests.support.avro import long

__all__ = ["TROUBLE", "mutated_bytes"]

_Mutation: TypeAlias = Callable[[bytes, random.Random, Sequence[bytes]], bytes]

TROUBLE: Final = (
    *(b"\x00", b"\x01", b"\x02", b"\x7f", b"\x80", b"\xff", b"\xff" * 9 + b"\x02", b"\xff" * 11),
    *(long(2**31), long(2**40), long(2**62), long(-(2**63))),
    *(long(-1), long(-2) + long(1), struct.pack("<d", float("nan")), struct.pack("<d", float("inf")), b"\xed\xa0\x80"),
    *(b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xef\xbf\xbf", b"+", b"#", b"/", b"$", b"\r\n", b"\x1b[2J", b"\xe2\x80\xae"),
    *(b"[" * 65, b"9" * 5000, b"x" * 256),
)
"""Bytes that mean something to most readers: ends of ranges, lengths of more than there is, and what is no text."""


def mutated_bytes(content: bytes, count: int, chance: random.Random, tokens: Sequence[bytes] = ()) -> bytes:
    """Change something `count` times; `tokens` are put in beside :data:`TROUBLE`."""
    for _ in range(count):
        content = chance.choice(_MUTATIONS)(content, chance, (*tokens, *TROUBLE))
    return content


def _change_byte(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _flip_bit(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    if not content:
        return content
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def _cut(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(content) + 1)
    return content[:start] + content[start + chance.choice([1, 4, chance.randrange(200)]) :]


def _insert(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(tokens) + content[at:]


def _overwrite(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(content) + 1)
    token = chance.choice(tokens)
    return content[:at] + token + content[at + chance.choice([1, len(token)]) :]


def _repeat(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(content) + 1)
    piece = content[start : start + chance.randrange(40)]
    return content[:start] + piece * chance.choice([2, 2, 3, 20]) + content[start + len(piece) :]


def _move(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    start, to = (chance.randrange(len(content) + 1) for _ in range(2))
    return content[:to] + content[start : start + chance.randrange(40)] + content[to:]


def _drop_line(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def _repeat_line(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"".join(lines)


def _indent_line(content: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at = chance.randrange(len(lines))
    lines[at] = b" " * chance.randrange(8) + lines[at].lstrip(b" ")
    return b"".join(lines)


_MUTATIONS: Final[Sequence[_Mutation]] = (
    _change_byte,
    _flip_bit,
    _cut,
    _insert,
    _overwrite,
    _repeat,
    _move,
    _drop_line,
    _repeat_line,
    _indent_line,
)
