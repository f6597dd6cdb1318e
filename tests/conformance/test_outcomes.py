"""What a run says: whose fault something is, what is expected to fail, and the reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from orbitalis_conformance.__main__ import main
from orbitalis_conformance.case import load_cases
from orbitalis_conformance.errors import ToolError
from orbitalis_conformance.outcome import Expectations, Outcome, Status, Summary
from orbitalis_conformance.report import as_json, as_junit, as_text
from orbitalis_conformance.suite import run_suite

pytestmark = pytest.mark.timeout(120)

CASE = """
cases:
  - case: it is offered
    requirements: [ORB-HS-12]
    steps: [{core sends: DiscoverMessage}, {core gets: OfferMessage, within: 0.5}]
  - case: it is not offered
    requirements: [ORB-HS-12]
    steps: [{core sends: DiscoverMessage}, {core gets no: OfferMessage}]
  - case: it is written wrongly
    requirements: [ORB-HS-12]
    steps: [{core flies: DiscoverMessage}]
  - case: it needs what is not there
    requirements: [ORB-HS-12]
    needs: [deadlines]
    steps: [{core gets: OfferMessage, within: 0.2}]
"""
SUBJECT = [sys.executable, "-m", "conformance.subjects.python.subject"]
#: A subject in a few lines, that does without deadlines.
SHORT = """
import json, sys
print(json.dumps({"event": "ready", "subject": "short", "lacks": ["deadlines", "introspection"]}), flush=True)
for line in sys.stdin:
    print(json.dumps({"event": "done", "id": json.loads(line)["id"]}), flush=True)
"""


async def summary_of(tmp_path: Path, command: list[str], expected: dict[str, str] | None = None) -> Summary:
    (tmp_path / "a.yaml").write_text(CASE)
    expectations = None if expected is None else Expectations(expected)
    return await run_suite(load_cases(tmp_path), command, jobs=1, expectations=expectations)


async def test_faults_of_the_subject_are_told_from_those_of_the_tester(tmp_path: Path) -> None:
    summary = await summary_of(tmp_path, SUBJECT)

    assert [one.status for one in summary.outcomes] == [Status.PASSED, Status.FAILED, Status.ERROR, Status.FAILED]
    assert "must not get a OfferMessage" in summary.outcomes[1].text
    assert "a.yaml:9: there is no step 'core flies'" in summary.outcomes[2].text
    assert summary.exit_status == 2


async def test_a_feature_that_the_subject_does_without_skips_a_case(tmp_path: Path) -> None:
    summary = await summary_of(tmp_path, [sys.executable, "-c", SHORT])

    assert [one.status for one in summary.outcomes][3] is Status.SKIPPED
    assert summary.outcomes[0].status is Status.FAILED
    assert summary.subject == "short"


async def test_what_is_expected_to_fail_is_not_waited_for_with_patience(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CASE)
    cases = [case for case in load_cases(tmp_path) if case.name == "a: it is offered"]
    known = Expectations({"a: it is offered": "it is known"})
    summary = await run_suite(cases, [sys.executable, "-c", SHORT], jobs=1, patience=20.0, expectations=known)

    assert summary.outcomes[0].status is Status.EXPECTED
    assert summary.outcomes[0].seconds < 5.0


async def test_what_is_expected_to_fail_has_to(tmp_path: Path) -> None:
    expected = {"a: it is not*": "it is known", "a: it is offered": "it was known"}
    summary = await summary_of(tmp_path, SUBJECT, expected)

    assert summary.outcomes[0].status is Status.UNEXPECTED_PASS
    assert summary.outcomes[1].status is Status.EXPECTED
    assert summary.outcomes[1].text.startswith("it is known")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("print('hello', flush=True); input()", "did not write within 1 s a line with the event 'ready'"),
        (
            "raise SystemExit('no configuration')",
            "ended before it wrote a line with the event 'ready'(.|\\n)*no configuration",
        ),
        (SHORT.replace("deadlines", "deadlins"), "there is no feature 'deadlins'; there are core, plugin, headers"),
    ],
)
async def test_a_subject_that_never_is_ready_is_a_fault_of_its_command(
    tmp_path: Path, program: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orbitalis_conformance.subject._READY_TIMEOUT", 1.0)
    with pytest.RaisesGroup(pytest.RaisesExc(ToolError, match=message)):
        await summary_of(tmp_path, [sys.executable, "-c", program])


async def test_a_subject_that_ends_by_itself_has_failed(tmp_path: Path) -> None:
    program = SHORT.replace("for line in sys.stdin:", "for line in [sys.stdin.readline()]:")
    summary = await summary_of(tmp_path, [sys.executable, "-c", program])

    assert summary.outcomes[0].status is Status.FAILED


async def test_what_a_subject_writes_to_standard_error_is_shown_with_the_case_that_it_is_about(tmp_path: Path) -> None:
    tells = "    print('about', os.getpid(), file=sys.stderr, flush=True)\n"
    program = SHORT.replace("import json", "import os, json").replace("    print(", f"{tells}    print(", 1)
    summary = await summary_of(tmp_path, [sys.executable, "-c", program])
    failed = [one for one in summary.outcomes if one.status is not Status.SKIPPED and one.log]
    shown = [[line for line in one.log if line.startswith("about")] for one in failed]

    assert [len(lines) for lines in shown] == [1, 1]
    assert shown[0] != shown[1]


def outcome(status: Status, text: str = "") -> Outcome:
    return Outcome(name=f"a: {status}", status=status, seconds=0.25, requirements=("ORB-HS-01",), text=text, log=("x",))


SUMMARY = Summary(subject="s", outcomes=[outcome(one, "it\x00 broke") for one in Status], seconds=1.5)


def test_a_report_as_text_counts_and_shows_what_is_wrong() -> None:
    text = as_text(SUMMARY)

    assert "failed: a: failed [ORB-HS-01]\n    it\x00 broke" in text
    assert text.endswith(
        "s: 6 cases in 1.5 s: 1 passed, 1 failed, 1 failed as expected, 1 passed unexpectedly, 1 skipped, 1 error"
    )


def test_a_report_as_json_has_every_case() -> None:
    content = json.loads(as_json(SUMMARY))

    assert content["counts"] == {status.value: 1 for status in Status}
    assert content["cases"][1] == {
        "name": "a: failed",
        "status": "failed",
        "seconds": 0.25,
        "requirements": ["ORB-HS-01"],
        "text": "it\x00 broke",
        "log": ["x"],
    }


def test_a_report_as_junit_can_be_read() -> None:
    suite = ElementTree.fromstring(as_junit(SUMMARY))

    assert suite.attrib["tests"] == "6"
    assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["skipped"]) == ("2", "1", "2")
    assert len(suite.findall("testcase/failure")) == 2


def test_a_command_whose_output_nobody_reads_ends_quietly() -> None:
    program = "from orbitalis_conformance.__main__ import main; raise SystemExit(main(['--list']))"
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([sys.executable, "-c", program], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_command_that_cannot_be_started_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--subject", "./no-such-program", "--only", "handshake-plugin"]) == 2
    (line,) = capsys.readouterr().err.splitlines()

    assert line.startswith("orbitalis-conformance: the subject cannot be started by ['./no-such-program']")


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "give the command of the subject" in capsys.readouterr().err
    assert main(["--only", "nothing has this name", "--subject", "x"]) == 2
    assert "no case has 'nothing has this name'" in capsys.readouterr().err
    assert main(["--driver", "x"]) == 2
    assert "give the traces" in capsys.readouterr().err
    assert main(["--subject", "/does/not/exist", "--only", "ORB-WI-02"]) == 2
    assert "cannot be started" in capsys.readouterr().err


def test_the_command_lists_cases_with_their_requirements(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--only", "ORB-WI-02"]) == 0
    assert "wills: an orbiter that stops takes its will back (subject core)  [ORB-WI-02]" in capsys.readouterr().out
