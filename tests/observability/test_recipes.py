"""The recipe for logs in JSON: each line is JSON, and the line of a failure says what it is about."""

from __future__ import annotations

import json
import sys

from tests.examples.snippets import snippets
from tests.support.repository import run


def test_the_formatter_writes_a_line_of_json_for_each_record() -> None:
    (recipe,) = [one.text for one in snippets() if one.path.name == "observability.md" and "JsonFormatter" in one.text]

    lines = [json.loads(line) for line in run([sys.executable, "-c", recipe]).splitlines()]

    assert all(line["orbiter"] in ("core", "lamp") for line in lines)
    (failure,) = [line for line in lines if line["level"] == "ERROR"]
    assert (failure["orbiter"], failure["remote"], failure["operation"]) == ("lamp", "core", "turn_on")
    assert failure["connection"]
    assert failure["exception"].endswith("ValueError: there is no lamp in the kitchen")
