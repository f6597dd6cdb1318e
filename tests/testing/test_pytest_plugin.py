"""The pytest plugin, as a user has it: pytest in a process of its own, in an empty folder, without configuration."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.repository import ROOT, run

SUITE = (ROOT / "tests" / "testing" / "user_suite.txt").read_text()
FAILING_SUITE = (ROOT / "tests" / "testing" / "failing_user_suite.txt").read_text()

#: Ways to run pytest: options, and whether coroutine tests without the harness run as well.
WAYS = {
    "without pytest-asyncio": (["-p", "no:asyncio"], False),
    "pytest-asyncio auto": (["--asyncio-mode=auto"], True),
    "pytest-asyncio strict": (["--asyncio-mode=strict"], False),
    "pytest-asyncio session loop": (["--asyncio-mode=auto", "-o", "asyncio_default_test_loop_scope=session"], True),
    "pytest-xdist": (["--asyncio-mode=auto", "-n", "2"], True),
    "without autoload": (["-p", "orbitalis.testing.pytest_plugin"], False),
}
DOCUMENTED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_pytest(
    folder: Path, suite: str, *options: str, status: int = 0, environment: Mapping[str, str] | None = None
) -> str:
    """Run pytest over one file, warnings being errors, and return what it printed."""
    (folder / "test_suite.py").write_text(suite)
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-rA", "-vv", *options]
    if any("asyncio-mode" in option for option in options):
        # Otherwise pytest-asyncio warns everybody who uses it.
        command += ["-o", "asyncio_default_fixture_loop_scope=function"]
    return run(command, folder=folder, status=status, environment=environment)


def outcomes(output: str) -> dict[str, str]:
    """Return the outcome of each test by name."""
    lines = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED) test_suite\.py::(\S+)", output, re.MULTILINE)
    return {name: outcome for outcome, name in lines}


@pytest.mark.parametrize("way", WAYS)
def test_tests_of_users_pass(way: str, tmp_path: Path) -> None:
    options, runs_others = WAYS[way]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if way == "without autoload" else None
    suite = SUITE.replace("# with pytest-asyncio: ", "") if runs_others else SUITE
    if "strict" in way:
        suite = SUITE.replace("# marked: ", "")

    output = run_pytest(tmp_path, suite, "--durations=0", "--durations-min=0", *options, environment=environment)

    print(output)
    passed = outcomes(output)
    assert set(passed.values()) == {"PASSED"}
    assert len(passed) == len(re.findall(r"^ *(?:async )?def test_", suite, re.MULTILINE)) + 1  # one has two cases


def test_failures_say_what_went_wrong(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, FAILING_SUITE, "-p", "no:asyncio", status=1)

    assert outcomes(output) == {
        "test_not_compliant": "FAILED",
        "test_deadlock": "FAILED",
        "test_failing_with_leftovers": "FAILED",
        "test_leftovers": "ERROR",
        "test_fixture_too_late": "FAILED",
        "test_not_asynchronous": "PASSED",
    }
    for expected in (
        ">       await harness.compliant(core)",
        "E       AssertionError: Core 'core' is not compliant after 60 s:",
        "E         operation 'lowercase' has 0 of at least 1 plugins",
        "sent on the bus (orbitalis)",
        "     0.000 s  $handshake.discover  DiscoverMessage(core_identifier='core', queries=['lowercase'])",
        "DeadlockError: nothing can happen any more",
        "await asyncio.Event().wait() (in test_deadlock",
        "the test has left something behind",
        "  forgotten: ",
        "  left/+",
    ):
        assert expected in output
    assert "pytest_plugin.py" not in output
    assert output.count("the test has left something behind") == 2, "once as the error, and in the summary"


def test_snippets_of_the_documentation_pass_as_tests(tmp_path: Path) -> None:
    (first, *_) = DOCUMENTED.findall((ROOT / "docs" / "reference" / "testing.md").read_text())

    output = run_pytest(tmp_path, first, "-p", "no:asyncio", "--durations=0", "--durations-min=0")

    print(output)
    assert set(outcomes(output).values()) == {"PASSED"}


def test_the_snippet_of_the_how_to_page_passes(tmp_path: Path) -> None:
    (snippet,) = DOCUMENTED.findall((ROOT / "docs" / "how-to" / "testing.md").read_text())

    outcome = outcomes(run_pytest(tmp_path, snippet, "--asyncio-mode=auto"))

    assert list(outcome.values()) == ["PASSED", "PASSED"]


def test_it_imports_next_to_nothing() -> None:
    program = """
import sys, pytest, orbitalis
before = set(sys.modules)
import orbitalis.testing.pytest_plugin
print(*sorted(set(sys.modules) - before))
"""
    expected = ["orbitalis.installation", "orbitalis.testing", "orbitalis.testing.pytest_plugin"]
    assert run([sys.executable, "-c", program]).split() == expected


def test_it_can_be_imported_where_pytest_is_not() -> None:
    program = "import sys; sys.modules['pytest'] = None; import orbitalis.testing.pytest_plugin"

    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=os.environ)


def test_the_fixture_is_listed(tmp_path: Path) -> None:
    output = run([sys.executable, "-m", "pytest", "--fixtures", "-p", "no:asyncio"], folder=tmp_path)

    assert re.search(r"^harness -- .*\n +Test plugins and cores of Orbitalis", output, re.MULTILINE)
    assert "_orbitalis_runner" not in output
