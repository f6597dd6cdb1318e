"""The cases: each requirement of the specification has one, or a list says why not; the Python subject passes some."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from orbitalis_codegen import read_specification
from orbitalis_conformance.case import load_cases
from orbitalis_conformance.errors import CaseError
from orbitalis_conformance.features import FEATURES
from orbitalis_conformance.report import as_text
from orbitalis_conformance.suite import run_suite
from tests.support.repository import ROOT

CASES = load_cases()
WITHOUT_CASE: dict[str, str] = yaml.safe_load((ROOT / "conformance" / "without-case.yaml").read_text())
SUBJECT = [sys.executable, "-m", "conformance.subjects.python.subject"]
#: One of so many cases is run; `make conformance` runs all.
EVERY = 16


def test_every_requirement_has_a_case_or_a_reason() -> None:
    required = {one.identifier for one in read_specification(ROOT).requirements}
    tried = {requirement for case in CASES for requirement in case.requirements}

    assert tried <= required
    assert required - tried == WITHOUT_CASE.keys()


@pytest.mark.timeout(120)
async def test_the_python_subject_passes_some_of_each_kind() -> None:
    summary = await run_suite(CASES[::EVERY], SUBJECT, jobs=6, patience=2.0)

    assert summary.exit_status == 0, as_text(summary)


@pytest.mark.timeout(60)
async def test_the_case_of_the_page_is_one_that_passes(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "conformance.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "a.yaml").write_text("cases:\n" + shown)

    summary = await run_suite(load_cases(tmp_path), SUBJECT, jobs=1, patience=2.0)

    assert summary.exit_status == 0, as_text(summary)


def test_the_page_names_all_that_subjects_and_cases_can_be_asked_for() -> None:
    page = (ROOT / "docs" / "reference" / "conformance.md").read_text(encoding="utf-8")
    steps = [step for case in CASES for step in case.steps]
    told = {step[head] for step in steps if (head := next(iter(step))) in ("subject does", "subject begins")}
    reported = {step[head] for step in steps if (head := next(iter(step))).startswith("subject reports")}
    needed = {feature for case in CASES for feature in case.needs}

    assert [name for name in sorted(told | reported | needed | {*FEATURES}) if f"`{name}`" not in page] == []


def test_the_first_line_of_a_new_peer_lacks_all_that_a_plugin_can_begin_without() -> None:
    page = (ROOT / "docs" / "reference" / "conformance.md").read_text(encoding="utf-8")
    (line,) = re.findall(r'^ +(\{"event": "ready".*\})$', page, re.MULTILINE)

    assert {*FEATURES} - {*json.loads(line)["lacks"]} == {"plugin", "headers", "topic_layout"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "a.yaml: expected a mapping with the list `cases`"),
        ("cases: [3]", "a.yaml: expected a mapping with `case`, the name, got 3"),
        ("cases: [{case: x, steps: [wait], requirements: [ORB-1]}]", "a.yaml:1: expected ids of requirements"),
        ("cases: [{case: x, needs: [sound], steps: [wait], requirements: [ORB-HS-01]}]", "there is no feature 'sound'"),
        ("cases: [{case: x, requirements: [ORB-HS-01]}]", "a.yaml:1: expected `steps`, a list with something in it"),
        ("cases:\n- {case: x, stops: []}", "a.yaml:2: a case has no 'stops'"),
        ("cases: [{case: x, steps: [{wait: !never 3}], requirements: [ORB-HS-01]}]", "there is no !never"),
        ("cases: [", "a.yaml: while parsing a flow node"),
    ],
)
def test_a_case_that_is_not_as_it_has_to_be_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text(text)

    with pytest.raises(CaseError) as caught:
        load_cases(tmp_path)

    assert message in str(caught.value)


def test_a_case_needs_what_it_names_the_role_of_its_subject_and_avro_where_it_is_sent(tmp_path: Path) -> None:
    usual = "requirements: [ORB-HS-01]"
    (tmp_path / "a.yaml").write_text(
        f"cases:\n"
        f"- {{case: w, {usual}, steps: [settle]}}\n"
        f"- {{case: x, {usual}, steps: [settle], needs: [limits], subject: core}}\n"
        f"- {{case: y, {usual}, steps: [{{repeat: 2, steps: [{{core sends: DiscoverMessage, encoding: avro}}]}}]}}\n"
        f"- {{case: z, {usual}, steps: [settle], peers: {{core: {{encoding: avro}}}}}}\n"
    )

    assert [sorted(case.needs) for case in load_cases(tmp_path)] == [
        ["plugin"],
        ["core", "limits"],
        ["avro", "plugin"],
        ["avro", "plugin"],
    ]


def test_a_case_is_multiplied_by_what_it_is_to_be_run_with(tmp_path: Path) -> None:
    each = "{how: [x, y], n: {1: {m: 2}}}"
    text = f"{{case: 'a <how>', each: {each}, requirements: [ORB-HS-01], steps: [{{wait: <n.m>}}]}}"
    (tmp_path / "a.yaml").write_text(f"cases: [{text}]")

    found = load_cases(tmp_path)

    assert [case.name for case in found] == ["a: a x (n 1)", "a: a y (n 1)"]
    assert found[0].steps == ({"wait": 2},)
