"""How many executions there are from `execute` to the sink in one process, for a second of the processor."""

from __future__ import annotations

from functools import partial

from benchmarks import reference
from benchmarks.measuring import Numbers, Settings, Stopwatch, fresh, interleaved, settle, show
from benchmarks.stage import TextPlugin, connected

__all__ = ["execute", "main"]

_MODES = ("one by one", "in a row")


def main(settings: Settings) -> None:
    """Measure and print."""
    sizes, count = settings.pick((1, 100, 800), (1, 3)), settings.pick(5_000, 20)
    cases = {f"{size}": partial(fresh, execute, size, count) for size in sizes}
    if settings.reference:
        # With many plugins it is slow.
        its_count = settings.pick(1_000, 20)
        for size in sizes:
            cases[f"py-orbitalis, {size}"] = partial(reference.run, settings, "executions", size, its_count)
    samples = interleaved(settings.rounds, cases)
    rows = [
        (
            f"{size}, {mode}",
            f"{samples.median(f'{size}', mode):,.0f}",
            f"{samples.ratio(f'{size}', '1', mode):.2f}",
            f"{samples.ratio(f'{size}', f'py-orbitalis, {size}', mode):.2f}" if settings.reference else "-",
        )
        for mode in _MODES
        for size in sizes
    ]
    show(("plugins", "executions a CPU second", "against 1", "against py-orbitalis"), rows)


async def execute(plugins: int, count: int) -> Numbers:
    """Execute an operation so many times: each after the output of the one before, and then without waiting."""
    core, _ = await connected(plugins)
    settle()
    with Stopwatch() as one_by_one:
        for _ in range(count):
            core.expect(1)
            await core.execute_sending_any(TextPlugin.lowercase, "HELLO")
            await core.arrived.wait()
    core.expect(count)
    with Stopwatch() as in_a_row:
        for _ in range(count):
            await core.execute_sending_any(TextPlugin.lowercase, "HELLO")
        await core.arrived.wait()
    return {"one by one": count / one_by_one.cpu, "in a row": count / in_a_row.cpu}
