"""The names of spans, metrics and attributes: by the conventions, and the same in both languages."""

from __future__ import annotations

import re

import pytest
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.semconv.attributes import error_attributes

from orbitalis.log import FIELDS
from orbitalis.observability import names
from tests.support.repository import ROOT

TYPESCRIPT = ROOT / "typescript" / "src" / "observability" / "names.ts"
OURS = {name: getattr(names, name) for name in names.__all__}


def test_names_of_the_conventions_are_theirs() -> None:
    conventional = {value for name, value in vars(messaging_attributes).items() if name.startswith("MESSAGING_")}
    conventional.add(error_attributes.ERROR_TYPE)

    assert {value for value in OURS.values() if value.startswith(("messaging.", "error."))} <= conventional


@pytest.mark.parametrize("name", sorted(OURS))
def test_names_are_ours_or_theirs(name: str) -> None:
    assert re.fullmatch(r"(orbitalis|messaging|error)(\.[a-z_]+)*\.?|[a-z]+", OURS[name])


def test_attributes_have_the_words_of_the_log() -> None:
    assert {f"orbitalis.{field}" for field in FIELDS[:4]} == {
        names.ORBITER,
        names.REMOTE,
        names.OPERATION,
        names.CONNECTION,
    }


def test_typescript_has_the_same_names() -> None:
    theirs = dict(re.findall(r'^export const (\w+) = "([^"]+)";$', TYPESCRIPT.read_text(), re.MULTILINE))
    of_metrics = {name for name in OURS if name.endswith("_METRIC")}

    assert theirs == {name: value for name, value in OURS.items() if name not in of_metrics | {"CORE", "PLUGIN"}}
