"""What is reported can be read: on one line, in order, each problem once, with the nearest name as a hint."""

from __future__ import annotations

import pytest

from orbitalis_codegen.diagnostic import Diagnostic, Position, Report, did_you_mean, nearest, shown
from orbitalis_codegen.rules import Rule

HERE = Position("asyncapi.yaml", 3, 5)


def test_a_problem_is_a_line_and_its_hint_another() -> None:
    assert str(Diagnostic(HERE, Rule.UNKNOWN_KEY, "an unknown key")) == "asyncapi.yaml:3:5: ORB203 an unknown key"
    assert str(Diagnostic(HERE, Rule.UNKNOWN_KEY, "an unknown key", "take it away")) == (
        "asyncapi.yaml:3:5: ORB203 an unknown key\n    hint: take it away"
    )


def test_what_a_specification_says_cannot_add_lines_or_take_hold_of_a_terminal() -> None:
    problem = Diagnostic(Position("a\nb.avsc", 1, 1), Rule.UNKNOWN_KEY, "key\r\n\x1b[2Jx: ä", "or\u2028else")

    assert str(problem) == "a\\nb.avsc:1:1: ORB203 key\\r\\n\\x1b[2Jx: ä\n    hint: or\\u2028else"


def test_problems_are_sorted_and_each_is_reported_once() -> None:
    report = Report()
    assert not report
    report.add(Rule.LIMIT, Position("b.yaml", 1, 1), "one")
    report.add(Rule.LIMIT, Position("a.yaml", 10, 1), "two")
    report.add(Rule.TIMING, Position("a.yaml", 9, 2), "three")
    report.add(Rule.TIMING, Position("a.yaml", 9, 1), "four")
    report.add(Rule.TIMING, Position("a.yaml", 9, 1), "four")

    assert report
    assert [problem.message for problem in report.error().diagnostics] == ["four", "three", "two", "one"]
    assert report.touches("a.yaml")
    assert not report.touches("c.yaml")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (0.5, "0.5"),
        ("a'b", '"a\'b"'),
        ("a\nb", "'a\\nb'"),
        ("x" * 500, "'" + "x" * 79 + "..."),
    ],
)
def test_values_are_shown_as_the_specification_writes_them(value: object, text: str) -> None:
    assert shown(value) == text


def test_nearest_name() -> None:
    known = ["OfferMessage", "OfferedOperation", "Output", "string"]

    assert nearest("OfferMesage", known) == "OfferMessage"
    assert nearest("String", known) == "string"
    assert nearest("Keepalive", known) is None
    assert nearest("x" * 10_000, known) is None


def test_hint_names_the_nearest_or_all_of_a_few() -> None:
    assert did_you_mean("sned", ["receive", "send"]) == "did you mean 'send'?"
    assert did_you_mean("publish", ["send", "receive"]) == "known: 'receive', 'send'"
    assert did_you_mean("publish", [f"operation{number}" for number in range(20)]) is None
    assert did_you_mean("publish", []) is None
