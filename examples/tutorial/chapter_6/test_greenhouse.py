"""Tests of the greenhouse, without a broker: `python -m pytest examples/tutorial/chapter_6`."""

import pytest

from examples.tutorial.chapter_5.vents import Opening, Position, VentJammed, VentsFake
from examples.tutorial.chapter_6 import bed, gardener
from examples.tutorial.chapter_6.settings import Settings, SettingsError
from orbitalis.testing import Harness


@pytest.fixture
async def the_gardener(harness: Harness) -> gardener.Gardener:
    """Start a gardener."""
    made = gardener.Gardener(identifier="gardener", eventbus_client=harness.client(), consider_others_dead_after=30.0)
    await harness.start(made)
    return made


@pytest.fixture
async def tomatoes(harness: Harness) -> bed.Bed:
    """Start a bed that is dry and two degrees too warm."""
    made = bed.Bed(identifier="tomatoes", eventbus_client=harness.client(), moisture=0.2, celsius=24.0)
    await harness.start(made)
    return made


@pytest.fixture
async def vent(harness: Harness) -> VentsFake:
    """Start a vent that does as it is told here."""
    made = VentsFake(identifier="roof", eventbus_client=harness.client())
    made.when_set_opening.calls(lambda opening: Position(percent=opening.percent))
    await harness.start(made)
    return made


async def test_a_dry_bed_is_watered_and_the_greenhouse_is_aired(
    harness: Harness, the_gardener: gardener.Gardener, tomatoes: bed.Bed, vent: VentsFake
) -> None:
    await harness.compliant(the_gardener)
    await harness.advance(1.5)

    assert tomatoes.moisture == pytest.approx(0.5)
    assert vent.when_set_opening.inputs == [Opening(percent=40.0)]


async def test_a_vent_that_is_jammed_does_not_keep_the_gardener_from_watering(
    harness: Harness, the_gardener: gardener.Gardener, tomatoes: bed.Bed, vent: VentsFake
) -> None:
    vent.when_set_opening.raises(VentJammed(stuck_at=10.0))
    await harness.compliant(the_gardener)
    await harness.advance(1.5)
    tomatoes.moisture = 0.1
    await harness.advance(1.5)

    assert tomatoes.moisture == pytest.approx(0.4)


async def test_a_bed_that_is_silent_is_missed_after_half_a_minute(
    harness: Harness, the_gardener: gardener.Gardener, tomatoes: bed.Bed, vent: VentsFake
) -> None:
    await harness.compliant(the_gardener)
    await tomatoes.eventbus_client.disconnect()
    await harness.advance(25)
    assert the_gardener.is_compliant()
    await harness.advance(10)

    assert not the_gardener.is_compliant()


def test_settings_that_are_of_no_use_are_named() -> None:
    with pytest.raises(SettingsError, match="set GREENHOUSE_IDENTIFIER"):
        Settings.read({})
    with pytest.raises(SettingsError, match="GREENHOUSE_SILENCE must be a number of seconds above 0"):
        Settings.read({"GREENHOUSE_IDENTIFIER": "tomatoes", "GREENHOUSE_SILENCE": "long"})
