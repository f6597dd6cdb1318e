"""Inputs and outputs that ask for the same schema, and not for others that resolve."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orbitalis.message import Input, Output, StringMessage
from orbitalis.message.matching import exact_schemas, match
from orbitalis.message.schema import SchemaSpec, schema_fingerprint
from tests.support.versions import message_of, record_of

OLD = record_of("Lamp", ("level", "int"))
NEW = record_of("Lamp", ("level", "long"))
OTHER = record_of("Horn", ("level", "int"))
for schema in (OLD, NEW, OTHER):
    message_of(schema)
(TEXT,) = Input.string().schemas


@pytest.mark.parametrize(
    "made",
    [
        lambda: Input(schemas=[TEXT], exact=True),
        lambda: Output(schemas=[TEXT], exact=[TEXT]),
        lambda: Input.string(exact=True),
        lambda: Output.string(exact=True),
        lambda: Input.from_message(StringMessage, exact=True),
        lambda: Output.from_message(StringMessage, exact=True),
        lambda: SchemaSpec.from_message(StringMessage, exact=True),
        lambda: Input.from_schema(TEXT, exact=True),
        lambda: Output.string().exactly(),
    ],
)
def test_all_that_name_schemas_can_ask_for_the_same_one(made: Callable[[], Any]) -> None:
    assert made().exact == {TEXT}
    assert list(made().schemas) == [TEXT]


def test_without_asking_none_has_to_be_the_same() -> None:
    for spec in (Input.string(), Output.from_message(StringMessage), Input(schemas=[OLD, NEW]), Input.no_input()):
        assert spec.exact == frozenset()
    assert Input.empty(exact=True).exact == frozenset()


def test_a_join_asks_for_each_schema_as_its_parts_do() -> None:
    joined = Input(schemas=[OLD], exact=True) | Input(schemas=[NEW, OTHER], exact=[OTHER])
    assert list(joined.schemas) == [OLD, NEW, OTHER]
    assert joined.exact == {OLD, OTHER}
    assert (Output(schemas=[OLD], exact=True) | Output(schemas=[OLD])).exact == frozenset()


def test_it_counts_in_comparisons_and_stays_in_copies() -> None:
    exact, loose = Input.string(exact=True), Input.string()
    assert exact != loose
    assert hash(exact) != hash(loose)
    for one in (copy.deepcopy(exact), pickle.loads(pickle.dumps(exact)), replace(exact), Input.from_wire(exact)):
        assert one == exact
        assert one.exact == {TEXT}
    assert eval(repr(exact), {"Input": Input}) == exact
    partly = Input(schemas=[OLD, NEW], exact=[NEW])
    assert eval(repr(partly), {"Input": Input}) == partly
    assert "exact" not in repr(loose)
    with pytest.raises(AttributeError):
        exact.exact = frozenset()  # type: ignore[misc]


def test_in_other_words_it_asks_for_the_same() -> None:
    said = TEXT.replace('"doc":"A text."', '"doc":"In my words."')
    assert said != TEXT
    assert Input.string(exact=True).spelled_like([Input(schemas=[said])]).exact == {said}


def test_what_is_no_schema_of_it_is_refused() -> None:
    with pytest.raises(ValueError, match="exact names what is none of the schemas"):
        Input(schemas=[OLD], exact=[NEW])
    with pytest.raises(TypeError, match="exact must be a list, got"):
        Input(schemas=[OLD], exact=OLD)


def test_the_wire_has_fingerprints_of_what_has_to_be_the_same() -> None:
    unknown = record_of("Lamp", ("level", "string"))
    specs = [Input(schemas=[OLD, NEW, unknown], exact=[NEW])]
    assert exact_schemas(specs, are_read=False) == (schema_fingerprint(NEW),)
    # What is read without a message class has to be the same as well.
    assert exact_schemas(specs, are_read=True) == (schema_fingerprint(NEW), schema_fingerprint(unknown))
    assert exact_schemas([Input(schemas=["no schema"], exact=True)], are_read=True) == ()


@pytest.mark.parametrize(
    ("writes", "reads", "exact", "expected"),
    [
        (Input(schemas=[OLD]), Input(schemas=[OLD]), [], ()),
        (Input(schemas=[OLD]), Input(schemas=[NEW]), [], ((OLD, NEW, False),)),
        (Input(schemas=[NEW]), Input(schemas=[OLD]), [], None),
        (Input(schemas=[OLD, OTHER]), Input(schemas=[NEW, OTHER]), [], ((OLD, NEW, False), (OTHER, OTHER, True))),
        (Input(schemas=[OLD, OTHER]), Input(schemas=[NEW]), [], None),
        (Input(schemas=[OLD], exact=True), Input(schemas=[NEW]), [], None),
        (Input(schemas=[OLD]), Input(schemas=[NEW], exact=True), [], None),
        (Input(schemas=[OLD]), Input(schemas=[NEW]), [schema_fingerprint(OLD)], None),
        (Input(schemas=[OLD]), Input(schemas=[NEW]), [schema_fingerprint(NEW)], None),
        (Input(schemas=[OLD], exact=True), Input(schemas=[OLD], exact=True), [schema_fingerprint(OLD)], ()),
        (Input(schemas=["no schema"]), Input(schemas=[NEW]), [], None),
        (Input.empty(), Input(schemas=[NEW]), [], None),
        (Input.no_input(), Input(schemas=[NEW]), [], None),
        (Input(schemas=[OLD]), Input.no_input(), [], None),
    ],
)
def test_sets_match_if_all_that_is_written_is_read(
    writes: Input, reads: Input, exact: list[str], expected: Any
) -> None:
    found = match(writes, reads, exact)
    assert (None if found is None else tuple((one.writer, one.reader, one.is_exact) for one in found)) == expected
