"""Derived schemas are, as text, what dataclasses-avroschema makes of the same class."""

# No annotations from __future__: the library does not read texts.

import copy
import dataclasses
import enum
import json
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Union
from uuid import UUID

import fastavro
import pytest
from dataclasses_avroschema import AvroModel, types
from dataclasses_avroschema.fields.base import Field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbitalis.message.derivation import schema_text
from orbitalis.message.derivation.singular import singular


class Mode(enum.Enum):
    DAY = "DAY"
    NIGHT = "NIGHT"


class Documented(enum.Enum):
    """What it is."""

    A = "A"
    B = "b_"


class Colour(enum.StrEnum):
    RED = "red"


Documented.Meta = type(  # type: ignore[attr-defined]
    "Meta", (), {"aliases": ["x"], "namespace": "n.s", "schema_name": "Described", "default": "A"}
)


@dataclass(frozen=True)
class Lamp(AvroModel):
    name: str = "x"
    seen: int | None = None
    mode: Mode = Mode.DAY
    number: int = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Blind(AvroModel):
    """A blind."""

    closed: bool
    lamps: list[Lamp] = field(default_factory=list)

    class Meta:
        namespace = "a.b"
        aliases = ("Bl",)
        schema_name = "BlindRecord"


# To be given items that only the run knows.
LIST: Any = list
TUPLE: Any = tuple
DICT: Any = dict
SEQUENCE: Any = Sequence
MUTABLE_SEQUENCE: Any = MutableSequence
MAPPING: Any = Mapping
MUTABLE_MAPPING: Any = MutableMapping
PRICE = types.condecimal(max_digits=5, decimal_places=2)
DIGEST = types.confixed(size=4, aliases=["q"], namespace="z")
MOMENT = datetime(2020, 1, 2, 3, 4, 5, 678901)
EXAMPLES: list[tuple[Any, list[Any]]] = [
    (bool, [True]),
    (int, [5, -(2**63)]),
    (float, [1.5, 1, float("inf"), float("nan")]),
    (str, ["é", "\ud800", Colour.RED]),
    (bytes, [b"abc", b"\xc3\xa9"]),
    (type(None), [None]),
    (types.Int32, [4]),
    (types.Float32, [2.5]),
    (date, [date(1950, 1, 2)]),
    (time, [time(1, 2, 3, 999_999)]),
    (types.TimeMicro, [time(1, 2, 3, 999_999)]),
    (datetime, [MOMENT.replace(tzinfo=UTC), MOMENT]),
    (types.DateTimeMicro, [MOMENT.replace(tzinfo=UTC)]),
    (types.LocalDateTime, [MOMENT.replace(year=1920)]),
    (types.LocalDateTimeMicro, [MOMENT]),
    (timedelta, [timedelta(days=-1, microseconds=7)]),
    (UUID, [UUID(int=5), str(UUID(int=5))]),
    (Mode, [Mode.NIGHT, "DAY"]),
    (Documented, [Documented.B]),
    (Colour, [Colour.RED]),
    (Literal["a"], ["a"]),
    (Literal["a", 1], [1, "a"]),
    (Literal[True, 2], [True, 2]),
    (Literal[b"x"], [b"x"]),
    (Literal[Mode.DAY], [Mode.DAY]),
    (PRICE, [Decimal("-1.23"), Decimal("12")]),
    (DIGEST, [b"abcd"]),
    (Lamp, [Lamp(), Lamp("k", None, Mode.NIGHT, 7)]),
    (Blind, [Blind(True), Blind(False, [Lamp()])]),
    (Annotated[int, "x"], [3]),
]
NAMES = ["values", "lamps", "status", "mice", "series", "people", "x", "namespaces"]


def _make(fields: Sequence[tuple[str, Any, Any]], **namespace: Any) -> Any:
    return dataclasses.make_dataclass("Telegram", list(fields), bases=(AvroModel,), namespace=namespace, frozen=True)


def _of_library(made: Any) -> str | None:
    """Return the text that the library makes, or `None` if that is no schema."""
    try:
        text: str = made.avro_schema()
        fastavro.parse_schema(json.loads(text))
    except Exception:  # it raises all kinds of errors
        return None
    return text


def _check_if_possible(*fields: tuple[str, Any, Any]) -> None:
    """Check a class that the library may not be able to handle: the text says nothing then."""
    made = _make(fields)
    expected = _of_library(made)
    assert expected is None or schema_text(made) == expected


def _check(*fields: tuple[str, Any, Any], **namespace: Any) -> None:
    made = _make(fields, **namespace)
    expected = _of_library(made)
    assert expected is not None
    assert schema_text(made) == expected


def _plain() -> Any:
    return field()


def _made(value: Any) -> Any:
    return field(default_factory=lambda: value)


@pytest.mark.parametrize(("annotation", "values"), EXAMPLES, ids=lambda value: str(value)[:40])
def test_each_type_is_written_as_the_library_does(annotation: Any, values: list[Any]) -> None:
    _check(("values", annotation, _plain()))
    _check(("values", annotation, field(metadata={"doc": "d", "aliases": ("k",), "inner_name": "In", "n": 1})))
    _check(("values", annotation | None, _plain()))
    _check(("values", DICT[str, annotation], _plain()), ("lamps", MUTABLE_MAPPING[str, annotation], _plain()))
    _check(("values", annotation, field(default=values[0], metadata={"exclude_default": True})))
    if annotation is type(None):
        return
    for array in (LIST[annotation], SEQUENCE[annotation], MUTABLE_SEQUENCE[annotation], TUPLE[annotation, ...]):
        _check(("values", array, _plain()))
        _check(("values", array, field(default=None)))
        _check(("values", array, field(default=())))
    for value in values:
        _check(("values", annotation, field(default=value)))
        _check_if_possible(("values", annotation, _made(value)))
        _check_if_possible(("values", LIST[annotation], _made([value, value])))
        _check_if_possible(("values", DICT[str, annotation], _made({"k": value})))


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (float | None, 0),
        (types.Int32 | None, 0),
        (types.DateTimeMicro | None, MOMENT),
        (Literal["a"] | None, "a"),
        (Literal["a", 1] | None, None),
        (Literal["a"] | str, "b"),
        (Literal[Mode.DAY] | None, Mode.DAY),
        (str | None, Colour.RED),
        (list[int | str], None),
        (Mode | Lamp | None, Mode.DAY),
        (int | Lamp, Lamp()),
        (PRICE, None),
        (Blind, None),
        (str, None),
    ],
)
def test_a_default_decides_what_the_first_branch_of_a_union_is(annotation: Any, default: Any) -> None:
    _check(("values", annotation, field(default=default)))


def test_a_list_is_the_first_branch_where_it_is_made() -> None:
    _check(("values", list[int] | None, field(default_factory=list)))
    _check(("values", list[str | int], field(default_factory=lambda: ["a", 1])))
    _check(("values", str | None, field(default_factory=lambda: None)))


@pytest.mark.parametrize(
    "meta",
    [
        {"schema_name": "N"},
        {"schema_name": ""},
        {"namespace": "x.y"},
        {"aliases": ["a"]},
        {"aliases": ("a",)},
        {"schema_doc": False},
        {"schema_doc": " Said here. "},
        {"field_order": ["lamps"]},
        {"exclude": ["lamps"]},
        {"convert_literal_to_enum": True},
        {"alias_nested_items": {"values": "Alias", "mice": "Other", "number": "Never"}},
        {"something_else": 1},
    ],
)
@pytest.mark.parametrize("doc", [None, "", "  Hello\n there "])
def test_what_meta_and_docstring_say_is_in_the_schema(meta: dict[str, Any], doc: str | None) -> None:
    fields = [
        ("values", Lamp, _plain()),
        ("mice", list[Lamp], _plain()),
        ("lamps", str, field(default="q")),
        ("status", Literal["a", "b"], field(default="a")),
    ]
    _check(*fields, Meta=type("Meta", (), meta), __doc__=doc)


def test_attributes_of_a_class_count_as_those_of_meta() -> None:
    _check(("values", int, _plain()), ("namespace", str, field(default="n")), schema_name="Attribute")


def test_what_is_there_already_is_referred_to() -> None:
    _check(
        ("values", Mode, _plain()),
        ("lamps", Lamp, _plain()),
        ("status", list[Mode | None], _plain()),
        ("mice", dict[str, Lamp], _plain()),
        ("people", Documented, _plain()),
        ("x", Documented | None, _plain()),
    )
    _check(("values", Blind, _plain()), ("status", Blind | None, _plain()))


def test_an_inherited_field_comes_first_and_an_undecorated_class_has_the_name_of_its_own() -> None:
    @dataclass
    class Base(AvroModel):
        values: int

    @dataclass
    class Derived(Base):
        status: str = "x"

    class Undecorated(Derived):
        pass

    assert schema_text(Derived) == Derived.avro_schema()
    assert schema_text(Undecorated) == Undecorated.avro_schema()


Pair = tuple[Any, st.SearchStrategy[Any]]
LEAVES: st.SearchStrategy[Pair] = st.sampled_from(
    [(annotation, st.sampled_from(values)) for annotation, values in EXAMPLES]
)


def _larger(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return st.one_of(
        inner.map(lambda pair: (LIST[pair[0]], st.lists(pair[1], max_size=2))),
        inner.map(lambda pair: (SEQUENCE[pair[0]], st.lists(pair[1], max_size=2))),
        inner.map(lambda pair: (TUPLE[pair[0], ...], st.lists(pair[1], max_size=2).map(tuple))),
        inner.map(lambda pair: (DICT[str, pair[0]], st.dictionaries(st.sampled_from("ab"), pair[1], max_size=2))),
        inner.map(lambda pair: (MAPPING[str, pair[0]], st.dictionaries(st.sampled_from("ab"), pair[1], max_size=2))),
        inner.map(lambda pair: (pair[0] | None, pair[1])),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda pairs: (Union[tuple(pair[0] for pair in pairs)], pairs[0][1])  # noqa: UP007 (made of a list)
        ),
    )


@st.composite
def _fields(draw: Any) -> Any:
    annotation, values = draw(st.recursive(LEAVES, _larger, max_leaves=4))
    value = draw(values)
    metadata = draw(st.sampled_from([{}, {}, {"doc": "d"}, {"aliases": ["k"], "inner_name": "In"}]))
    kind = draw(st.sampled_from(["none", "default", "default", "factory", "null"]))
    if kind == "none":
        return annotation, {"metadata": metadata, "kw_only": True}
    if kind == "null":
        return annotation, {"default": None, "metadata": metadata, "kw_only": True}
    if kind == "factory" or isinstance(value, list | dict):
        return annotation, {"default_factory": lambda: copy.deepcopy(value), "metadata": metadata, "kw_only": True}
    return annotation, {"default": value, "metadata": metadata, "kw_only": True}


METAS = st.fixed_dictionaries(
    {},
    optional={
        "namespace": st.sampled_from(["a.b", "top"]),
        "convert_literal_to_enum": st.booleans(),
        "schema_doc": st.sampled_from([False, "Said."]),
        "alias_nested_items": st.just({"status": "Alias", "lamp": "Single"}),
    },
)
REFUSED_ON_PURPOSE = (
    "cannot be told apart",
    "take no bytes",
    "does not fit",
    "has to be of the first type",
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(NAMES), _fields()), max_size=4, unique_by=lambda pair: pair[0]), METAS)
def test_whatever_the_class_the_text_is_that_of_the_library(fields: Any, meta: dict[str, Any]) -> None:
    try:
        made = _make([(name, one[0], field(**one[1])) for name, one in fields], Meta=type("Meta", (), meta))
    except (TypeError, ValueError):  # a default that Python does not take
        return
    expected = _of_library(made)
    try:
        found = schema_text(made)
    except TypeError as error:
        assert expected is None or any(reason in str(error) for reason in REFUSED_ON_PURPOSE), expected  # noqa: PT017
        return
    if expected is not None:
        assert found == expected
    else:
        fastavro.parse_schema(json.loads(found))


@given(
    st.from_regex(r"[A-Za-z_]{1,8}(s|es|ies|ves|ice|men|sis|ses|a|i|us|news|series|people|children)?", fullmatch=True)
)
def test_singulars_are_those_of_the_library(word: str) -> None:
    assert singular(word) == Field.get_singular_name(word)
