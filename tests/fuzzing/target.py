"""What is fuzzed: a function of bytes, with inputs to begin from and texts that are worth putting into them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

__all__ = ["Source", "Target", "assert_refusal", "depth_of"]

_LONGEST_REFUSAL = 10_000
"""Characters: a stranger's bytes end up in logs."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that takes whatever comes: it returns, or raises what is a fault."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    """Inputs that are right, from which hostile ones are made."""
    tokens: Sequence[bytes] = ()
    """What may mean something to it, beside what does to everybody."""
    seconds: float = 1.0
    """What the worst of inputs may take."""
    largest: int = 4096
    """Bytes of an input that a fuzzer makes up; those that are made by hand may be larger."""
    largest_bomb: int | None = None
    """Bytes, where it is for what is one's own, such as files, so that it need not be quick with what is larger."""
    is_slow: bool = False
    """Whether an input is a story, so that large ones say nothing more."""


class Source:
    """Bytes as a row of decisions; when they have run out, every decision is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._position < len(self._data)

    def number(self, below: int) -> int:
        """Take a number, from 0 on."""
        taken = self.take(1 if below <= 256 else 2)
        return int.from_bytes(taken) % below

    def take(self, count: int) -> bytes:
        """Take bytes, fewer if no more are left."""
        taken = self._data[self._position : self._position + count]
        self._position += count
        return taken

    def chunk(self) -> bytes:
        """Take bytes that begin with how many they are."""
        return self.take(self.number(65536) if self.number(256) == 255 else self.number(256))

    def text(self) -> str:
        """Take a short text."""
        return self.take(self.number(16)).decode("utf-8", "replace")


def assert_refusal(error: Exception) -> None:
    """Fail unless an error can be logged: short, and without what a terminal would act upon."""
    text = str(error)
    assert text
    assert len(text) <= _LONGEST_REFUSAL, f"{len(text)} characters: {text[:200]}"
    assert text.isprintable(), ascii(text)


def depth_of(data: str | bytes) -> int:
    """Return how deep the lists and objects of JSON nest; what is too deep even for Python counts as without end."""
    try:
        values: list[object] = [json.loads(data)]
    except RecursionError:
        return sys.maxsize
    depth = 0
    while values := [value for value in values if isinstance(value, (list, dict))]:
        depth += 1
        inner: list[object] = []
        for value in values:
            inner.extend(cast("dict[str, object]", value).values() if isinstance(value, dict) else value)
        values = inner
    return depth
