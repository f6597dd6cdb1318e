"""The counters of orbiters as instruments of OpenTelemetry: :func:`measure`. It needs the extra `otel`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakKeyDictionary

from orbitalis.observability import names
from orbitalis.observability.counts import COUNTS, Count, Watched, role_of
from orbitalis.orbiter import Orbiter

try:
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation, get_meter_provider
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"{error}: metrics take the extra `otel`; install it by `pip install 'orbitalis-sdk[otel]'`", name=error.name
    ) from None

__all__ = ["measure"]

_watched: Final[WeakKeyDictionary[MeterProvider, Watched]] = WeakKeyDictionary()
_watched_by_program: Final[list[Watched]] = []
"""What the provider of the program observes, once that is asked for; one, also where the provider is set later."""


def measure(*orbiters: Orbiter, meter_provider: MeterProvider | None = None) -> None:
    """Let this meter provider, or the global one of the program, observe the counters of orbiters.

    The instruments are read when metrics are exported, and cost nothing in between. They do not keep orbiters alive.
    You may call it again for more orbiters.
    """
    of_program = get_meter_provider()
    provider = of_program if meter_provider is None else meter_provider
    watched = _watched.get(provider)
    if watched is None and provider is of_program and _watched_by_program:
        # Until the program has set its provider, another one stands for it, whose instruments become those of that.
        (watched,) = _watched_by_program
    if watched is None:
        watched = Watched()
        meter = provider.get_meter(names.SCOPE)
        for count in COUNTS:
            _instrument(meter, count, watched)
        if provider is of_program:
            _watched_by_program.append(watched)
    _watched[provider] = watched
    watched.add(orbiters)


def _instrument(meter: Meter, count: Count, watched: Watched) -> None:
    callbacks = [_observer_of(count, watched)]
    if count.is_growing:
        meter.create_observable_counter(count.name, callbacks, count.unit, count.description)
    elif count.unit:
        meter.create_observable_up_down_counter(count.name, callbacks, count.unit, count.description)
    else:
        meter.create_observable_gauge(count.name, callbacks, count.unit, count.description)


def _observer_of(count: Count, watched: Watched) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(options: CallbackOptions) -> Iterable[Observation]:
        for orbiter, operation, value in watched.read(count):
            attributes = {names.ORBITER: orbiter.identifier, names.ROLE: role_of(orbiter)}
            if operation is not None:
                attributes[names.OPERATION] = operation
            yield Observation(value, attributes)

    return observe
