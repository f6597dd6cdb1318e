"""The TypeScript target: messages, codecs, envelope, topics, channels, states and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orbitalis_codegen.emit.typescript import (
    channels,
    codecs,
    envelope,
    environment,
    messages,
    numbers,
    schemas,
    states,
    topics,
)
from orbitalis_codegen.model import Model

__all__ = ["FOLDER", "MODULES"]

FOLDER = "generated/typescript"
"""Where the modules stand, relative to the root."""

_TYPES = ("types.bare", "messages.bare")

_NAMES = (
    *("channels", "codecs", "envelope", "limits", "messages", "schemas", "states", "timings", "topics", "version"),
)
"""Of the modules that `index` offers."""

MODULES: Mapping[str, tuple[tuple[str, ...], Callable[[Model], str]]] = {
    "channels.ts": (("messages.bare", "channels.own", "operations"), channels.emit_channels),
    "codecs.ts": (_TYPES, codecs.emit_codecs),
    "envelope.ts": ((*_TYPES, "envelope"), envelope.emit_envelope),
    "index.ts": ((), lambda _: environment.render("index.ts.jinja2", modules=_NAMES)),
    "limits.ts": (("limits",), numbers.emit_limits),
    "messages.ts": (("types", "messages.bare"), messages.emit_messages),
    "schemas.ts": (("messages",), schemas.emit_schemas),
    "states.ts": (("state_charts",), states.emit_states),
    "timings.ts": (("timings",), numbers.emit_timings),
    "topics.ts": (("channels",), topics.emit_topics),
    "version.ts": (("title", "version"), numbers.emit_version),
}
"""By file name the parts of the model that a module depends on, and what emits it."""
