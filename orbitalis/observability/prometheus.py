"""The counters of orbiters for Prometheus: :class:`OrbiterCollector`. It needs the extra `prometheus`.

The names are those of OpenTelemetry with `_` for `.`. Names of seconds end in `_seconds`, and names of values that only
grow in `_total`.
"""

from __future__ import annotations

from collections.abc import Iterable

from orbitalis.observability.counts import COUNTS, Count, Watched, role_of
from orbitalis.orbiter import Orbiter

try:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"{error}: the collector takes the extra `prometheus`; install it by `pip install 'orbitalis-sdk[prometheus]'`",
        name=error.name,
    ) from None

__all__ = ["OrbiterCollector"]


class OrbiterCollector(Collector):
    """Gives the counters of orbiters to Prometheus: `REGISTRY.register(OrbiterCollector(core, plugin))`.

    Each value has the labels `orbiter` and `role`, and `operation` if it is about an operation.
    """

    def __init__(self, *orbiters: Orbiter) -> None:
        """Give the counts of these orbiters, and keep none of them alive."""
        self._watched = Watched()
        self.add(*orbiters)

    def add(self, *orbiters: Orbiter) -> None:
        """Give the counts of more orbiters."""
        self._watched.add(orbiters)

    def describe(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """Return all metrics without a value, from which a registry knows the names."""
        return [_family(count, is_of_operation=False) for count in COUNTS]

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """Return all metrics that have a value, as they are now."""
        for count in COUNTS:
            readings = list(self._watched.read(count))
            if readings:
                family = _family(count, is_of_operation=any(operation is not None for _, operation, _ in readings))
                for orbiter, operation, value in readings:
                    labels = [orbiter.identifier, role_of(orbiter)]
                    family.add_metric(labels if operation is None else [*labels, operation], value)
                yield family


def _family(count: Count, *, is_of_operation: bool) -> CounterMetricFamily | GaugeMetricFamily:
    name, unit = count.name.replace(".", "_"), "seconds" if count.unit == "s" else ""
    labels = ["orbiter", "role", "operation"] if is_of_operation else ["orbiter", "role"]
    family = CounterMetricFamily if count.is_growing else GaugeMetricFamily
    return family(name, count.description, labels=labels, unit=unit)
