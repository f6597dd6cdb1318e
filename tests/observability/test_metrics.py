"""What orbiters count, read by OpenTelemetry and by Prometheus."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Mapping
from dataclasses import fields

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Gauge, InMemoryMetricReader, NumberDataPoint, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from orbitalis import OperationFailedError, Plugin
from orbitalis.bus import LocalEventBus, LocalEventBusClient
from orbitalis.observability.counts import COUNTS
from orbitalis.observability.metrics import measure
from orbitalis.observability.prometheus import OrbiterCollector
from tests.observability.scene import Lamp, Scene, scene
from tests.support.repository import run


def observed(reader: InMemoryMetricReader) -> dict[str, dict[tuple[object, ...], float]]:
    """Return the values of each metric, by orbiter and operation."""
    data = reader.get_metrics_data()
    found: dict[str, dict[tuple[object, ...], float]] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics if data is not None else []:
        assert isinstance(metric.data, Sum | Gauge)
        for point in metric.data.data_points:
            assert isinstance(point, NumberDataPoint)
            said: Mapping[str, object] = point.attributes or {}
            key = tuple(said[name] for name in ("orbitalis.orbiter", "orbitalis.operation") if name in said)
            found.setdefault(metric.name, {})[key] = point.value
    return found


def scraped(registry: CollectorRegistry) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the values of each series, by orbiter and operation, as Prometheus reads them."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            key = tuple(sample.labels[name] for name in ("orbiter", "operation") if name in sample.labels)
            assert key not in found.setdefault(sample.name, {})
            found[sample.name][key] = sample.value
    return found


async def use(here: Scene) -> None:
    """Have two requests made, of which one fails."""
    await here.core.request(Lamp.turn, "on")
    with pytest.raises(OperationFailedError):
        await here.core.request(Lamp.fail, "broken")


async def test_the_meter_observes_what_the_statistics_have() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    async with scene() as here:
        measure(here.core, *here.lamps, meter_provider=provider)
        await use(here)
        found = observed(reader)
        lamp = here.lamps[0]

        assert found["orbitalis.operation.executions"] == {
            ("room", "turn"): 1,
            ("room", "fail"): 1,
            ("lamp-0", "turn"): 1,
            ("lamp-0", "fail"): 1,
        }
        assert found["orbitalis.operation.errors"]["lamp-0", "fail"] == 1
        time = lamp.operation_statistics["turn"].seconds_in_handler
        assert found["orbitalis.operation.handler.time"]["lamp-0", "turn"] == time > 0
        assert found["orbitalis.connections"]["lamp-0", "turn"] == 1
        assert found["orbitalis.core.compliant"] == {("room",): 1}
        assert found["orbitalis.running"] == {("room",): 1, ("lamp-0",): 1}
        for field in fields(lamp.statistics):
            assert found[f"orbitalis.orbiter.{field.name}"]["lamp-0",] == getattr(lamp.statistics, field.name)
        bus = lamp.eventbus_client.statistics
        for field in fields(bus):
            assert found[f"orbitalis.bus.{field.name}"]["lamp-0",] == getattr(bus, field.name)
    assert observed(reader)["orbitalis.running"] == {("room",): 0, ("lamp-0",): 0}
    assert "orbitalis.connections" not in observed(reader)


async def test_prometheus_scrapes_the_same() -> None:
    registry = CollectorRegistry()
    async with scene() as here:
        registry.register(OrbiterCollector(here.core, *here.lamps))
        await use(here)
        found = scraped(registry)

        assert found["orbitalis_operation_executions_total"]["lamp-0", "turn"] == 1
        assert found["orbitalis_operation_errors_total"]["room", "fail"] == 1
        time = here.lamps[0].operation_statistics["turn"].seconds_in_handler
        assert found["orbitalis_operation_handler_time_seconds_total"]["lamp-0", "turn"] == time
        assert found["orbitalis_connections"]["room", "turn"] == 1
        assert found["orbitalis_core_compliant"] == {("room",): 1}
        assert found["orbitalis_bus_published_total"]["room",] == here.core.eventbus_client.statistics.published


def test_every_count_says_what_it_is() -> None:
    assert [count.name for count in COUNTS if not count.description.endswith(".")] == []
    # What is missing may still come, and then the count goes down.
    falling = {count.name for count in COUNTS if not count.is_growing}
    assert falling == {
        "orbitalis.orbiter.missing",
        "orbitalis.connections",
        "orbitalis.running",
        "orbitalis.core.compliant",
    }


def lamp(identifier: str = "lamp") -> Plugin:
    return Plugin(identifier=identifier, eventbus_client=LocalEventBusClient(LocalEventBus()))


def test_orbiters_may_come_and_go() -> None:
    reader, registry = InMemoryMetricReader(), CollectorRegistry()
    provider = MeterProvider([reader])
    collector = OrbiterCollector()
    registry.register(collector)
    first, second = lamp("first"), lamp("second")
    for one in (first, second):
        measure(one, meter_provider=provider)
        collector.add(one)
    both = observed(reader)["orbitalis.running"].keys()
    del first, one
    gc.collect()

    assert both == {("first",), ("second",)}
    assert observed(reader)["orbitalis.running"].keys() == {("second",)}
    assert scraped(registry)["orbitalis_running"].keys() == {("second",)}


def test_of_two_orbiters_with_one_identifier_the_later_one_counts() -> None:
    registry = CollectorRegistry()
    earlier, later = lamp(), lamp()
    registry.register(OrbiterCollector(earlier, later))
    earlier.statistics.refused, later.statistics.refused = 1, 2

    assert scraped(registry)["orbitalis_orbiter_refused_total"] == {("lamp",): 2}


async def test_metrics_are_read_in_another_thread_while_connections_come_and_go() -> None:
    registry, failures, is_over = CollectorRegistry(), list[BaseException](), threading.Event()
    reads = 0

    def read() -> None:
        nonlocal reads
        while not is_over.wait(0.001):
            try:
                generate_latest(registry)
                reads += 1
            except BaseException as error:
                failures.append(error)
                return

    async with scene(None, 5, Lamp.turn) as here:
        registry.register(OrbiterCollector(here.core, *here.lamps))
        reader = threading.Thread(target=read)
        reader.start()
        try:
            for number in range(10):
                plugin = here.lamps[number % 5]
                await plugin.stop()
                await plugin.start()
                await here.core.compliant_event.wait()
        finally:
            is_over.set()
            reader.join()

    assert failures == []
    assert reads > 0


EARLY = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from orbitalis import LocalEventBus, LocalEventBusClient, Plugin
from orbitalis.observability.metrics import measure

bus, reader = LocalEventBus(), InMemoryMetricReader()
early, late, named = [Plugin(identifier=one, eventbus_client=LocalEventBusClient(bus)) for one in ("a", "b", "c")]
measure(early)
provider = MeterProvider([reader])
metrics.set_meter_provider(provider)
measure(late)
measure(named, meter_provider=provider)
for metric in reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics:
    if metric.name == "orbitalis.running":
        print(*sorted(point.attributes["orbitalis.orbiter"] for point in metric.data.data_points))
"""


def test_orbiters_may_be_measured_before_the_program_sets_its_provider() -> None:
    # A program sets its provider once, so that this takes one of its own.
    assert run([sys.executable, "-c", EARLY]) == "a b c\n"
