"""What goes wrong when a model cannot be expressed in a target language."""

from __future__ import annotations

__all__ = ["EmitError"]


class EmitError(Exception):
    """The specification is valid, but says something that the target cannot express; the text says what and where."""
