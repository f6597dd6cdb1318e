"""Codecs of users' message classes, worked out once for each class: annotations and schema → layout → functions."""

from __future__ import annotations

from orbitalis.message.codec.compiled import (
    Codec,
    compile_codec,
    compile_generated_copier,
    compile_generated_reader,
    compile_layouts,
    compile_reader,
)

__all__ = [
    "Codec",
    "compile_codec",
    "compile_generated_copier",
    "compile_generated_reader",
    "compile_layouts",
    "compile_reader",
]
