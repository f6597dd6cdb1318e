"""The table of field types in the documentation: each row is tried."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType, Optional
from uuid import UUID

import pytest

import orbitalis
from orbitalis.message import field_annotations
from orbitalis.message.derivation import derive_schema, read_annotation
from tests.support.repository import ROOT


class Mode(Enum):
    DAY = "day"
    NIGHT = "night"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass(frozen=True)
class Lamp:
    name: str


TYPES: list[Any] = [Annotated, Decimal, Level, Lamp, Literal, Mapping, Mode, MutableMapping, MutableSequence, Optional]
NAMES: dict[str, Any] = {one.__name__: one for one in TYPES} | {
    **{one.__name__: one for one in (Sequence, UUID, date, datetime, time, timedelta)},
    **{name: getattr(orbitalis, name) for name in field_annotations.__all__},
    "UTC": UTC,
    "UserId": NewType("UserId", int),
}
CODE = re.compile(r"`([^`]+)`")


def _rows() -> list[list[list[str]]]:
    page = (ROOT / "docs" / "reference" / "messages.md").read_text(encoding="utf-8")
    table = page.partition("\n## Field types\n")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines() if line.startswith("| `")]
    return [[CODE.findall(cell.replace(r"\|", "|")) for cell in row] for row in rows]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0][0])
def test_a_row_says_what_a_type_is_in_avro_and_what_it_takes(row: list[list[str]]) -> None:
    spelled, (avro,), examples, refused = row
    assert examples
    assert refused
    for annotation in (eval(one, NAMES) for one in spelled):
        assert read_annotation(annotation).avro == json.loads(avro)
        for example in examples:
            assert derive_schema(_with_default(annotation, eval(example, NAMES)))
        for example in refused:
            with pytest.raises(TypeError, match="field 'value' of message Telegram: its default"):
                derive_schema(_with_default(annotation, eval(example, NAMES)))


def _with_default(annotation: Any, value: Any) -> type:
    given = dataclasses.field(default_factory=lambda: value)
    return dataclasses.make_dataclass("Telegram", [("value", annotation, given)])


def test_all_of_our_annotations_are_on_the_page() -> None:
    spelled = "".join(row[0][0] for row in _rows())
    assert [name for name in field_annotations.__all__ if name not in spelled] == []
