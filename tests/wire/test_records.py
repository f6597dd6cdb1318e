"""Classes of messages and topics are what `@dataclass(frozen=True, slots=True, kw_only=True)` makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest

from orbitalis import Input
from orbitalis_avro.records import ABSENT, Record
from orbitalis_wire import messages, topics

CLASSES: list[Any] = [
    found
    for module in (messages, topics)
    for name in module.__all__
    if isinstance(found := getattr(module, name), type) and issubclass(found, Record)
]
every_class = pytest.mark.parametrize("record_class", CLASSES)


def twin_of(record_class: Any) -> Any:
    """Return what the standard library makes of the fields of a record."""
    members = [
        (field.name, field.type)
        if field.default is dataclasses.MISSING
        else (field.name, field.type, dataclasses.field(default=field.default))
        for field in dataclasses.fields(record_class)
    ]
    return dataclasses.make_dataclass(record_class.__name__, members, frozen=True, slots=True, kw_only=True)


def made(record_class: Any, value: object = ("x",)) -> Any:
    return record_class(**{field.name: value for field in dataclasses.fields(record_class)})


@every_class
def test_is_a_dataclass(record_class: Any) -> None:
    twin, record = twin_of(record_class), made(record_class)

    assert inspect.signature(record_class).parameters.keys() == inspect.signature(twin).parameters.keys()
    assert [field.default for field in dataclasses.fields(record_class)] == [
        dataclasses.MISSING if one.default in (inspect.Parameter.empty, ABSENT) else one.default
        for one in inspect.signature(record_class).parameters.values()
    ]
    assert repr(record) == repr(made(twin))
    assert dataclasses.asdict(record) == dataclasses.asdict(made(twin))
    assert record_class.__match_args__ == twin.__match_args__
    assert set(record_class.__slots__) == set(twin.__slots__)
    assert not hasattr(record, "__dict__")
    with pytest.raises(TypeError):
        record_class("x")
    with pytest.raises(TypeError):
        record_class(**dataclasses.asdict(record), other=1)


@every_class
def test_is_a_value(record_class: Any) -> None:
    record, other = made(record_class), made(record_class, ("y",))

    assert record == made(record_class)
    assert hash(record) == hash(made(record_class))
    assert (record == other) is (not dataclasses.fields(record_class))
    assert record != made(twin_of(record_class))
    for same in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert type(same) is record_class
        assert same == record
    for field in dataclasses.fields(record_class):
        changed = dataclasses.replace(record, **{field.name: ("y",)})
        assert changed != record
        assert getattr(changed, field.name) == ("y",)


@every_class
def test_is_frozen(record_class: Any) -> None:
    record = made(record_class)
    for name in [*(field.name for field in dataclasses.fields(record_class)), "other"]:
        with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(record, name, "y")
        with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(record, name)
    assert record == made(record_class)


def test_a_dataclass_may_derive_from_one() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Wider(messages.Input):
        more: int = 0

    make: Any = Wider
    wider = make(schemas=("x",), more=1)

    assert wider == make(schemas=("x",), support_empty_schema=False, more=1)
    assert wider != make(schemas=("x",), more=2)
    assert copy.copy(wider) == wider
    with pytest.raises(FrozenInstanceError):
        wider.more = 2
    with pytest.raises(FrozenInstanceError):
        wider.schemas = ()


def test_a_class_that_derives_from_one_is_frozen_in_its_fields_alone() -> None:
    class Noted(messages.StringMessage):
        note = ""

    noted: Any = Noted(value="x")
    noted.note = "y"
    assert noted.note == "y"
    del noted.note
    assert noted.note == ""
    with pytest.raises(FrozenInstanceError):
        noted.value = "y"
    with pytest.raises(FrozenInstanceError):
        Input.empty().schemas = ()  # type: ignore[misc]
