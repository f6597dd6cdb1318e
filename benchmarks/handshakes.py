"""How many handshakes one core makes with plugins in the same process, for a second of the processor."""

from __future__ import annotations

from functools import partial

from benchmarks import reference
from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, settle, show
from benchmarks.stage import Bus, TextCore, connected, start_compliant, start_plugins

__all__ = ["main", "shake_hands"]

_WARM_UP = 10


def main(settings: Settings) -> None:
    """Measure and print."""
    sizes = settings.pick((100, 800, 10_000), (5, 10))
    compared = settings.pick((100, 800), (5, 10)) if settings.reference else ()
    cases = {f"{size}": partial(fresh, shake_hands, size) for size in sizes}
    theirs = {f"py-orbitalis, {size}": partial(reference.run, settings, "handshakes", size) for size in compared}
    samples = interleaved(settings.rounds, {**cases, **theirs})
    first = settings.pick("800", "10")
    rows = [
        (
            case,
            f"{samples.median(case, 'rate'):,.0f}",
            f"{samples.ratio(case, first, 'rate'):.2f}",
            f"{samples.ratio(case, f'py-orbitalis, {case}', 'rate'):.2f}" if int(case) in compared else "-",
        )
        for case in cases
    ]
    show(("plugins", "handshakes a CPU second", f"against {first}", "against py-orbitalis"), rows)


async def shake_hands(plugins: int) -> Numbers:
    """Have one core become compliant with so many plugins, after another one with a few."""
    await connected(_WARM_UP)
    bus = Bus()
    await start_plugins(bus, plugins)
    core = TextCore(identifier="core", eventbus_client=bus.client(), with_loop=False).need(plugins)
    settle()
    with Stopwatch() as watch:
        await start_compliant(core)
    assert len(core.retrieve_connections()) == plugins
    return {"rate": plugins / watch.cpu}
