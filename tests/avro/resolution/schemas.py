"""Random schemas. All of one follows from one `Random`."""

from __future__ import annotations

import string
from dataclasses import dataclass
from random import Random
from typing import Any, Final

__all__ = ["DEEPEST", "PRIMITIVES", "Maker", "Model", "Type", "kind_of", "model_of", "random_model"]

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


class Maker:
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
        if not isinstance(branch, list) and kind_of(branch) not in map(kind_of, branches):
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


def kind_of(type_: Type) -> str:
    """Return what may stand once in a union."""
    if isinstance(type_, str):
        return type_
    return f"ref {type_['ref']}" if "ref" in type_ else str(type_["type"])


def random_model(chance: Random) -> Model:
    """Return a record."""
    model = Model({}, None)
    model.root = Maker(model, chance).record(0)
    return model


def model_of(schema: Any) -> Model:
    """Return a schema, given as JSON, as a model, with its named types in the table."""
    model = Model({}, None)

    def tabled(schema: Any) -> Type:
        if isinstance(schema, list):
            return [tabled(branch) for branch in schema]
        if not isinstance(schema, dict):
            return schema
        if "name" in schema:
            fields = [{**one, "type": tabled(one["type"])} for one in schema.get("fields", ())]
            model.named[schema["name"]] = {**schema, "fields": fields} if schema["type"] == "record" else dict(schema)
            return {"ref": schema["name"]}
        return {key: tabled(value) if key in ("items", "values") else value for key, value in schema.items()}

    model.root = tabled(schema)
    return model
