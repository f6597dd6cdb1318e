"""YAML is read as YAML 1.2 has it, with the position of every value, by either of PyYAML's parsers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from orbitalis_codegen.diagnostic import Report
from orbitalis_codegen.read import yaml_text
from orbitalis_codegen.read.node import JsonValue, ListNode, Node, ObjectNode, ScalarNode, plain
from orbitalis_codegen.read.yaml_text import read_yaml
from tests.support.repository import ROOT


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read with the parser in C, and with the one in Python that serves where PyYAML was built without the other."""
    monkeypatch.setattr(yaml_text, "_LOADER", getattr(yaml, request.param))


def read(text: str) -> Node:
    report = Report()
    node = read_yaml(text, "file.yaml", report)
    assert node is not None
    assert not report, report.error()
    return node


def problems(text: str) -> list[tuple[str, str]]:
    report = Report()
    read_yaml(text, "file.yaml", report)
    return [(problem.code, str(problem.position)) for problem in report.error().diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("off", "off"),
        ("Y", "Y"),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("020000", 20000),
        ("-007", -7),
        ("0o" + "0" * 30 + "17", 15),
        ("0x" + "0" * 30 + "1F", 31),
        ("0o1777777777777777777777", 2**64 - 1),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-11-24", "2026-11-24"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("3.0.0", "3.0.0"),
        ("9223372036854775807", 2**63 - 1),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ('"\\u00e4\\n"', "ä\n"),
        ("$handshake.discover", "$handshake.discover"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: JsonValue) -> None:
    read_value = plain(read(f"key: {text}\n"))

    assert read_value == {"key": value}
    assert isinstance(read_value, dict)
    assert type(read_value["key"]) is type(value)


def test_every_value_knows_its_position() -> None:
    node = read("# A comment.\näöü: [1, {b: 'x'}]\nlast:\n  - |\n    text\n  -\n    deep: &a [2]\nsame: *a\n")

    assert dict(positions(node)) == {
        "": "file.yaml:2:1",
        "äöü": "file.yaml:2:6",
        "äöü/0": "file.yaml:2:7",
        "äöü/1": "file.yaml:2:10",
        "äöü/1/b": "file.yaml:2:14",
        "last": "file.yaml:4:3",
        "last/0": "file.yaml:4:5",
        "last/1": "file.yaml:7:5",
        "last/1/deep": "file.yaml:7:11",
        "last/1/deep/0": "file.yaml:7:15",
        "same": "file.yaml:7:11",
        "same/0": "file.yaml:7:15",
    }
    assert isinstance(node, ObjectNode)
    assert {key: str(position) for key, position in node.key_positions.items()} == {
        "äöü": "file.yaml:2:1",
        "last": "file.yaml:3:1",
        "same": "file.yaml:8:1",
    }


def positions(node: Node, path: str = "") -> Iterator[tuple[str, str]]:
    yield path, str(node.position)
    match node:
        case ObjectNode(members):
            inner = list(members.items())
        case ListNode(items):
            inner = [(str(index), item) for index, item in enumerate(items)]
        case ScalarNode():
            inner = []
    for key, child in inner:
        yield from positions(child, f"{path}/{key}" if path else key)


def test_order_of_keys_is_kept() -> None:
    node = read("b: 1\na: 2\nc: 3\n")

    assert isinstance(node, ObjectNode)
    assert list(node.members) == ["b", "a", "c"]


def test_an_anchor_may_be_given_anew() -> None:
    assert plain(read("- &a 1\n- *a\n- &a 2\n- *a\n")) == [1, 1, 2, 2]


def test_an_alias_may_be_a_key() -> None:
    assert plain(read("- &name key\n- *name : 1\n")) == ["key", {"key": 1}]


def test_problems_in_one_file_are_found_in_one_run() -> None:
    text = "a: !!int 1\n7: x\na: .inf\nb: 99999999999999999999\n"

    assert problems(text) == [
        ("ORB107", "file.yaml:1:4"),
        ("ORB107", "file.yaml:2:1"),
        ("ORB109", "file.yaml:3:1"),
        ("ORB107", "file.yaml:3:4"),
        ("ORB113", "file.yaml:4:4"),
    ]


def test_of_two_equal_keys_the_first_counts() -> None:
    report = Report()

    node = read_yaml("a: 1\na: 2\n", "file.yaml", report)

    assert node is not None
    assert plain(node) == {"a": 1}
    assert report


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a: [1, 2\nb: 3\n", "file.yaml:2:2"),
        ("a: 'b\n", "file.yaml:2:1"),
        ("a: b: c\n", "file.yaml:1:5"),
        ("a:\n\t- b\n", "file.yaml:2:1"),
        ('a: "\\ud800"\n', None),
        ("a: @b\n", "file.yaml:1:4"),
    ],
)
def test_syntax_errors_have_a_position(text: str, position: str | None) -> None:
    ((code, found),) = problems(text)

    assert code == "ORB106"
    # The parsers agree on what is wrong, but not on where a wrong escape is.
    assert found == position or (position is None and found.startswith("file.yaml:1:"))


@pytest.mark.parametrize("text", ["a: !{} b\n", "a: !{} [b]\n", "a: *{}\n"])
def test_what_is_repeated_of_a_text_is_short(text: str) -> None:
    report = Report()
    read_yaml(text.format("x" * 5000), "file.yaml", report)

    (found,) = report.error().diagnostics
    assert len(found.message) < 200


def test_both_parsers_read_the_repository_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "asyncapi.yaml").read_text(encoding="utf-8")
    node = read(text)
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)
    other = read(text)

    assert plain(node) == plain(other)
    assert list(positions(node)) == list(positions(other))
