"""Versions of one message, of which each reads what all others have written: some worlds have several."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from orbitalis import Input, Output
from tests.support.versions import message_of, record_of

__all__ = ["VERSIONS", "Versions", "said"]

VERSIONS: Final = (
    record_of("Said", ("value", "string")),
    record_of("Said", ("value", "string"), ("times", "int", 1)),
    record_of("Said", ("mood", ["null", "string"], None), ("value", "string")),
)
for _schema in VERSIONS:
    message_of(_schema)


def said(schema: str, text: str) -> Any:
    """Return a message of one of the versions."""
    fields = {field["name"]: field.get("default") for field in json.loads(schema)["fields"]}
    return message_of(schema)(**{**fields, "value": text})


class Versions:
    """Chooses which version each side has; in half of the worlds all have the texts of the protocol."""

    def __init__(self, seed: int) -> None:
        # Of its own, so that the worlds of known seeds stay what they are beside this.
        self._random = Random(f"versions of {seed}")
        self.are_many = self._random.random() < 0.5

    def shape(self) -> dict[str, Any]:
        """Return input and output of an operation."""
        if not self.are_many:
            return {"input": Input.string(), "output": Output.string()}
        given, sent = (self._random.choice(VERSIONS) for _ in range(2))
        return {"input": Input.from_schema(given), "output": Output.from_schema(sent)}

    def alternatives(self) -> dict[str, Any]:
        """Return inputs and outputs of a constraint."""
        return {f"{name}s": [one] for name, one in self.shape().items()}
