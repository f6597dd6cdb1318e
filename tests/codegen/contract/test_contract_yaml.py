"""YAML that the generator writes: every reader reads what was meant, and people read it, too."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from orbitalis_codegen.contract.yaml_text import yaml_of
from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read.node import JsonValue, plain
from orbitalis_codegen.read.yaml_text import read_yaml

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text("ab:# -'\"\\\n\t1.e0ox~", max_size=12),
    st.sampled_from(["null", "Yes", "no", "0o17", "0x1f", "1e3", "1_000", "12:30:45", "2001-12-14", ".inf", "<<", "="]),
)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
@example({"a": [[{"b": []}, [[1]]], {}, "x\ny"], "": {"": ""}})
@example(
    {"a": "\n", "b": "\n\n", "c": "x\n", "d": "x\n\n", "e": "x\ny\n", "f": " x\ny", "g": "x\n  \n y ", "h": "x\r\ny"}
)
@example({"a": "\x85\u2028\ufeff\u00a0", "b": "\x00\x7f", "c": "\U0001f600 ok", "d": "\U000e0001"})
@example(
    {"a": 1e22, "b": -0.0, "c": 5e-324, "d": "1.0.0", "e": "3.0", "f": "1.2.3: x", "g": "a #b", "h": "a:", "i": "a:b"}
)
def test_every_reader_reads_what_was_written(value: dict[str, JsonValue]) -> None:
    text = yaml_of(value)
    report = Report()

    node = read_yaml(text, "document.yaml", report)

    assert node is not None, report.error()
    assert repr(plain(node)) == repr(value)
    # PyYAML reads YAML 1.1, where more words and numbers mean something.
    assert repr(yaml.safe_load(text)) == repr(value)


def test_texts_stand_as_people_write_them() -> None:
    value: dict[str, JsonValue] = {
        "asyncapi": "3.0.0",
        "info": {"title": "Lamps", "description": "Turns lamps on.\n\nAnd off: later.\n"},
        "$ref": "#/channels/dim",
        "null": [None, True, "on", "it's", {"type": "record", "fields": [{"name": "a"}, {"name": "b"}]}, [1, 2.0], []],
        "empty": {},
    }

    assert yaml_of(value) == (
        "asyncapi: 3.0.0\n"
        "info:\n"
        "  title: Lamps\n"
        "  description: |\n"
        "    Turns lamps on.\n"
        "\n"
        "    And off: later.\n"
        "$ref: '#/channels/dim'\n"
        "'null':\n"
        "  - null\n"
        "  - true\n"
        "  - 'on'\n"
        "  - 'it''s'\n"
        "  - type: record\n"
        "    fields:\n"
        "      - name: a\n"
        "      - name: b\n"
        "  - - 1\n"
        "    - 2.0\n"
        "  - []\n"
        "empty: {}\n"
    )


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_json_cannot_hold_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        yaml_of({"default": number})
