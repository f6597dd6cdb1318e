"""Random edits of schemas, of which each leaves a schema nearly always."""

from __future__ import annotations

import copy
import string
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from tests.avro.resolution.schemas import DEEPEST, PRIMITIVES, Maker, Model, kind_of

__all__ = ["EDITS", "GENTLE_EDITS", "edited"]

PROMOTED: Final = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
Edit = Callable[[Maker], bool]
"""Changes a model; returns whether it found something to change."""


def edited(model: Model, chance: Random, edits: Sequence[Edit] | None = None) -> Model:
    """Return a model after one to four edits, of all unless told otherwise."""
    result = copy.deepcopy(model)
    maker = Maker(result, chance)
    wanted = chance.randint(1, 4)
    for _ in range(100):
        if not wanted:
            break
        wanted -= chance.choice(edits or EDITS)(maker)
    return result


def _fields(maker: Maker) -> list[dict[str, Any]]:
    return [field for record in maker.model.records() for field in record["fields"]]


def _picked(maker: Maker, found: list[Any]) -> Any:
    return maker.chance.choice(found) if found else None


def _spots(maker: Maker) -> list[tuple[Any, Any]]:
    """Return the places at which types stand: each a container and a key."""
    spots: list[tuple[Any, Any]] = []

    def visit(container: Any, key: Any) -> None:
        spots.append((container, key))
        type_ = container[key]
        if isinstance(type_, list):
            for index in range(len(type_)):
                visit(type_, index)
        elif isinstance(type_, dict):
            for content in ("items", "values"):
                if content in type_:
                    visit(type_, content)

    for field in _fields(maker):
        visit(field, "type")
    return spots


def _drop_stale_defaults(maker: Maker) -> None:
    """Make new defaults where types have changed below them."""
    for field in _fields(maker):
        if "default" in field:
            field["default"] = maker.default(field["type"])


def add_field(maker: Maker) -> bool:
    record = _picked(maker, maker.model.records())
    if record is None or len(record["fields"]) > 8:
        return False
    field = maker.field(record, 2, frozenset(key for key, one in maker.model.named.items() if one["type"] == "record"))
    if maker.chance.random() < 0.85:
        field["default"] = maker.default(field["type"])
    record["fields"].insert(maker.chance.randint(0, len(record["fields"])), field)
    _drop_stale_defaults(maker)
    return True


def remove_field(maker: Maker) -> bool:
    record = _picked(maker, maker.model.records())
    if record is None or not record["fields"]:
        return False
    record["fields"].pop(maker.chance.randrange(len(record["fields"])))
    _drop_stale_defaults(maker)
    return True


def reorder_fields(maker: Maker) -> bool:
    record = _picked(maker, maker.model.records())
    if record is None or len(record["fields"]) < 2:
        return False
    maker.chance.shuffle(record["fields"])
    return True


def rename_field(maker: Maker) -> bool:
    record = _picked(maker, maker.model.records())
    if record is None or not record["fields"]:
        return False
    field = maker.chance.choice(record["fields"])
    fresh = maker.field(record, DEEPEST, frozenset())["name"]
    if maker.chance.random() < 0.8:
        field["aliases"] = [*field.get("aliases", ()), field["name"]]
    field["name"] = fresh
    _drop_stale_defaults(maker)
    return True


def rename_type(maker: Maker) -> bool:
    key = _picked(maker, maker.model.reached())
    named = maker.model.named[key]
    if maker.chance.random() < 0.8:
        named["aliases"] = [*named.get("aliases", ()), named["name"]]
    named["name"] = maker.name("N")
    return True


def move_type(maker: Maker) -> bool:
    """Give a type a namespace, which only a record's name counts with."""
    named = maker.model.named[_picked(maker, maker.model.reached())]
    if "." in named["name"]:
        return False
    # Names inside of it would be looked for in its namespace.
    if named["type"] == "record" and any("ref" in str(field["type"]) for field in named["fields"]):
        return False
    named["name"] = f"space.{named['name']}"
    return True


def change_primitive(maker: Maker) -> bool:
    spots = [spot for spot in _spots(maker) if isinstance(spot[0][spot[1]], str) and spot[0][spot[1]] != "null"]
    spot = _picked(maker, spots)
    if spot is None:
        return False
    container, key = spot
    old = container[key]
    if maker.chance.random() < 0.8 and old in PROMOTED:
        new = maker.chance.choice(PROMOTED[old])
    else:
        new = maker.chance.choice(PRIMITIVES[1:])
    if isinstance(container, list) and new in map(kind_of, container):
        return False
    container[key] = new
    _drop_stale_defaults(maker)
    return True


def change_type(maker: Maker) -> bool:
    spot = _picked(maker, _spots(maker))
    if spot is None:
        return False
    container, key = spot
    new = maker.type(2, frozenset(key for key, one in maker.model.named.items() if one["type"] == "record"))
    if isinstance(container, list) and (isinstance(new, list) or kind_of(new) in map(kind_of, container)):
        return False
    container[key] = new
    _drop_stale_defaults(maker)
    return True


def change_meaning(maker: Maker) -> bool:
    spots = [(c, k) for c, k in _spots(maker) if isinstance(c[k], dict) and "logicalType" in c[k]]
    spot = _picked(maker, spots)
    if spot is None:
        return False
    container, key = spot
    if container[key]["type"] == "bytes" and maker.chance.random() < 0.5:
        container[key] = {**container[key], "precision": container[key]["precision"] + 1}
    else:
        container[key] = container[key]["type"]
    _drop_stale_defaults(maker)
    return True


def wrap_in_union(maker: Maker) -> bool:
    spots = [spot for spot in _spots(maker) if not isinstance(spot[0], list) and not isinstance(spot[0][spot[1]], list)]
    spot = _picked(maker, [spot for spot in spots if spot[0][spot[1]] != "null"])
    if spot is None:
        return False
    container, key = spot
    container[key] = maker.chance.choice((["null", container[key]], [container[key], "null"]))
    _drop_stale_defaults(maker)
    return True


def _unions(maker: Maker) -> list[tuple[Any, Any]]:
    return [spot for spot in _spots(maker) if isinstance(spot[0][spot[1]], list)]


def change_branches(maker: Maker) -> bool:
    spot = _picked(maker, _unions(maker))
    if spot is None:
        return False
    container, key = spot
    branches = container[key]
    match maker.chance.randrange(4):
        case 0:
            container[key] = maker.chance.choice(branches)
        case 1 if len(branches) > 1:
            branches.pop(maker.chance.randrange(len(branches)))
        case 2:
            maker.chance.shuffle(branches)
        case _:
            before = len(branches)
            maker.add_branch(branches, maker.chance.choice((*PRIMITIVES, maker.logical())))
            if len(branches) == before:
                return False
            maker.chance.shuffle(branches)
    _drop_stale_defaults(maker)
    return True


def change_symbols(maker: Maker) -> bool:
    enum = _picked(maker, maker.model.of_type("enum"))
    if enum is None:
        return False
    symbols = enum["symbols"]
    match maker.chance.randrange(4):
        case 0:
            symbols.append(next(one for one in string.ascii_uppercase if one not in symbols))
        case 1 if len(symbols) > 1:
            symbols.pop(maker.chance.randrange(len(symbols)))
        case 2:
            maker.chance.shuffle(symbols)
        case _:
            enum["default"] = maker.chance.choice(symbols)
    if enum.get("default") not in (None, *symbols):
        enum["default"] = symbols[0]
    _drop_stale_defaults(maker)
    return True


def change_size(maker: Maker) -> bool:
    fixed = _picked(maker, maker.model.of_type("fixed"))
    if fixed is None:
        return False
    fixed["size"] += 1
    _drop_stale_defaults(maker)
    return True


def toggle_default(maker: Maker) -> bool:
    field = _picked(maker, _fields(maker))
    if field is None:
        return False
    if "default" in field:
        del field["default"]
    else:
        field["default"] = maker.default(field["type"])
    return True


def refer_to_itself(maker: Maker) -> bool:
    if maker.chance.random() < 0.8:
        return False
    key = maker.model.root["ref"]
    record = maker.model.named[key]
    if any(field["name"] == "itself" for field in record["fields"]):
        return False
    record["fields"].append({"name": "itself", "type": ["null", {"ref": key}], "default": None})
    return True


EDITS: Final[tuple[Edit, ...]] = (
    *(add_field, remove_field, reorder_fields, rename_field, change_primitive, wrap_in_union, change_branches) * 2,
    *(rename_type, move_type, change_type, change_meaning, change_symbols, change_size, toggle_default),
    refer_to_itself,
)
GENTLE_EDITS: Final[tuple[Edit, ...]] = (add_field, reorder_fields, rename_field, toggle_default, wrap_in_union)
"""Those after which readers of one version, at least, mostly read what the other one writes."""
