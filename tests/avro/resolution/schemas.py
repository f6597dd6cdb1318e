"""Random schemas, random edits of them, and random values as Avro binary. All of it follows from one `Random`."""

from __future__ import annotations

import copy
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from struct import pack
from typing import Any, Final
from uuid import UUID

from tests.support.avro import long, text

__all__ = ["EDITS", "Model", "edited", "random_model", "value_bytes"]

Type = Any
"""A type as JSON gives it, in which a named type is always `{"ref": name}`."""

PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
LOGICAL: Final[tuple[tuple[str, str], ...]] = (
    ("int", "date"),
    ("int", "time-millis"),
    ("long", "time-micros"),
    ("long", "timestamp-millis"),
    ("long", "timestamp-micros"),
    ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"),
    ("string", "uuid"),
)
PROMOTED: Final = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
DEEPEST: Final = 3


@dataclass
class Model:
    """A schema whose named types stand in a table, so that each can be edited in one place."""

    named: dict[str, dict[str, Any]]
    """By a key that stays the same whatever the type is called."""
    root: Type

    def schema(self) -> Any:
        """Return the schema: a named type is written out where it comes first."""
        written: set[str] = set()

        def shown(type_: Type) -> Any:
            if isinstance(type_, list):
                return [shown(branch) for branch in type_]
            if not isinstance(type_, dict):
                return type_
            if "ref" in type_:
                named = self.named[type_["ref"]]
                if type_["ref"] in written:
                    return named["name"]
                written.add(type_["ref"])
                if named["type"] == "record":
                    fields = [{**field, "type": shown(field["type"])} for field in named["fields"]]
                    return {**named, "fields": fields}
                return dict(named)
            return {key: shown(value) if key in ("items", "values") else value for key, value in type_.items()}

        return shown(self.root)

    def records(self) -> list[dict[str, Any]]:
        """Return the records that can be reached."""
        return [self.named[key] for key in self.reached() if self.named[key]["type"] == "record"]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the named types of a kind that can be reached."""
        return [self.named[key] for key in self.reached() if self.named[key]["type"] == kind]

    def reached(self) -> list[str]:
        """Return the keys of the named types that can be reached, each once."""
        found: list[str] = []

        def visit(type_: Type) -> None:
            if isinstance(type_, list):
                for branch in type_:
                    visit(branch)
            elif isinstance(type_, dict):
                if (key := type_.get("ref")) is not None:
                    if key not in found:
                        found.append(key)
                        for field in self.named[key].get("fields", ()):
                            visit(field["type"])
                else:
                    visit(type_.get("items", type_.get("values")))

        visit(self.root)
        return found


class _Maker:
    """Makes the types of a model."""

    def __init__(self, model: Model, chance: Random) -> None:
        self.model = model
        self.chance = chance

    def name(self, prefix: str) -> str:
        """Return a name that no type has."""
        taken = {one["name"].rpartition(".")[2] for one in self.model.named.values()}
        number = len(taken)
        while f"{prefix}{number}" in taken:
            number += 1
        return f"{prefix}{number}"

    def type(self, depth: int, around: frozenset[str] = frozenset()) -> Type:
        """Return a type; `around` are the records in which it stands, to which it does not refer."""
        pick = self.chance.random()
        if pick < 0.45 or depth >= DEEPEST:
            return self.chance.choice(PRIMITIVES[1:])
        if pick < 0.55:
            return self.logical()
        if pick < 0.65:
            return {"type": "array", "items": self.type(depth + 1, around)}
        if pick < 0.72:
            return {"type": "map", "values": self.type(depth + 1, around)}
        if pick < 0.84:
            return self.union(depth, around)
        return self.named(depth, around)

    def logical(self) -> Type:
        if self.chance.random() < 0.2:
            precision = self.chance.randint(2, 12)
            scale = self.chance.randint(0, precision)
            return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
        primitive, name = self.chance.choice(LOGICAL)
        return {"type": primitive, "logicalType": name}

    def union(self, depth: int, around: frozenset[str]) -> Type:
        branches: list[Type] = ["null"] if self.chance.random() < 0.6 else []
        for _ in range(self.chance.randint(1, 3)):
            self.add_branch(branches, self.type(depth + 1, around))
        self.chance.shuffle(branches)
        return branches or ["int"]

    def add_branch(self, branches: list[Type], branch: Type) -> None:
        """Add a branch, if a union may have it beside the others."""
        if not isinstance(branch, list) and _kind(branch) not in map(_kind, branches):
            branches.append(branch)

    def named(self, depth: int, around: frozenset[str]) -> Type:
        known = [key for key in self.model.named if key not in around and not self._leads_to(key, around)]
        if known and self.chance.random() < 0.35:
            return {"ref": self.chance.choice(known)}
        pick = self.chance.random()
        if pick < 0.3:
            symbols = self.chance.sample(string.ascii_uppercase[:6], self.chance.randint(1, 4))
            made: dict[str, Any] = {"type": "enum", "name": self.name("E"), "symbols": symbols}
            if self.chance.random() < 0.3:
                made["default"] = self.chance.choice(symbols)
        elif pick < 0.45:
            made = {"type": "fixed", "name": self.name("F"), "size": self.chance.randint(0, 5)}
        else:
            return self.record(depth, around)
        self.model.named[made["name"]] = made
        return {"ref": made["name"]}

    def record(self, depth: int, around: frozenset[str] = frozenset()) -> Type:
        name = self.name("R")
        made: dict[str, Any] = {"type": "record", "name": name, "fields": []}
        self.model.named[name] = made
        inner = around | {name}
        for _ in range(self.chance.choice((0, 1, 2, 2, 3)) if depth else self.chance.randint(1, 5)):
            made["fields"].append(self.field(made, depth, inner))
        return {"ref": name}

    def field(self, record: dict[str, Any], depth: int, around: frozenset[str]) -> dict[str, Any]:
        taken = {one["name"] for one in record["fields"]} | {
            a for one in record["fields"] for a in one.get("aliases", ())
        }
        name = self.chance.choice([one for one in string.ascii_lowercase if one not in taken])
        field = {"name": name, "type": self.type(depth + 1, around)}
        if self.chance.random() < 0.4:
            field["default"] = self.default(field["type"])
        return field

    def default(self, type_: Type) -> Any:
        """Return a default as a schema says it."""
        chance = self.chance
        if isinstance(type_, list):
            return self.default(type_[0])
        if isinstance(type_, str):
            match type_:
                case "null":
                    return None
                case "boolean":
                    return chance.random() < 0.5
                case "int" | "long":
                    return chance.randint(-1000, 1000)
                case "float" | "double":
                    return chance.randint(-100, 100) / 4
                case _:
                    return "".join(chance.choices("ab\u00e9", k=2))
        if "ref" in type_:
            named = self.model.named[type_["ref"]]
            match named["type"]:
                case "enum":
                    return chance.choice(named["symbols"])
                case "fixed":
                    return "\u00ff" * named["size"]
                case _:
                    return {field["name"]: self.default(field["type"]) for field in named["fields"]}
        match type_["type"]:
            case "array":
                return [self.default(type_["items"]) for _ in range(chance.randint(0, 2))]
            case "map":
                return {"k": self.default(type_["values"])} if chance.random() < 0.5 else {}
            case "bytes":
                return "\u0000"
            case "string":
                return "12345678-1234-5678-1234-567812345678"
            case _:
                return chance.randint(0, 1000)

    def _leads_to(self, key: str, around: frozenset[str]) -> bool:
        return not around.isdisjoint(Model(self.model.named, {"ref": key}).reached())


def _kind(type_: Type) -> str:
    """Return what may stand once in a union."""
    if isinstance(type_, str):
        return type_
    return f"ref {type_['ref']}" if "ref" in type_ else str(type_["type"])


def random_model(chance: Random) -> Model:
    """Return a record."""
    model = Model({}, None)
    model.root = _Maker(model, chance).record(0)
    return model


Edit = Callable[[_Maker], bool]
"""Changes a model; returns whether it found something to change."""


def edited(model: Model, chance: Random) -> Model:
    """Return a model after one to four edits."""
    result = copy.deepcopy(model)
    maker = _Maker(result, chance)
    wanted = chance.randint(1, 4)
    for _ in range(100):
        if not wanted:
            break
        wanted -= chance.choice(EDITS)(maker)
    return result


def _fields(maker: _Maker) -> list[dict[str, Any]]:
    return [field for record in maker.model.records() for field in record["fields"]]


def _picked(maker: _Maker, found: list[Any]) -> Any:
    return maker.chance.choice(found) if found else None


def _spots(maker: _Maker) -> list[tuple[Any, Any]]:
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


def _drop_stale_defaults(maker: _Maker) -> None:
    """Make new defaults where types have changed below them."""
    for field in _fields(maker):
        if "default" in field:
            field["default"] = maker.default(field["type"])


def add_field(maker: _Maker) -> bool:
    record = _picked(maker, maker.model.records())
    if record is None or len(record["fields"]) > 8:
        return False
    field = maker.field(record, 2, frozenset(key for key, one in maker.model.named.items() if one["type"] == "record"))
    if maker.chance.random() < 0.85:
        field["default"] = maker.default(field["type"])
    record["fields"].insert(maker.chance.randint(0, len(record["fields"])), field)
    _drop_stale_defaults(maker)
    return True


def remove_field(maker: _Maker) -> bool:
    record = _picked(maker, maker.model.records())
    if record is None or not record["fields"]:
        return False
    record["fields"].pop(maker.chance.randrange(len(record["fields"])))
    _drop_stale_defaults(maker)
    return True


def reorder_fields(maker: _Maker) -> bool:
    record = _picked(maker, maker.model.records())
    if record is None or len(record["fields"]) < 2:
        return False
    maker.chance.shuffle(record["fields"])
    return True


def rename_field(maker: _Maker) -> bool:
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


def rename_type(maker: _Maker) -> bool:
    key = _picked(maker, maker.model.reached())
    named = maker.model.named[key]
    if maker.chance.random() < 0.8:
        named["aliases"] = [*named.get("aliases", ()), named["name"]]
    named["name"] = maker.name("N")
    return True


def move_type(maker: _Maker) -> bool:
    """Give a type a namespace, which only a record's name counts with."""
    named = maker.model.named[_picked(maker, maker.model.reached())]
    if "." in named["name"]:
        return False
    # Names inside of it would be looked for in its namespace.
    if named["type"] == "record" and any("ref" in str(field["type"]) for field in named["fields"]):
        return False
    named["name"] = f"space.{named['name']}"
    return True


def change_primitive(maker: _Maker) -> bool:
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
    if isinstance(container, list) and new in map(_kind, container):
        return False
    container[key] = new
    _drop_stale_defaults(maker)
    return True


def change_type(maker: _Maker) -> bool:
    spot = _picked(maker, _spots(maker))
    if spot is None:
        return False
    container, key = spot
    new = maker.type(2, frozenset(key for key, one in maker.model.named.items() if one["type"] == "record"))
    if isinstance(container, list) and (isinstance(new, list) or _kind(new) in map(_kind, container)):
        return False
    container[key] = new
    _drop_stale_defaults(maker)
    return True


def change_meaning(maker: _Maker) -> bool:
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


def wrap_in_union(maker: _Maker) -> bool:
    spots = [spot for spot in _spots(maker) if not isinstance(spot[0], list) and not isinstance(spot[0][spot[1]], list)]
    spot = _picked(maker, [spot for spot in spots if spot[0][spot[1]] != "null"])
    if spot is None:
        return False
    container, key = spot
    container[key] = maker.chance.choice((["null", container[key]], [container[key], "null"]))
    _drop_stale_defaults(maker)
    return True


def _unions(maker: _Maker) -> list[tuple[Any, Any]]:
    return [spot for spot in _spots(maker) if isinstance(spot[0][spot[1]], list)]


def change_branches(maker: _Maker) -> bool:
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


def change_symbols(maker: _Maker) -> bool:
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


def change_size(maker: _Maker) -> bool:
    fixed = _picked(maker, maker.model.of_type("fixed"))
    if fixed is None:
        return False
    fixed["size"] += 1
    _drop_stale_defaults(maker)
    return True


def toggle_default(maker: _Maker) -> bool:
    field = _picked(maker, _fields(maker))
    if field is None:
        return False
    if "default" in field:
        del field["default"]
    else:
        field["default"] = maker.default(field["type"])
    return True


def refer_to_itself(maker: _Maker) -> bool:
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


def value_bytes(model: Model, chance: Random, turn: int) -> bytes:
    """Return a random value as Avro binary. With each `turn`, unions and enums take their next branch or symbol."""

    def write(type_: Type, depth: int) -> bytes:
        if isinstance(type_, list):
            index = (turn + chance.choice((0, 0, 1))) % len(type_)
            if depth > 12 and "null" in type_:
                index = type_.index("null")
            return long(index) + write(type_[index], depth + 1)
        if isinstance(type_, str):
            return _primitive(type_, chance)
        if "ref" in type_:
            named = model.named[type_["ref"]]
            match named["type"]:
                case "enum":
                    return long((turn + chance.choice((0, 1))) % len(named["symbols"]))
                case "fixed":
                    return chance.randbytes(named["size"])
                case _:
                    return b"".join(write(field["type"], depth + 1) for field in named["fields"])
        match type_["type"]:
            case "array":
                items = [write(type_["items"], depth + 1) for _ in range(chance.randint(1, 2))]
                return _blocks(items, chance)
            case "map":
                keys = ["a", "\u00e9b"][: chance.randint(1, 2)]
                return _blocks([text(key) + write(type_["values"], depth + 1) for key in keys], chance)
            case _:
                return _logical(type_, chance)

    return write(model.root, 0)


def _blocks(items: list[bytes], chance: Random) -> bytes:
    content = b"".join(items)
    if chance.random() < 0.3:
        return long(-len(items)) + long(len(content)) + content + b"\0"
    return long(len(items)) + content + b"\0"


def _primitive(name: str, chance: Random) -> bytes:
    match name:
        case "null":
            return b""
        case "boolean":
            return chance.choice((b"\0", b"\1"))
        case "int":
            return long(chance.choice((chance.randint(-100, 100), chance.randint(-(2**31), 2**31 - 1))))
        case "long":
            return long(chance.choice((chance.randint(-100, 100), chance.randint(-(2**63), 2**63 - 1))))
        case "float":
            return pack("<f", chance.uniform(-1e6, 1e6))
        case "double":
            return pack("<d", chance.uniform(-1e6, 1e6))
        case "string":
            return text("".join(chance.choices("xyz\u00e9\u4e2d", k=chance.randint(0, 70))))
        case _:
            return text(chance.choice((chance.randbytes(chance.randint(0, 5)), b"ascii")))


def _logical(type_: Any, chance: Random) -> bytes:
    match type_["logicalType"]:
        case "decimal":
            number = chance.randrange(10 ** type_["precision"]) * chance.choice((1, -1))
            return text(number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))
        case "uuid":
            return text(str(UUID(int=chance.getrandbits(128))))
        case "date":
            return long(chance.randint(-10000, 10000))
        case "time-millis":
            return long(chance.randrange(86_400_000))
        case "time-micros":
            return long(chance.randrange(86_400_000_000))
        case "timestamp-millis" | "local-timestamp-millis":
            return long(chance.randrange(10**12))
        case _:
            return long(chance.randrange(10**15))
