"""Classes of any shape with any values: they come back, and whatever else arrives is refused."""

from __future__ import annotations

import json
import random
from dataclasses import field, make_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Union

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbitalis import AvroMessageMixin
from orbitalis_avro.errors import DecodeError, EncodeError
from tests.message.reference_bytes import reference_bytes
from tests.message.value_rows import CONTEXTS, DICT, LIST, ROWS, TUPLE, is_same, message_of

Typed = tuple[Any, st.SearchStrategy[Any]]
"""An annotation, and values of it."""

_ANY: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "Int32": st.integers(-(2**31), 2**31 - 1),
    "float": st.floats(),
    "Float32": st.floats(width=32),
    "str": st.text(st.characters(exclude_categories=["Cs"])),
    "bytes": st.binary(),
    "date": st.dates(),
    "DateTimeMicro": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    "LocalDateTimeMicro": st.datetimes(),
    "timedelta": st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)),
    "UUID": st.uuids(),
    "Decimal": st.integers(-(10**10) + 1, 10**10 - 1).map(lambda number: Decimal(number).scaleb(-2)),
    "Fixed": st.binary(min_size=3, max_size=3),
}
LEAVES: st.SearchStrategy[Typed] = st.sampled_from(
    [
        (row.annotation, _ANY.get(row.name, st.nothing()) | st.sampled_from(row.values))
        for row in ROWS
        # Rounded values come back as others; None and equal enums make no items or unions.
        if row.name not in ("None", "Float32", "list")
    ]
)
_NUMBERS = iter(range(10**9))


def _record(parts: list[Typed], frozen: bool) -> Typed:
    name = f"Record{next(_NUMBERS)}"
    made = make_dataclass(name, [(f"part{at}", one[0]) for at, one in enumerate(parts)], frozen=frozen)
    return made, st.builds(made, **{f"part{at}": one[1] for at, one in enumerate(parts)})


def _larger(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    pairs = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda one: (LIST[one[0]], st.lists(one[1], max_size=3))),
        inner.map(lambda one: (TUPLE[one[0], ...], st.lists(one[1], max_size=3).map(tuple))),
        inner.map(lambda one: (DICT[str, one[0]], st.dictionaries(_ANY["str"], one[1], max_size=3))),
        inner.map(lambda one: (one[0] | None, st.none() | one[1])),
        pairs.map(lambda all_: (Union[tuple(one[0] for one in all_)], st.one_of([one[1] for one in all_]))),  # noqa: UP007
        st.builds(_record, pairs, st.booleans()),
    )


@st.composite
def _messages(draw: Any) -> Any:
    parts: list[Typed] = draw(st.lists(st.recursive(LEAVES, _larger, max_leaves=4), min_size=1, max_size=4))
    options = draw(st.sampled_from([{}, {"frozen": True}, {"slots": True}, {"kw_only": True}]))
    order = draw(st.permutations([f"part{at}" for at in range(len(parts))]))
    fields = [(f"part{at}", one[0], field()) for at, one in enumerate(parts)]
    meta = type("Meta", (), {"field_order": order})
    try:
        made: Any = make_dataclass(
            f"Message{next(_NUMBERS)}", fields, bases=(AvroMessageMixin,), namespace={"Meta": meta}, **options
        )
        made.avro_schema()
    except TypeError:  # types that cannot be told apart, or are refused otherwise
        return None
    return made(**{f"part{at}": draw(one[1]) for at, one in enumerate(parts)})


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(_messages(), st.randoms(use_true_random=False))
def test_any_message_comes_back(message: Any, chance: random.Random) -> None:
    if message is None:
        return
    message_class = type(message)
    data = message.encode()
    received = message_class.decode(data)
    assert is_same(received, message)
    assert is_same(message.as_received(), received)
    assert data == reference_bytes(json.loads(message_class.avro_schema()), message)
    _check_changed(message_class, data, chance, 20)


def _check_changed(message_class: Any, data: bytes, chance: random.Random, times: int) -> None:
    """Read what is not quite the data; what is a message nevertheless can be sent."""
    for _ in range(times):
        changed = _changed(data, chance)
        try:
            received = message_class.decode(changed)
        except DecodeError as error:
            assert error.record == message_class.__name__  # noqa: PT017
            assert error.reason  # noqa: PT017
            continue
        assert is_same(message_class.decode(received.encode()), received)
        assert is_same(received.as_received(), received)


def _changed(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                del changed[at : at + chance.choice([1, 1, 3, 1000])]
            case 1:
                changed[at:at] = chance.randbytes(chance.choice([1, 1, 9]))
            case 2:
                changed[at : at + 1] = bytes([chance.choice([0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF])])
            case _:
                changed[at : at + 10] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    return bytes(changed)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_damaged_is_read_or_refused(row: Any, context: Any) -> None:
    if row.name == "None" and context.name != "bare":
        return
    message_class = message_of(context.around(row.annotation))
    chance = random.Random(5)
    for value in row.values[:5]:
        data = message_class(context.holding(value)).encode()
        _check_changed(message_class, data[:2000], chance, 10)


def test_a_message_that_changes_while_it_is_used_is_written_as_it_is() -> None:
    message = message_of(list[int])([1])
    message.value.append("x")
    with pytest.raises(EncodeError, match=r"Telegram\.value\[1\]"):
        message.encode()
    message.value[1] = 2
    assert type(message).decode(message.encode()).value == [1, 2]
