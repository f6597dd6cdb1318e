"""TOML is read as the standard library reads it, and each value has its place."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read.node import ListNode, Node, ObjectNode, ScalarNode, plain
from orbitalis_codegen.read.toml_text import read_toml

TEXT = '''# A comment with "quotes" and [brackets]
title = "A \\"title\\" # of it"   # not a key = 1
odd."dotted key".last = 0x1F
day = 1979-05-27 07:32:00
[table]
texts = [ "x]", \'y}\', """
[nope] = 1
a "quoted" text\\
""" , {one = [1, 2], other.inner = 3}, ]
[[list.of]]
name = "first"
[list.of.inner]
value = 1.5
[[list.of]]
name = """second"""
[table.below]
yes = true
'''


def places(node: Node, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], str]:
    """Return where each value in a tree stands, by the keys that lead to it."""
    found = {path: f"{node.position.line}:{node.position.column}"}
    match node:
        case ObjectNode(members):
            for key, member in members.items():
                found |= places(member, (*path, key))
        case ListNode(items):
            for number, item in enumerate(items):
                found |= places(item, (*path, number))
        case _:
            pass
    return found


def read(text: str) -> ObjectNode:
    report = Report()
    tree = read_toml(text, "a.toml", report)
    assert tree is not None, report.error()
    return tree


def with_dates_as_texts(value: Any) -> Any:
    match value:
        case dict():
            return {key: with_dates_as_texts(inner) for key, inner in value.items()}
        case list():
            return [with_dates_as_texts(inner) for inner in value]
        case str() | bool() | int() | float():
            return value
        case _:
            return str(value)


def test_values_are_those_of_the_standard_library() -> None:
    assert plain(read(TEXT)) == with_dates_as_texts(tomllib.loads(TEXT))


def test_every_value_has_its_place() -> None:
    found = places(read(TEXT))

    assert found[("title",)] == "2:9"
    assert found[("odd", "dotted key", "last")] == "3:25"
    assert found[("day",)] == "4:7"
    assert found[("table",)] == "5:1"
    assert found[("table", "texts")] == "6:9"
    assert found[("table", "texts", 1)] == "6:17"
    assert found[("table", "texts", 2)] == "6:23"
    assert found[("table", "texts", 3)] == "9:7"
    assert found[("table", "texts", 3, "one", 1)] == "9:18"
    assert found[("table", "texts", 3, "other", "inner")] == "9:36"
    assert found[("list", "of", 0, "inner", "value")] == "13:9"
    assert found[("list", "of", 1)] == "14:1"
    assert found[("list", "of", 1, "name")] == "15:8"
    assert found[("table", "below", "yes")] == "17:7"


@pytest.mark.parametrize(("text", "place"), [("a = 1\na = 2\n", "2:6"), ("a =", "1:4"), ("[a\n", "1:3")])
def test_what_is_no_toml_is_reported_where_it_is(text: str, place: str) -> None:
    report = Report()

    assert read_toml(text, "a.toml", report) is None
    (found,) = report.error().diagnostics
    assert (found.code, str(found.position).partition(":")[2]) == ("ORB114", place)


@given(st.text(alphabet="[]{}=.,\"'ab1 \n#\\-"))
def test_any_text_is_read_or_reported(text: str) -> None:
    report = Report()
    tree = read_toml(text, "a.toml", report)

    assert (tree is None) == bool(report)
    if tree is not None:
        assert plain(tree) == with_dates_as_texts(tomllib.loads(text))
        assert all(isinstance(node, ObjectNode | ListNode | ScalarNode) for node in (tree, *tree.members.values()))
