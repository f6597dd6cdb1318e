"""The TypeScript target: messages, codecs, envelope, topics, channels, states and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orbitalis_codegen.emit.typescript import channels, messages, numbers, schemas, states, topics
from orbitalis_codegen.model import Model

__all__ = ["FOLDER", "MODULES"]

FOLDER = "generated/typescript"
"""Where the modules stand, relative to the root."""

_TYPES = ("types.bare", "messages.bare")

MODULES: Mapping[str, tuple[tuple[str, ...], Callable[[Model], str]]] = {
    "channels.ts": (("messages.bare", "channels", "operations"), channels.emit_channels),
    "limits.ts": (("limits",), numbers.emit_limits),
    "messages.ts": (("types", "messages.bare"), messages.emit_messages),
    "schemas.ts": (("messages",), schemas.emit_schemas),
    "states.ts": (("state_charts",), states.emit_states),
    "timings.ts": (("timings",), numbers.emit_timings),
    "topics.ts": (("channels",), topics.emit_topics),
    "version.ts": (("title", "version"), numbers.emit_version),
}
"""By file name the parts of the model that a module depends on, and what emits it."""
