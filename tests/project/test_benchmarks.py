"""The benchmarks: each works, in its quickest form, and the documentation tells of each."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from inspect import signature

import pytest

from benchmarks import __main__ as program
from benchmarks.calls import BUDGETS
from benchmarks.measuring import MeasurementError, Samples, Settings, fresh
from tests.support.repository import ROOT, run

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("benchmarks")]

DOCUMENT = (ROOT / "docs" / "performance.md").read_text()


def fail() -> dict[str, float]:
    """Fail, in a process of its own."""
    raise RuntimeError("on purpose")


@pytest.mark.parametrize("name", program.BENCHMARKS)
def test_a_benchmark_works(name: str) -> None:
    output = run([sys.executable, "-m", "benchmarks", "--quick", name])

    assert output.startswith(f"== {name}: ")
    assert len(output.splitlines()) > 2


def test_every_benchmark_is_known() -> None:
    modules = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"__main__", "one", "py_orbitalis", "worker"}
    mains = {name: getattr(import_module(f"benchmarks.{name}"), "main", None) for name in modules}
    found = {name for name, main in mains.items() if main is not None and "settings" in signature(main).parameters}

    assert found == set(program.BENCHMARKS)


def test_an_unknown_benchmark_is_refused() -> None:
    assert "unknown: speed" in run([sys.executable, "-m", "benchmarks", "speed"], status=2)


def test_a_measurement_that_fails_is_told() -> None:
    with pytest.raises(MeasurementError, match=r"fail .* exit status 1"):
        fresh(fail)


def test_a_failure_keeps_no_other_benchmark_from_running(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(settings: Settings) -> None:
        raise MeasurementError("no such thing")

    monkeypatch.setattr("benchmarks.codec.main", refuse)
    monkeypatch.setattr("benchmarks.memory.main", lambda settings: print("a table"))

    assert program.main(["codec", "memory"]) == 1
    assert [line for line in capsys.readouterr().out.splitlines() if line and not line.startswith("==")] == [
        "no such thing",
        "a table",
        "failed: codec",
    ]


def test_a_ratio_is_the_median_of_those_of_each_round() -> None:
    samples = Samples([{"a": {"x": a}, "b": {"x": b}} for a, b in ((10.0, 5.0), (100.0, 50.0), (7.0, 70.0))])

    assert samples.median("a", "x") == 10
    assert samples.ratio("a", "b", "x") == 2


def test_the_documentation_tells_of_every_benchmark() -> None:
    assert re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE) == list(program.BENCHMARKS)


def test_the_documentation_has_every_budget() -> None:
    rows = re.findall(r"^\| (.+?) \| ([\d,]+) \| ([\d,]+) \|", DOCUMENT, re.MULTILINE)

    assert rows == [(budget.what, f"{budget.budget:,}", f"{budget.on_3_11:,}") for budget in BUDGETS]
