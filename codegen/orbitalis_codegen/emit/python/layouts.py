"""The layouts from which the codecs of named types are emitted."""

from __future__ import annotations

from collections.abc import Collection

from orbitalis_avro.generated_layouts import GeneratedLayouts
from orbitalis_codegen.emit.python import names
from orbitalis_codegen.emit.python.types import Types

__all__ = ["Layouts"]


_SUFFIXES_IN_USE = ("avro", "event", "json")
"""What follows `encode_` and `decode_` in functions of the envelope."""


class Layouts(GeneratedLayouts):
    """The layouts of the records among some types."""

    def __init__(self, types: Types, filled: Collection[str] = ()) -> None:
        self.suffixes = names.unique_names(
            ((name, names.snake_case(class_name)) for name, class_name in types.class_names.items()),
            taken=_SUFFIXES_IN_USE,
        )
        """What the functions of a named type are called after `_write_` and `_read_`, by its full name."""
        super().__init__(
            types.named,
            class_names=types.class_names,
            suffixes=self.suffixes,
            attributes=lambda record: [field.name for field in types.fields(record)],
            annotation=types.annotation,
            filled=filled,
        )
