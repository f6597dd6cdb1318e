"""Long lists of numbers are written and read as short ones are, item by item."""

from __future__ import annotations

import random
from typing import Any

import pytest

from orbitalis import Float32, Int32
from orbitalis_avro.errors import DecodeError, EncodeError
from orbitalis_avro.numbers import MANY
from tests.message.value_rows import LIST, TUPLE, is_same, message_of
from tests.support.avro import fastavro_bytes, long

CHANCE = random.Random(7)
LISTS: list[tuple[Any, str, list[Any]]] = [
    (int, "long", [0] * 100),
    (int, "long", [*range(1024)]),
    (int, "long", [*range(-64, 64)]),
    (int, "long", [*range(-3000, 3000, 7), 1024]),
    (int, "long", [CHANCE.randrange(-(2**63), 2**63) >> CHANCE.randrange(64) for _ in range(1000)]),
    (int, "long", [2**63 - 1, -(2**63)] * 50),
    (Int32, "int", [2**31 - 1, -(2**31), 0, -1] * 50),
    (float, "double", [CHANCE.uniform(-1e9, 1e9) for _ in range(1000)]),
    (float, "double", [-0.0, float("inf"), 5e-324] * 10),
    (Float32, "float", [0.5, -0.0] * 20),
]


@pytest.mark.parametrize(("annotation", "avro", "items"), LISTS)
@pytest.mark.parametrize("is_tuple", [False, True])
def test_they_arrive_and_are_written_as_fastavro_does(
    annotation: Any, avro: str, items: list[Any], is_tuple: bool
) -> None:
    made = message_of(TUPLE[annotation, ...] if is_tuple else LIST[annotation])
    for length in (1, MANY, MANY + 1, len(items)):
        value = tuple(items[:length]) if is_tuple else items[:length]
        message = made(value)
        data = message.encode()
        assert data == fastavro_bytes({"type": "array", "items": avro}, items[:length])
        assert is_same(made.decode(data), message)
        assert is_same(message.as_received(), message)
        if not is_tuple:
            assert message.as_received().value is not value


@pytest.mark.parametrize("position", [0, MANY, 99])
@pytest.mark.parametrize(
    ("annotation", "item", "wrong"),
    [
        (int, 5, [True, 5.0, 2**63, -(2**63) - 1, "x", None]),
        (Int32, 5, [2**31, -(2**31) - 1]),
        (float, 0.5, [2**53 + 1, True, "x"]),
    ],
)
def test_the_one_that_is_wrong_is_named(annotation: Any, item: Any, wrong: list[Any], position: int) -> None:
    for one in wrong:
        items = [item] * 100
        items[position] = one
        for message in (message_of(LIST[annotation])(items), message_of(TUPLE[annotation, ...])(tuple(items))):
            for use in (message.encode, message.as_received):
                with pytest.raises(EncodeError) as failure:
                    use()
                assert failure.value.path == f"value[{position}]"


@pytest.mark.parametrize(
    ("annotation", "items", "path", "reason"),
    [
        (int, b"\0" * 50 + b"\xff" * 10 + b"\1" * 40, "value[50]", "an integer of more than 10 bytes"),
        (int, b"\x80\1" * 50 + b"\xff" * 9 + b"\2" + b"\0" * 49, "value[50]", "an integer of more than 64 bits"),
        (Int32, b"\0" * 50 + long(2**31) + b"\0" * 49, "value[50]", "an integer of more than 32 bits"),
        (int, b"\0" * 50 + b"\x80" * 55, "value[50]", "an integer of more than 10 bytes"),
        (int, b"\x80\1" * 50, "value[50]", "the data ends too early"),
        (int, b"\0" * 99, "value", "a count of 100 items, but only 99 bytes are left"),
        (float, b"\0" * 799, "value", "a count of 100 items, but only 799 bytes are left"),
    ],
)
def test_where_the_data_is_wrong_is_said(annotation: Any, items: bytes, path: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as failure:
        message_of(LIST[annotation]).decode(long(100) + items)
    assert failure.value.path == path


def test_blocks_with_a_size_are_read() -> None:
    items = [1, -5000, 2**40] * 20
    one_by_one = b"".join(map(long, items))
    block = long(-len(items)) + long(len(one_by_one)) + one_by_one
    made = message_of(list[int])
    assert made.decode(block + block + b"\0").value == items * 2
    with pytest.raises(DecodeError, match="a block that is"):
        made.decode(long(-len(items)) + long(len(one_by_one) + 1) + one_by_one + b"\0\0")
