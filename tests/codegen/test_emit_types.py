"""How Python sees types: sizes and defaults of records to which many ways lead, and names that are taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orbitalis_avro.plan import Plan
from orbitalis_avro.types import Record, Reference
from orbitalis_codegen import read_specification
from orbitalis_codegen.emit import emit
from orbitalis_codegen.emit.python.types import Types
from tests.codegen.broken.cases import edited

LEVELS = 30
"""Records within one another, each four times in the one before: going every way of them never ends."""


@pytest.mark.parametrize("end", [{"type": "int", "default": 0}, {"type": ["null", "Level0"], "default": None}])
def test_many_ways_may_lead_to_a_record(end: dict[str, object], tmp_path: Path) -> None:
    fields: list[list[dict[str, object]]] = [
        [{"name": f"n{way}", "type": f"Level{level + 1}", "default": {}} for way in range(4)] for level in range(LEVELS)
    ]
    fields.append([{"name": "end", **end}])
    root = edited(
        tmp_path,
        ("schemas/Color.avsc", '"green", "type": "int"', '"green", "type": {"type": "array", "items": "Level0"}'),
        *(
            (f"schemas/Level{level}.avsc", "", json.dumps({"type": "record", "name": f"Level{level}", "fields": inner}))
            for level, inner in enumerate(fields)
        ),
    )
    model = read_specification(root)
    files = emit(model)

    assert Plan(model.types).minimum_size(Reference(name="Level0")) == 4**LEVELS
    messages = files["generated/python/orbitalis_wire/messages.py"]
    assert b"n3: Level1 = ABSENT" in messages
    assert b'_set(self, "n3", Level1() if n3 is ABSENT else n3)' in messages


def test_records_that_contain_one_another_have_a_least_size(tmp_path: Path) -> None:
    schemas: dict[str, list[object]] = {
        "Even": [["float", "Odd"], "double"],
        "Odd": [["Even", "null"], "Even", {"type": "array", "items": "Even"}],
    }
    root = edited(
        tmp_path,
        ("schemas/Color.avsc", '"green", "type": "int"', '"green", "type": "Odd"'),
        *(
            (
                f"schemas/{name}.avsc",
                "",
                json.dumps(
                    {
                        "type": "record",
                        "name": name,
                        "fields": [{"name": f"f{index}", "type": type_} for index, type_ in enumerate(types)],
                    }
                ),
            )
            for name, types in schemas.items()
        ),
    )
    plan = Plan(read_specification(root).types)

    assert plan.minimum_size(Reference(name="Even")) == 1 + 4 + 8
    assert plan.minimum_size(Reference(name="Odd")) == 1 + 13 + 1


def test_no_field_is_called_like_a_class(tmp_path: Path) -> None:
    names = ["Self", "Mapping", "Sequence", "UUID", "ClassVar", "Color"]
    root = edited(
        tmp_path,
        *((f"schemas/{name}.avsc", "", json.dumps(record_of(names, name))) for name in names if name != "Color"),
        ("schemas/Color.avsc", "", json.dumps({**record_of(names, "Color"), "fields": everything(names)})),
    )
    types = Types.of(read_specification(root))
    records = [record for record in types.named.values() if isinstance(record, Record)]

    assert {"Self_", "Mapping_", "Sequence_", "UUID_", "ClassVar_", "Color"} <= set(types.class_names.values())
    for record in records:
        assert {field.name for field in types.fields(record)} & {*types.class_names.values(), *names} == set()


def record_of(names: list[str], name: str) -> dict[str, object]:
    """Write a record with a field for each of the names."""
    return {"type": "record", "name": name, "fields": [{"name": field, "type": "int"} for field in names]}


def everything(names: list[str]) -> list[dict[str, object]]:
    """Write fields that need all of the records."""
    return [{"name": name, "type": "int" if name == "Color" else name} for name in names]
