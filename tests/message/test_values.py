"""Each value of each type arrives equal and of the same type, or is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from orbitalis import AvroMessageMixin, Event, Float32
from orbitalis_avro.errors import EncodeError
from orbitalis_wire.envelope import Encoding
from tests.message.reference_bytes import reference_bytes
from tests.message.value_rows import CONTEXTS, ROWS, Context, Row, is_raising, is_same, message_of, rounded

CASES = [
    pytest.param(row, context, id=f"{row.name}, {context.name}")
    for row in ROWS
    for context in CONTEXTS
    if context.name == "bare" or row.name != "None"
]


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(("row", "context"), CASES)
def test_a_value_arrives_equal_and_of_its_type(row: Row, context: Context, frozen: bool) -> None:
    message_class = message_of(context.around(row.annotation), frozen=frozen)
    schema = json.loads(message_class.avro_schema())
    for value in row.values:
        message = message_class(context.holding(value))
        expected = message_class(context.holding(rounded(row, value)))
        data = message.encode()
        assert is_same(message_class.decode(data), expected)
        assert is_same(message.as_received(), expected)
        # Also where what is equal looks different: zones, folds, digits.
        assert repr(message.as_received()) == repr(message_class.decode(data))
        assert data == reference_bytes(schema, message)


@pytest.mark.parametrize(("row", "context"), CASES)
def test_a_value_that_would_not_arrive_is_refused(row: Row, context: Context) -> None:
    message_class = message_of(context.around(row.annotation))
    for value in row.refused:
        if value is None and "optional" in context.name:
            continue
        message = message_class(context.holding(value))
        for use in (message.encode, message.as_received):
            with pytest.raises(EncodeError) as failure:
                use()
            error = failure.value
            assert (error.record, error.path.startswith(context.path)) == ("Telegram", True), error
            assert error.reason.startswith("ZeroDivisionError" if is_raising(value) else "expected ")
            assert len(str(error)) < 1000


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_value_travels_in_an_event(row: Row, encoding: Encoding) -> None:
    message_class = message_of(row.annotation)
    for value in row.values:
        event = Event.create(message_class(value), publisher_identifier="me")
        assert is_same(Event.decode(event.encode(encoding)).payload, message_class(rounded(row, value)))
    for value in row.refused:
        with pytest.raises(EncodeError, match=r"Telegram\.value"):
            Event.create(message_class(value), publisher_identifier="me").encode(encoding)


def test_what_arrives_shares_nothing_that_changes() -> None:
    def changing(value: Any) -> set[int]:
        inner: set[int] = set()
        if isinstance(value, list | tuple):
            inner = inner.union(*map(changing, value))
        elif isinstance(value, dict):
            inner = inner.union(*map(changing, value.values()))
        elif hasattr(value, "__dict__") and not isinstance(value, type):
            inner = inner.union(*map(changing, vars(value).values()))
        is_fixed = not isinstance(value, list | dict) and type(value).__name__ != "Blind"
        return inner if is_fixed else inner | {id(value)}

    for row in ROWS:
        for context in CONTEXTS[: 1 if row.name == "None" else None]:
            message_class = message_of(context.around(row.annotation), frozen=True)
            for value in row.values:
                message = message_class(context.holding(value))
                received = message.as_received()
                assert not changing(message) & changing(received), row.name


@dataclass(frozen=True)
class Inner:
    size: float


@dataclass(frozen=True)
class Frozen(AvroMessageMixin):
    inner: Inner


@dataclass(frozen=True)
class Sizes(AvroMessageMixin):
    """What type checkers let pass: ints where floats belong, as a default, too."""

    inner: Inner
    size: float = 1
    sizes: tuple[float, ...] = (1, 2.5)
    either: float | str | None = None
    single: Float32 = 0.0


def test_an_int_is_a_float_where_that_is_the_only_number() -> None:
    sent = Sizes(Inner(3), either=2, single=5)
    wanted = Sizes(Inner(3.0), 1.0, (1.0, 2.5), 2.0, 5.0)

    for received in (Sizes.decode(sent.encode()), sent.as_received()):
        assert repr(received) == repr(wanted)
    exact = Frozen(Inner(3.0))
    assert exact.as_received() is exact
    assert repr(Frozen(Inner(3)).as_received()) == repr(exact)
    with pytest.raises(
        EncodeError, match=r"Sizes\.sizes\[1\]: expected a float, or an int that equals one, got int 9007"
    ):
        Sizes(Inner(1.0), sizes=(1, 2**53 + 1)).as_received()
