"""The Python target: package `orbitalis_wire` with messages, codecs, envelope, topics and channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orbitalis_codegen.emit.python import (
    channels,
    codecs,
    envelope,
    messages,
    numbers,
    schemas,
    states,
    topics,
)
from orbitalis_codegen.emit.python.types import Types
from orbitalis_codegen.model import Model

__all__ = ["FOLDER", "MODULES"]

FOLDER = "generated/python/orbitalis_wire"
"""Where the package stands, relative to the root."""


_TYPES = ("types.bare", "messages.bare")

MODULES: Mapping[str, tuple[tuple[str, ...], Callable[[Model], str]]] = {
    "__init__.py": (("title", "version"), numbers.emit_package),
    "_envelope.py": ((*_TYPES, "envelope"), lambda part: envelope.emit_envelope_codecs(part, Types.of(part))),
    "channels.py": ((*_TYPES, "channels.own", "operations"), lambda part: channels.emit_channels(part, Types.of(part))),
    "codecs.py": (_TYPES, lambda part: codecs.emit_codecs(part, Types.of(part))),
    "envelope.py": ((*_TYPES, "envelope"), lambda part: envelope.emit_envelope(part, Types.of(part))),
    "limits.py": (("limits",), numbers.emit_limits),
    "messages.py": (("types", "messages.bare"), lambda part: messages.emit_messages(Types.of(part))),
    "schemas.py": (("types.bare", "messages"), lambda part: schemas.emit_schemas(part, Types.of(part))),
    "states.py": (("state_charts",), states.emit_states),
    "timings.py": (("timings",), numbers.emit_timings),
    "topics.py": (("channels",), topics.emit_topics),
}
"""By file name the parts of the model that a module depends on, and what emits it."""
