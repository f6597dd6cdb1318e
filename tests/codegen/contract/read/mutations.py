"""Changes to the values of a document: something in it is taken away, replaced, doubled or moved."""

from __future__ import annotations

import copy
import random
from typing import Any, Final

__all__ = ["mutated"]

STRANGE: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 2**40, 0.5, "", "x", "empty", "avro", "record", "string", "null", "send", "receive"),
    *([], {}, [[]], {"": {}}, ["null", "string"], {"type": "record"}, {"type": "record", "name": "R", "fields": []}),
    *({"$ref": "#"}, {"$ref": "#/"}, {"$ref": "./asyncapi.json"}, {"$ref": "#/operations"}, {"$ref": 5}, {"$ref": "x"}),
    *({"$ref": "http://example.org"}, {"$ref": "#/components/schemas/turnOn"}, {"$ref": "#/channels/commands"}),
    *({"schemaFormat": "avro", "schema": {"$ref": "#/channels/texts/messages/text/payload"}}, {"x-error": True}),
    *("org.example.Color", "Color", {"type": "array", "items": {"$ref": "#/components/schemas/turnOn"}}, "a" * 300),
    *({"type": "enum", "name": "Mode", "symbols": ["A"]}, {"type": "map", "values": "int"}, "\x00", "ü", "#/", "../x"),
)
"""What stands where something else is expected."""


def mutated(tree: Any, count: int, chance: random.Random) -> Any:
    """A copy of a tree of JSON's values with `count` changes."""
    result = copy.deepcopy(tree)
    for _ in range(count):
        places = list(_places(result))
        if not places:
            break
        container, key = chance.choice(places)
        _change(container, key, chance, [where[name] for where, name in places])
    return result


def _change(container: Any, key: Any, chance: random.Random, values: list[Any]) -> None:
    match chance.randrange(6):
        case 0:
            del container[key]
        case 1:
            container[key] = copy.deepcopy(chance.choice(STRANGE))
        case 2:
            container[key] = copy.deepcopy(chance.choice(values))
        case 3 if isinstance(container, dict):
            container[str(chance.choice(STRANGE))] = container.pop(key)
        case 4 if isinstance(container, dict):
            container[str(chance.choice(("x", "payload", "type", "traits", "$ref", "schema")))] = copy.deepcopy(
                chance.choice(values)
            )
        case _:
            container[key] = [copy.deepcopy(container[key])]


def _places(value: Any) -> Any:
    """Every container with each of its keys."""
    pending = [value]
    while pending:
        container = pending.pop()
        if isinstance(container, dict | list):
            keys = list(container) if isinstance(container, dict) else list(range(len(container)))
            for key in keys:
                yield container, key
                pending.append(container[key])
