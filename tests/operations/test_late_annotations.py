"""Annotations that are evaluated late, as Python does from 3.14 on, and those that are texts, as before."""

from __future__ import annotations

import sys
import typing
from typing import Any

import pytest

from orbitalis.annotations import own_annotations, signature_of, text_of

WITHOUT_FUTURE = """
from dataclasses import dataclass
from typing import TYPE_CHECKING
from orbitalis import AvroMessageMixin, Core, Plugin, operation, sink

if TYPE_CHECKING:
    from orbitalis import Connection
    from somewhere import Unknown


@dataclass
class Track(AvroMessageMixin):
    number: int
    point: Point


@dataclass
class Point(AvroMessageMixin):
    left: int
    right: int = 0


class Walker(Plugin):
    @operation
    async def walk(self, track: Track, connection: Connection) -> Point:
        return track.point

    @operation
    async def rest(self, seconds: Later) -> Later:
        return seconds


class Home(Core):
    @sink(Walker.walk)
    async def walked(self, point: Point) -> None:
        pass


Later = float


@dataclass
class Wrong(Plugin):
    attribute: Unknown = None
    identifier = "mine"
"""


def made(text: str, name: str) -> dict[str, Any]:
    """Run a module without the future import that this one has."""
    module: dict[str, Any] = {"__name__": name}
    exec(compile(text, name, "exec", dont_inherit=True), module)
    return module


def test_annotations_of_a_class_are_its_own() -> None:
    class Base:
        one: int

    class Derived(Base):
        other: Missing  # type: ignore[name-defined]  # noqa: F821

    class Bare(Base):
        pass

    assert own_annotations(Base) == {"one": "int"}
    assert own_annotations(Derived) == {"other": "Missing"}
    assert own_annotations(Bare) == {}


def test_annotations_of_a_function_may_name_what_is_missing() -> None:
    def function(one: Missing, other: int = 5) -> None:  # type: ignore[name-defined]  # noqa: F821
        pass

    assert own_annotations(function) == {"one": "Missing", "other": "int", "return": "None"}
    assert [*signature_of(function).parameters] == ["one", "other"]


@pytest.mark.parametrize(
    ("annotation", "text"),
    [("Missing", "Missing"), (typing.ForwardRef("Missing"), "Missing"), (int, None), (None, None)],
)
def test_what_is_not_evaluated_has_a_text(annotation: object, text: str | None) -> None:
    assert text_of(annotation) == text


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated at once before Python 3.14")
def test_a_module_without_the_future_import_may_name_what_comes_later() -> None:
    module = made(WITHOUT_FUTURE, "late_annotations")
    track, point, walker = module["Track"], module["Point"], module["Walker"]

    sent = track(1, point(2))
    assert track.decode(sent.encode()) == sent
    assert walker.walk.message(sent) is sent
    assert walker.rest.message(5.0).value == 5.0
    made_walker = walker(identifier="walker")
    assert sorted(made_walker.operations) == ["rest", "walk"]
    assert made_walker.operations["walk"].input.accepts_payload(sent)
    assert "walked" in vars(module["Home"])
    assert [*signature_of(walker.walk.function).parameters] == ["self", "track", "connection"]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated at once before Python 3.14")
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("class M(AvroMessageMixin):\n    encode: int", "is called like a method of all messages"),
        (
            "class M(AvroMessageMixin):\n    later: Later\n    value: set[int]",
            r"field 'value' .* set\[int\] cannot be sent",
        ),
    ],
)
def test_a_class_is_checked_where_it_is_stated(statement: str, expected: str) -> None:
    with pytest.raises(TypeError, match=expected):
        made(f"from orbitalis import AvroMessageMixin\n{statement}\n", "wrong_annotations")
