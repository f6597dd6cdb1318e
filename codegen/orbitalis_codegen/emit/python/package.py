"""The Python target: package `orbitalis_wire` with messages, codecs, envelope, topics and channels."""

from __future__ import annotations

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

__all__ = ["FOLDER", "emit_python"]

FOLDER = "generated/python/orbitalis_wire"
"""Where the package stands, relative to the root."""


def emit_python(model: Model) -> dict[str, str]:
    """Emit the modules of the package, by file name."""
    types = Types(model)
    return {
        "__init__.py": numbers.emit_package(model),
        "_envelope.py": envelope.emit_envelope_codecs(model, types),
        "channels.py": channels.emit_channels(model, types),
        "codecs.py": codecs.emit_codecs(model, types),
        "envelope.py": envelope.emit_envelope(model, types),
        "limits.py": numbers.emit_limits(model),
        "messages.py": messages.emit_messages(types),
        "schemas.py": schemas.emit_schemas(model, types),
        "states.py": states.emit_states(model),
        "timings.py": numbers.emit_timings(model),
        "topics.py": topics.emit_topics(model),
    }
