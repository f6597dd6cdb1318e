"""JSON is read as Python's own reader does, but stricter, and with the position of every value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read.json_text import read_json
from orbitalis_codegen.read.node import JsonValue, ListNode, Node, ObjectNode, ScalarNode, plain

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> tuple[Node | None, Report]:
    report = Report()
    return read_json(text, "file.json", report), report


def is_read(text: str) -> bool:
    node, report = read(text)
    assert (node is None) == bool(report)
    return node is not None


@given(VALUES, st.sampled_from([None, 0, 3]), st.booleans())
def test_every_value_is_read_as_it_was_written(value: JsonValue, indent: int | None, ascii_only: bool) -> None:
    node, report = read(json.dumps(value, indent=indent, ensure_ascii=ascii_only))

    assert not report
    assert node is not None
    assert plain(node) == value


@given(VALUES, st.integers(0, 4))
def test_every_position_is_that_of_the_value(value: JsonValue, indent: int) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    node, _ = read(text)
    assert node is not None

    pending = [node]
    while pending:
        current = pending.pop()
        at = lines[current.position.line - 1][current.position.column - 1 :]
        match current:
            case ObjectNode(members, key_positions):
                assert at.startswith("{")
                for key, position in key_positions.items():
                    assert lines[position.line - 1][position.column - 1 :].startswith(
                        json.dumps(key, ensure_ascii=False)
                    )
                pending.extend(members.values())
            case ListNode(items):
                assert at.startswith("[")
                pending.extend(items)
            case ScalarNode(scalar):
                assert at.startswith(json.dumps(scalar, ensure_ascii=False))


def refuse(constant: str) -> None:
    raise ValueError(constant)


def refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


@given(VALUES, st.data())
def test_what_python_refuses_is_refused(value: JsonValue, data: st.DataObject) -> None:
    text = json.dumps(value)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    broken = text[:start] + data.draw(st.text('{}[]:,"\\0123.eEtrufalsn \n\t/#', max_size=3)) + text[end:]
    try:
        expected = json.loads(broken, parse_constant=refuse, object_pairs_hook=refuse_duplicates)
    except ValueError:
        expected = refuse
    node, report = read(broken)

    if expected is refuse:
        assert report
    elif node is not None:
        assert plain(node) == expected
    else:
        # Stricter than Python: half of a surrogate pair, and numbers beyond 64 bits.
        assert {problem.code for problem in report.error().diagnostics} <= {"ORB108", "ORB113"}


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "[1,]", "{'a': 1}", "{a: 1}", "// x\n1", "01", "+1", "1.", ".5", "'a'"]
)
def test_what_only_looks_like_json_is_refused(text: str) -> None:
    assert not is_read(text)


def test_values_may_be_nested_a_hundred_deep() -> None:
    assert is_read("[" * 100 + "]" * 100)
    assert not is_read("[" * 101 + "]" * 101)


def test_nesting_without_end_is_refused() -> None:
    assert not is_read("[" * 100_000)
    assert not is_read('{"a":' * 100_000)
