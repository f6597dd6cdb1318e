"""Canonical forms of schemas: Avro's own, with logical types."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form
from hypothesis import given
from hypothesis import strategies as st

from orbitalis_avro.canonical_form import canonical_form_of, fingerprint_of
from orbitalis_wire.schemas import SCHEMAS

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "string", "bytes"]
DEFAULTS: Any = st.sampled_from([None, True, 1, 1.5, "x", "1.5", "A", [], {}, 10**400, -1])
NAMES = st.sampled_from(["A", "B", "C", "n.A", "n.m.B", "größe"])
NAMESPACES: Any = st.fixed_dictionaries({}, optional={"namespace": st.sampled_from(["", "n", "n.m", None])})
IGNORED: Any = st.fixed_dictionaries({}, optional={"doc": st.just("x"), "order": st.just("ascending")})


def _schemas(inner: Any) -> Any:
    fields = st.builds(
        lambda name, kind, more: {"type": kind, **more, "name": name},
        st.sampled_from(["a", "b", "c"]),
        inner,
        st.fixed_dictionaries({}, optional={"default": DEFAULTS, "aliases": st.just(["z"]), "doc": st.just("x")}),
    )
    return st.one_of(
        st.builds(lambda items, more: {**more, "type": "array", "items": items}, inner, IGNORED),
        st.builds(lambda values: {"values": values, "type": "map"}, inner),
        st.lists(inner, max_size=3),
        st.builds(
            lambda name, space, kind, members, more: {**more, "name": name, **space, "type": kind, "fields": members},
            NAMES,
            NAMESPACES,
            st.sampled_from(["record", "record", "error"]),
            st.lists(fields, max_size=3),
            IGNORED,
        ),
    )


LEAVES: Any = st.one_of(
    st.sampled_from(PRIMITIVES),
    st.builds(lambda kind, more: {"type": kind, **more}, st.sampled_from(PRIMITIVES), IGNORED),
    NAMES,
    st.builds(lambda name, space: {"type": "fixed", "name": name, **space, "size": 3}, NAMES, NAMESPACES),
    st.builds(
        lambda name, space, symbols, more: {"type": "enum", "name": name, **space, "symbols": symbols, **more},
        NAMES,
        NAMESPACES,
        st.lists(st.sampled_from(["A", "B", "_1", "1"]), max_size=3),
        st.fixed_dictionaries({}, optional={"default": st.sampled_from(["A", "x"])}),
    ),
)
ANY_SCHEMA: Any = st.recursive(LEAVES, _schemas, max_leaves=12)


def _of_fastavro(schema: Any) -> str | None:
    """Return the form that fastavro gives, or `None` if that is no schema for it."""
    try:
        form = to_parsing_canonical_form(parse_schema(copy.deepcopy(schema), named_schemas={}))
    except Exception:  # it raises all kinds of errors
        return None
    assert isinstance(form, str)
    return form


def _of_ours(schema: Any) -> str | None:
    try:
        return canonical_form_of(schema)
    except ValueError:
        return None


def _record(schema: Any) -> Any:
    # Where the whole is no record, fastavro reads its own result again, and mistakes names without namespace.
    return {"type": "record", "name": "Whole", "fields": [{"name": "only", "type": schema}]}


@given(ANY_SCHEMA)
def test_without_logical_types_it_is_the_form_of_fastavro_which_judges_the_same(schema: Any) -> None:
    assert _of_ours(_record(schema)) == _of_fastavro(_record(schema))


def _places(schema: Any) -> list[tuple[Any, Any]]:
    """Return all containers in a schema with their keys."""
    found: list[tuple[Any, Any]] = []
    if isinstance(schema, dict | list):
        keys = list(schema) if isinstance(schema, dict) else list(range(len(schema)))
        for key in keys:
            found.append((schema, key))
            found += _places(schema[key])
    return found


@given(ANY_SCHEMA, st.randoms(use_true_random=False))
def test_a_broken_schema_is_never_taken_unless_fastavro_takes_it(schema: Any, chance: random.Random) -> None:
    broken = _record(copy.deepcopy(schema))
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(_places(broken))
        match chance.randrange(3):
            case 0:
                del container[key]
            case 1:
                container[key] = chance.choice(
                    [None, 5, 1.5, True, "A", "int", "record", [], {}, ["A"], {"type": "int"}]
                )
            case _ if isinstance(container, dict):
                container[chance.choice(["type", "name", "size", "items", "default", "symbols"])] = container[key]
            case _:
                container.append(container[key])
        if not _places(broken):
            return
    ours, theirs = _of_ours(broken), _of_fastavro(broken)
    assert ours in (theirs, None)
    if ours is None and theirs is not None:
        # What it does not look at, we refuse: names, sizes, symbols and fields of another JSON type.
        assert any(_is_of_another_type(container, key) for container, key in _places(broken))


def _is_of_another_type(container: Any, key: Any) -> bool:
    expected: Any = {"name": str, "namespace": str | None, "size": int, "symbols": list, "fields": list}.get(key)
    value = container[key]
    return (expected is not None and not isinstance(value, expected)) or (key == "size" and type(value) is not int)


@given(
    st.sampled_from(PRIMITIVES),
    st.fixed_dictionaries({"logicalType": st.just("decimal")}, optional={"precision": DEFAULTS, "scale": DEFAULTS}),
)
def test_digits_of_decimals_are_judged_as_fastavro_does(kind: str, more: Any) -> None:
    for schema in ({"type": kind, **more}, {"type": "fixed", "name": "F", "size": 2, **more}):
        assert (_of_ours(_record(schema)) is None) == (_of_fastavro(_record(schema)) is None)


MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
FIXED = {"type": "fixed", "name": "F", "size": 16}


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        (MILLIS, '{"type":"long","logicalType":"timestamp-millis"}'),
        ({"logicalType": "date", "doc": "x", "type": "int"}, '{"type":"int","logicalType":"date"}'),
        ([MILLIS, "null"], '[{"type":"long","logicalType":"timestamp-millis"},"null"]'),
        ({"type": "long", "logicalType": "timestamp-decades"}, '"long"'),
        ({"type": "string", "logicalType": "timestamp-millis"}, '"string"'),
        ({"type": "string", "logicalType": ["uuid"]}, '"string"'),
        ({"type": "double", "logicalType": "dataclasses-avroschema-timedelta"},) * 2,
        (
            {"scale": 2, "type": "bytes", "logicalType": "decimal", "precision": 5},
            '{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}',
        ),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 5},
            '{"type":"bytes","logicalType":"decimal","precision":5,"scale":0}',
        ),
        ({"type": "bytes", "logicalType": "decimal"}, '"bytes"'),
        (
            {**FIXED, "logicalType": "decimal", "precision": 9, "scale": 1},
            '{"name":"F","type":"fixed","size":16,"logicalType":"decimal","precision":9,"scale":1}',
        ),
        ({**FIXED, "logicalType": "uuid"}, '{"name":"F","type":"fixed","size":16,"logicalType":"uuid"}'),
        ({**FIXED, "logicalType": "duration"}, '{"name":"F","type":"fixed","size":16}'),
        (
            {**FIXED, "size": 12, "logicalType": "duration"},
            '{"name":"F","type":"fixed","size":12,"logicalType":"duration"}',
        ),
    ],
)
def test_a_logical_type_is_part_of_the_form_where_it_counts(schema: Any, form: Any) -> None:
    expected = form if isinstance(form, str) else json.dumps(form, separators=(",", ":"))
    assert canonical_form_of(schema) == expected
    if isinstance(schema, dict):
        assert canonical_form_of(json.loads(expected)) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "record", "name": 'A","type":"int"},{"name":"B', "fields": []},
        {"type": "record", "name": "A", "namespace": "n\n", "fields": []},
        {"type": "record", "name": "A", "fields": [{"name": "a\\", "type": "int"}]},
    ],
)
def test_a_name_that_could_pass_for_a_part_of_the_form_is_refused(schema: Any) -> None:
    with pytest.raises(ValueError, match="expected a name"):
        canonical_form_of(schema)


def test_nesting_without_end_is_refused() -> None:
    schema: Any = "int"
    for _ in range(100_000):
        schema = {"type": "array", "items": schema}
    with pytest.raises(ValueError, match="nested too deep"):
        canonical_form_of(schema)


@given(st.text())
def test_the_fingerprint_is_that_of_fastavro(form: str) -> None:
    try:
        expected = fingerprint(form, "CRC-64-AVRO")
    except UnicodeEncodeError:
        with pytest.raises(ValueError, match="surrogates"):
            fingerprint_of(form)
    else:
        assert fingerprint_of(form) == expected


def test_the_messages_of_the_protocol_have_the_form_that_is_generated() -> None:
    for one in SCHEMAS:
        assert canonical_form_of(json.loads(one.schema)) == one.canonical_form
