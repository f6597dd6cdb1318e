"""The protocol in a fixed number of simulated worlds; `make simulate` looks at others."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice

import pytest

from orbitalis.operations.policy import Policy
from tests.simulation.batch import Batch
from tests.simulation.scenario import Scenario, simulate
from tests.support.machine_settings import text_constraint

SCHEDULES = int(os.environ.get("ORBITALIS_SIMULATION_SCHEDULES", "800"))
"""For each of two tests, which run side by side where there are two processors."""

FOUND_BEFORE = [42, 1027, 1114, 3038, 414648489, 783802908, 848874906]
"""Seeds that once showed a fault of the protocol, or of the simulation."""


@pytest.mark.parametrize("seed", FOUND_BEFORE)
def test_what_was_found_before(seed: int) -> None:
    verdict = simulate(seed)
    assert verdict.violation is None, str(verdict)


@pytest.mark.timeout(SCHEDULES + 120)
@pytest.mark.parametrize("part", [0, 1])
def test_nothing_is_wrong_in_a_fixed_number_of_schedules(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    batch = Batch(simulate, part * SCHEDULES)
    try:
        for verdict in islice(batch.run(None), SCHEDULES):
            assert verdict.violation is None, str(verdict)
    finally:
        record_property("simulated", batch.counts)


def test_a_seed_decides_everything() -> None:
    assert simulate(7) == simulate(7)
    assert simulate(7) != simulate(8)


def test_an_edit_reaches_only_one_of_two_with_one_identifier() -> None:
    scenario = Scenario(7)
    for node in list(scenario.world.nodes):
        twin = scenario._twin_of(node)
        assert twin.settings.operations == node.settings.operations
        assert twin.settings.operation_requirements == node.settings.operation_requirements
        for name, requirement in node.settings.operation_requirements.items():
            requirement.constraint = text_constraint(minimum=9)
            assert twin.settings.operation_requirements[name].constraint.minimum != 9
        for name, terms in node.settings.operations.items():
            terms.policy = Policy(maximum=9)
            assert twin.settings.operations[name].policy.maximum != 9
