"""The counts of `make calls`: held against their budgets, the same twice, and judged as documented."""

from __future__ import annotations

import sys

import pytest

from benchmarks import counting
from benchmarks.calls import BUDGETS, Budget
from benchmarks.measuring import fresh
from tests.support.repository import run

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("calls")]


def test_no_count_exceeds_its_budget() -> None:
    run([sys.executable, "-m", "benchmarks.calls"])


def test_a_handshake_takes_the_same_number_of_calls_twice() -> None:
    assert fresh(counting.handshake, 50) == fresh(counting.handshake, 50)


def test_an_execution_takes_the_same_number_of_calls_twice() -> None:
    # Timers that fire between two executions may cost a call in a thousand.
    assert fresh(counting.execution, 500)["count"] == pytest.approx(fresh(counting.execution, 500)["count"], rel=0.001)


@pytest.mark.parametrize(("count", "exceeds"), [(100, False), (105, False), (105.1, True), (900, True)])
def test_a_count_may_be_five_percent_over_its_budget(count: float, exceeds: bool) -> None:
    assert Budget("calls", 100, 100, counting.lines).is_exceeded(count) is exceeds


def test_python_3_11_has_budgets_of_its_own() -> None:
    eager = sys.version_info >= (3, 12)

    assert {budget.here == (budget.budget if eager else budget.on_3_11) for budget in BUDGETS} == {True}
