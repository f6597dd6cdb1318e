"""Names that emitted code cannot give away: what the runtime's classes have, and what emitted modules import."""

from __future__ import annotations

from typing import Final

__all__ = ["ATTRIBUTES", "CLASSES", "ERROR_PROPERTIES", "OF_OBJECTS"]

_OF_ORBITERS: Final = """
bus close connections core counters description filters identifier isRunning leave log machine makeMachine operation
reconfigure runtime send setPolicy settings start statistics stop stopped taker topicToItself tracing withdraw
"""
_IMPORTED: Final = """
Answer CODECS Canned Constraint ContractClient Core DeclaredError Done ErrorFields Noted OrbiterOptions Plugin Request
"""

OF_OBJECTS: Final = frozenset(
    {
        *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "then", "toLocaleString"),
        *("toString", "valueOf"),
    }
)
"""What every object has, or what a promise would take for its own."""

ATTRIBUTES: Final = OF_OBJECTS | frozenset(_OF_ORBITERS.split())
"""What plugins and clients have by themselves."""

ERROR_PROPERTIES: Final = OF_OBJECTS | {"cause", "message", "name", "stack"}
"""What an error has by itself."""

CLASSES: Final = frozenset(_IMPORTED.split())
"""What emitted modules import or define under a name that a type could have."""
